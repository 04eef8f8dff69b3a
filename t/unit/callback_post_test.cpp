// response_mode=form_post: a POST that crosses sites carries no Lax cookie.
#include <gtest/gtest.h>

#include <string>

#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class FormPost : public testing::Test {
 protected:
  FormPost() { world_.settings.authorization.response_mode = ResponseMode::form_post; }

  Form answer_of_a_login(std::string target = "/a?b=c") {
    return world_.op.authorize(World::location(world_.visit(browser_, std::move(target))));
  }
  // The provider's page posts it.
  Outcome post(const std::string& body) {
    return taken(world_.callback(browser_.post_from_provider("/callback"), body));
  }
  // Our own page posts it again.
  Outcome repost(const std::string& body) {
    return taken(world_.callback(browser_.post("/callback"), body + "&oidc_repost=1"));
  }
  static bool is_repost_page(const Outcome& outcome) {
    return outcome.kind == Outcome::Kind::answer && outcome.status == 200 &&
           outcome.body.find("name=\"oidc_repost\"") != std::string::npos;
  }

  World world_;
  Browser browser_;

 private:
  Outcome taken(Outcome outcome) {
    browser_.take(outcome);
    return outcome;
  }
};

TEST_F(FormPost, OnHttpsTheLoginCookieCrossesSites) {
  const Form answer = answer_of_a_login();
  EXPECT_NE(browser_.cookies.begin()->second.attributes.find("SameSite=None"), std::string::npos);
  const Outcome outcome = post(answer.encode());
  ASSERT_TRUE(redirects_to(outcome, "https://app.example.org/a?b=c")) << describe(outcome);
  EXPECT_EQ(outcome.status, 303);
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
}

TEST_F(FormPost, WithALaxCookieItIsPostedAgainOnce) {
  world_.settings.authorization.cookie.same_site = SameSite::lax;
  const Form answer = answer_of_a_login();
  const Outcome asked = post(answer.encode());
  ASSERT_TRUE(is_repost_page(asked)) << describe(asked);
  EXPECT_TRUE(asked.set_cookies.empty());
  EXPECT_EQ(world_.op.codes_redeemed, 0U);
  const Outcome outcome = repost(answer.encode());
  ASSERT_TRUE(redirects_to(outcome, "https://app.example.org/a?b=c")) << describe(outcome);
  EXPECT_EQ(outcome.status, 303);
}

TEST_F(FormPost, ARepostWithoutTheCookieIsJudged) {
  const Form answer = answer_of_a_login();
  browser_.cookies.clear();
  EXPECT_TRUE(is_repost_page(post(answer.encode())));
  EXPECT_TRUE(denies(repost(answer.encode()), Errc::login_cookie_missing));
}

TEST_F(FormPost, ThePageHoldsTheFieldsAndNothingElse) {
  Form answer = answer_of_a_login();
  answer.add("session_state", "<script>\"'&");
  answer.add("unknown", "left-behind");
  browser_.cookies.clear();
  const Outcome outcome = post(answer.encode());
  ASSERT_TRUE(is_repost_page(outcome));
  const std::string& html = outcome.body;
  EXPECT_NE(html.find("<form method=\"post\" action=\"https://app.example.org/callback\">"),
            std::string::npos);
  EXPECT_NE(html.find("name=\"code\" value=\"code-1\""), std::string::npos);
  EXPECT_NE(html.find("name=\"state\" value=\"" + std::string(*answer.get("state")) + "\""),
            std::string::npos);
  EXPECT_EQ(html.find("<script>\""), std::string::npos);
  EXPECT_EQ(html.find("left-behind"), std::string::npos);
  EXPECT_NE(html.find("<button type=\"submit\">"), std::string::npos);
}

