// Answers that come late, twice, or to a browser with many tabs.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class LateAnswers : public testing::Test {
 protected:
  Form begin(std::string target) {
    return world_.op.authorize(World::location(world_.visit(browser_, std::move(target))));
  }
  World world_;
  Browser browser_;
};

TEST_F(LateAnswers, TenTabsAllGetHome) {
  std::vector<Form> answers;
  for (int tab = 0; tab < 10; ++tab) {
    answers.push_back(begin("/tab" + std::to_string(tab)));
    world_.loop.advance(Milliseconds(1'000));
  }
  // The last five have their cookies; the first to come logs in, with a cookie or without.
  for (int tab = 9; tab >= 0; --tab) {
    const Outcome outcome = world_.come_back(browser_, answers[static_cast<std::size_t>(tab)]);
    EXPECT_TRUE(redirects_to(outcome, "https://app.example.org/tab" + std::to_string(tab)))
        << describe(outcome);
  }
  EXPECT_EQ(world_.op.codes_redeemed, 5U);
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
}

TEST_F(LateAnswers, AnEvictedTabWithoutASessionIsRefusedWithALink) {
  const Form answer = begin("/evicted?a=b&c=d");
  browser_.cookies.clear();
  const Outcome outcome = world_.come_back(browser_, answer);
  ASSERT_TRUE(denies(outcome, Errc::login_cookie_missing));
  EXPECT_NE(outcome.body.find("href=\"https://app.example.org/evicted?a=b&amp;c=d\""),
            std::string::npos)
      << outcome.body;
  EXPECT_EQ(world_.op.codes_redeemed, 0U);
}

TEST_F(LateAnswers, AStateIsUsedOnce) {
  const Form answer = begin("/");
  const Browser before = browser_;
  ASSERT_TRUE(redirects_to(world_.come_back(browser_, answer), "https://app.example.org/"));
  // Somebody else with the same cookies, but no session.
  Browser copy = before;
  const Outcome replay = world_.come_back(copy, answer);
  EXPECT_TRUE(denies(replay, Errc::state_replayed)) << describe(replay);
  EXPECT_EQ(copy.count("__Host-session"), 0U);
  EXPECT_EQ(world_.op.codes_redeemed, 1U);
  EXPECT_EQ(world_.store.size(), 1U);
}

TEST_F(LateAnswers, ReloadingTheCallbackGoesHome) {
  const Form answer = begin("/a");
  const Browser before = browser_;
  world_.come_back(browser_, answer);
  // With the login's cookie still there, and without.
  Browser both = browser_;
  for (const auto& cookie : before.cookies) both.cookies.insert(cookie);
  EXPECT_TRUE(redirects_to(world_.come_back(both, answer), "https://app.example.org/a"));
  EXPECT_TRUE(redirects_to(world_.come_back(browser_, answer), "https://app.example.org/a"));
  EXPECT_EQ(world_.op.codes_redeemed, 1U);
}

TEST_F(LateAnswers, TwoAtOnceRedeemOneCode) {
  const Form answer = begin("/a");
  const std::string target = "/callback?" + answer.encode();
  ScriptedBody none(world_.io, "");
  Root<Outcome> first(callback_flow({&world_.worker.services}, browser_.navigate(target), none));
  Root<Outcome> second(callback_flow({&world_.worker.services}, browser_.navigate(target), none));
  world_.settle();
  ASSERT_TRUE(first.ended() && second.ended());
  EXPECT_TRUE(redirects_to(first.take(), "https://app.example.org/a"));
  EXPECT_TRUE(denies(second.take(), Errc::state_replayed));
  EXPECT_EQ(world_.op.codes_redeemed, 1U);
}

TEST_F(LateAnswers, ALoginEndsAfterItsTimeout) {
  const Form in_time = begin("/in-time");
  world_.loop.advance(Milliseconds(600'000));
  EXPECT_TRUE(redirects_to(world_.come_back(browser_, in_time), "https://app.example.org/in-time"));
  Browser other;
  const Form late = world_.op.authorize(World::location(world_.visit(other, "/late")));
  world_.loop.advance(Milliseconds(601'000));
  const Outcome outcome = world_.come_back(other, late);
  EXPECT_TRUE(denies(outcome, Errc::state_expired)) << describe(outcome);
  EXPECT_NE(outcome.body.find("https://app.example.org/late"), std::string::npos);
  EXPECT_EQ(world_.op.codes_redeemed, 1U);
}

TEST_F(LateAnswers, AnExpiredOneOfALoggedInBrowserGoesHome) {
  const Form late = begin("/late");
  world_.loop.advance(Milliseconds(601'000));
  Form second = begin("/second");
  world_.come_back(browser_, second);
  EXPECT_TRUE(redirects_to(world_.come_back(browser_, late), "https://app.example.org/late"));
  EXPECT_EQ(world_.op.codes_redeemed, 1U);
}

TEST_F(LateAnswers, AUsedStateIsRememberedUntilItExpires) {
  const Form answer = begin("/");
  const Browser before = browser_;
  world_.loop.advance(Milliseconds(1'000));
  world_.come_back(browser_, answer);
  for (int i = 0; i < 70; ++i) {
    world_.loop.advance(Milliseconds(10'000));
    Browser copy = before;
    EXPECT_EQ(world_.come_back(copy, answer).kind, Outcome::Kind::deny) << i;
  }
  EXPECT_EQ(world_.op.codes_redeemed, 1U);
  EXPECT_EQ(world_.shared.count("state:"), 0U);
}

TEST_F(LateAnswers, WhereNoStateCanBeRememberedNoCodeIsRedeemed) {
  const Form answer = begin("/");
  world_.shared.full = true;
  EXPECT_TRUE(denies(world_.come_back(browser_, answer), Errc::store_full));
  EXPECT_EQ(world_.op.codes_redeemed, 0U);
}

TEST_F(LateAnswers, NeitherHostNorTargetLeadElsewhere) {
  Browser logged_in;
  world_.log_in(logged_in);
  for (const char* target : {"//evil.example/", "/\\evil.example", "/a/..//evil.example"}) {
    Browser other;
    const Form answer = world_.op.authorize(World::location(world_.visit(other, target)));
    const Outcome outcome = world_.come_back(logged_in, answer);
    EXPECT_TRUE(redirects_to(outcome, "https://app.example.org/")) << describe(outcome);
  }
  const Form answer = begin("/");
  const auto facts = logged_in.navigate("/callback?" + answer.encode());
  facts->host = "evil.example";
  EXPECT_TRUE(denies(world_.callback(facts), Errc::misdirected));
}

}  // namespace
}  // namespace oidc