TEST_F(FormPost, ThePageMayRunItsOwnScriptOnly) {
  const Form answer = answer_of_a_login();
  browser_.cookies.clear();
  std::string nonces[2];
  for (std::string& nonce : nonces) {
    const Outcome outcome = post(answer.encode());
    const std::string policy = World::header(outcome, "Content-Security-Policy");
    const std::size_t at = policy.find("script-src 'nonce-");
    ASSERT_NE(at, std::string::npos) << policy;
    nonce = policy.substr(at + 18, policy.find('\'', at + 18) - at - 18);
    EXPECT_NE(outcome.body.find("<script nonce=\"" + nonce + "\">"), std::string::npos);
    for (const char* part : {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"}) {
      EXPECT_NE(policy.find(part), std::string::npos) << part;
    }
    // Chromium applies it to the redirect that follows.
    EXPECT_EQ(policy.find("form-action"), std::string::npos);
    EXPECT_EQ(World::header(outcome, "Cache-Control"), "private, no-store");
    EXPECT_EQ(World::header(outcome, "Referrer-Policy"), "no-referrer");
  }
  EXPECT_NE(nonces[0], nonces[1]);
}

TEST_F(FormPost, OnlyForAStateOfOurs) {
  for (const char* body : {"code=c&state=nonsense", "code=c", "code=c&state=a&state=b", ""}) {
    const Outcome outcome = post(body);
    EXPECT_EQ(outcome.kind, Outcome::Kind::deny) << body;
  }
}

TEST_F(FormPost, OnlyUrlencodedBodiesAreRead) {
  const Form answer = answer_of_a_login();
  for (const char* type : {"", "multipart/form-data; boundary=x", "application/json", "text/plain",
                           "application/x-www-form-urlencodedx"}) {
    const auto facts = browser_.post_from_provider("/callback");
    facts->content_type = type;
    EXPECT_TRUE(denies(world_.callback(facts, answer.encode()), Errc::callback_body_type)) << type;
  }
  EXPECT_EQ(world_.io.count("body"), 0U);
  const auto facts = browser_.post_from_provider("/callback");
  facts->content_type = "application/x-www-form-urlencoded; charset=UTF-8";
  EXPECT_TRUE(redirects_to(world_.callback(facts, answer.encode()), "https://app.example.org/"));
}

TEST_F(FormPost, BodiesHaveALimit) {
  answer_of_a_login();
  EXPECT_TRUE(denies(post("code=" + std::string(64 * 1024, 'c')), Errc::callback_body_too_large));
  world_.io.break_all("body", Fault::error);
  EXPECT_TRUE(denies(post("code=c"), Errc::parameter_malformed));
}

TEST_F(FormPost, TheQueryOfAPostIsNotRead) {
  const Form answer = answer_of_a_login();
  const auto facts = browser_.post_from_provider("/callback?" + answer.encode());
  EXPECT_TRUE(denies(world_.callback(facts, ""), Errc::state_missing));
}

TEST_F(FormPost, AnAnswerByQueryIsAMismatch) {
  const Form answer = answer_of_a_login();
  EXPECT_TRUE(denies(world_.come_back(browser_, answer), Errc::response_mode_mismatch));
  EXPECT_EQ(world_.op.codes_redeemed, 0U);
}

// The session's cookie is Lax: only the second, own POST shows it.
TEST_F(FormPost, ALateAnswerOfALoggedInBrowserGoesHome) {
  const Form late = answer_of_a_login("/late");
  const Form second = world_.op.authorize(World::location(world_.visit(browser_, "/second")));
  ASSERT_TRUE(redirects_to(post(second.encode()), "https://app.example.org/second"));
  world_.loop.advance(Milliseconds(601'000));
  ASSERT_TRUE(passes(world_.visit(browser_, "/")));
  for (auto cookie = browser_.cookies.begin(); cookie != browser_.cookies.end();) {
    const bool expired = cookie->first.starts_with("__Host-login_");
    cookie = expired ? browser_.cookies.erase(cookie) : std::next(cookie);
  }
  const Outcome first = post(late.encode());
  ASSERT_TRUE(is_repost_page(first)) << describe(first);
  EXPECT_TRUE(redirects_to(repost(late.encode()), "https://app.example.org/late"));
}

}  // namespace
}  // namespace oidc
