#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

// A browser whose access token has just become due.
class Refresh : public testing::Test {
 protected:
  Refresh() {
    world_.log_in(browser_);
    world_.loop.advance(Milliseconds(250'000));
    world_.io.forget();
  }
  Outcome visit() { return world_.visit(browser_, "/"); }
  std::unique_ptr<Root<Outcome>> begin(ScriptedWorker& worker) {
    return std::make_unique<Root<Outcome>>(access_flow(worker.services, browser_.navigate("/")));
  }
  std::unique_ptr<ScriptedWorker> another_worker() {
    return std::make_unique<ScriptedWorker>(world_.settings, world_.loop, world_.io, world_.op,
                                            world_.store, world_.ledger, world_.shared, world_.keys, world_.log);
  }
  [[nodiscard]] std::string access_token() {
    return std::string(world_.session_of(browser_)->record().access_token);
  }

  World world_;
  Browser browser_;
};

TEST_F(Refresh, RenewsTheTokensBeforeTheyEnd) {
  const auto before = world_.session_of(browser_);
  const Outcome outcome = visit();
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_EQ(outcome.session->record().access_token, "access-3");
  EXPECT_TRUE(outcome.set_cookies.empty());
  const auto after = world_.session_of(browser_);
  ASSERT_NE(after, nullptr);
  EXPECT_EQ(after->key(), before->key());
  EXPECT_NE(after->generation(), before->generation());
  EXPECT_EQ(after->record().access_token, "access-3");
  EXPECT_EQ(after->record().refresh_token, "refresh-3");
  EXPECT_NE(after->record().id_token, before->record().id_token);
  EXPECT_EQ(after->record().subject, "alice");
  EXPECT_EQ(after->record().created, before->record().created);
  EXPECT_EQ(after->record().absolute_end, before->record().absolute_end);
  EXPECT_EQ(after->record().access_expires, world_.loop.now() + 300);
  EXPECT_EQ(after->record().nonce, before->record().nonce);
  EXPECT_EQ(world_.op.refreshes, 1U);
}

TEST_F(Refresh, NotYetDueIsLeftAlone) {
  visit();
  visit();
  EXPECT_EQ(world_.op.refreshes, 1U);
}

TEST_F(Refresh, WithoutRotationTheOldRefreshTokenStays) {
  world_.op.rotates = false;
  visit();
  EXPECT_EQ(world_.session_of(browser_)->record().refresh_token, "refresh-2");
  world_.op.edit_tokens = [](Json& tokens) {
    tokens.erase("refresh_token");
    tokens.erase("scope");
  };
  world_.op.id_token_at_refresh = false;
  const std::string id_token = world_.session_of(browser_)->record().id_token.text();
  world_.loop.advance(Milliseconds(250'000));
  ASSERT_TRUE(passes(visit()));
  const auto session = world_.session_of(browser_);
  EXPECT_EQ(session->record().refresh_token, "refresh-2");
  EXPECT_EQ(session->record().id_token, id_token);
  EXPECT_EQ(session->record().scope, "openid profile");
  EXPECT_EQ(session->record().access_token, "access-4");
}

TEST_F(Refresh, ManyRequestsAtOnceAskOnce) {
  std::vector<std::unique_ptr<Root<Outcome>>> requests;
  for (int i = 0; i < 20; ++i) requests.push_back(begin(world_.worker));
  world_.settle();
  for (auto& request : requests) {
    ASSERT_TRUE(request->ended());
    const Outcome outcome = request->take();
    ASSERT_TRUE(passes(outcome)) << describe(outcome);
    EXPECT_EQ(outcome.session->record().access_token, "access-3");
  }
  EXPECT_EQ(world_.op.refreshes, 1U);
  EXPECT_FALSE(world_.op.token_was_reused);
}

TEST_F(Refresh, OnceMoreAfterEachLife) {
  for (int i = 1; i <= 5; ++i) {
    EXPECT_TRUE(passes(visit()));
    EXPECT_EQ(world_.op.refreshes, static_cast<std::size_t>(i));
    world_.loop.advance(Milliseconds(250'000));
  }
  EXPECT_FALSE(world_.op.token_was_reused);
}

TEST_F(Refresh, InvalidGrantEndsTheSession) {
  world_.op.revoke_all();
  EXPECT_TRUE(starts_login(visit()));
  EXPECT_EQ(world_.store.size(), 0U);
  EXPECT_TRUE(denies(world_.access(browser_.fetch("/")), Errc::session_expired));
}

TEST_F(Refresh, ASiblingsRefreshWins) {
  // Another machine was faster: its record is stored, the old refresh token is used up.
  const auto old = world_.session_of(browser_);
  const std::string stale = world_.store.envelope(old->key());
  ASSERT_TRUE(passes(visit()));
  const std::string fresh = world_.store.envelope(old->key());
  world_.store.put(old->key(), stale, Milliseconds(900'000));
  world_.loop.advance(Milliseconds(1));
  auto request = begin(world_.worker);
  while (world_.io.count("POST /token") < 2) ASSERT_TRUE(world_.loop.step());
  world_.store.put(old->key(), fresh, Milliseconds(900'000));
  world_.settle();
  ASSERT_TRUE(request->ended());
  const Outcome outcome = request->take();
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_EQ(outcome.session->record().access_token, "access-3");
  EXPECT_TRUE(world_.store.has(old->key()));
}

TEST_F(Refresh, AWriteOfSomebodyElseIsNotOverwritten) {
  const auto old = world_.session_of(browser_);
  auto request = begin(world_.worker);
  while (world_.io.count("store replace") < 1) ASSERT_TRUE(world_.loop.step());
  SessionRecord record = old->record();
  record.access_token = "of-the-sibling";
  record.access_expires = world_.loop.now() + 300;
  record.tokens_since = world_.loop.now();
  const std::string sibling = seal_envelope(encode_record(record), old->cookie().sid_view(),
                                            world_.keys, world_.settings.identity);
  world_.store.put(old->key(), sibling, Milliseconds(900'000));
  world_.settle();
  const Outcome outcome = request->take();
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_EQ(outcome.session->record().access_token, "of-the-sibling");
  EXPECT_EQ(world_.store.envelope(old->key()), sibling);
}

TEST_F(Refresh, ALogoutMeanwhileWins) {
  for (const char* moment : {"POST /token", "store replace"}) {
    World world;
    Browser browser;
    world.log_in(browser);
    world.loop.advance(Milliseconds(250'000));
    world.io.forget();
    Root<Outcome> request(access_flow(world.worker.services, browser.navigate("/")));
    while (world.io.count(moment) < 1) ASSERT_TRUE(world.loop.step());
    world.store.drop(world.session_of(browser)->key());
    world.settle();
    ASSERT_TRUE(request.ended());
    EXPECT_TRUE(starts_login(request.take())) << moment;
    EXPECT_EQ(world.store.size(), 0U) << moment;
  }
}

TEST_F(Refresh, AProviderInTroubleEndsNoSession) {
  for (const Fault fault : {Fault::error, Fault::timeout, Fault::refusal}) {
    World world;
    Browser browser;
    world.op.rotates = false;
    world.log_in(browser);
    world.loop.advance(Milliseconds(250'000));
    world.io.break_all("POST", fault);
    const Outcome outcome = world.visit(browser, "/");
    EXPECT_TRUE(passes(outcome)) << describe(outcome);
    EXPECT_EQ(outcome.session->record().access_token, "access-2");
    world.loop.advance(Milliseconds(60'000));
    EXPECT_TRUE(denies(world.visit(browser, "/"), Errc::refresh_failed));
    world.io.repair();
    world.loop.advance(Milliseconds(5'000));
    EXPECT_TRUE(passes(world.visit(browser, "/")));
    EXPECT_GE(world.op.refreshes, 1U);
  }
}

TEST_F(Refresh, AFailureIsNotTriedAgainAtEachRequest) {
  world_.io.break_all("POST", Fault::error);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(passes(visit()));
  EXPECT_EQ(world_.io.count("POST"), 1U);
  world_.loop.advance(Milliseconds(5'000));
  EXPECT_TRUE(passes(visit()));
  EXPECT_EQ(world_.io.count("POST"), 2U);
}

TEST_F(Refresh, WhatIsNotBearerOrLiesIsNotTaken) {
  using Lie = std::function<void(Json&)>;
  const Lie lies[] = {
      [](Json& claims) { claims["sub"] = "mallory"; },
      [](Json& claims) { claims["aud"] = "another"; },
      [](Json& claims) { claims["iss"] = "https://evil.example"; },
      [](Json& claims) { claims["auth_time"] = 5; },
      [](Json& claims) { claims["nonce"] = "another"; },
      [](Json& claims) { claims["at_hash"] = "x"; },
  };
  for (const Lie& lie : lies) {
    World world;
    Browser browser;
    world.log_in(browser);
    world.loop.advance(Milliseconds(250'000));
    world.op.edit_id_token = lie;
    const Outcome outcome = world.visit(browser, "/");
    ASSERT_TRUE(passes(outcome)) << describe(outcome);
    EXPECT_EQ(outcome.session->record().subject, "alice");
    EXPECT_EQ(outcome.session->record().access_token, "access-2");
    EXPECT_EQ(world.session_of(browser)->record().access_token, "access-2");
  }
}

TEST_F(Refresh, TheLoginsNonceMayComeAgain) {
  const std::string nonce(world_.session_of(browser_)->record().nonce);
  EXPECT_GE(nonce.size(), 22U);
  world_.op.edit_id_token = [&nonce](Json& claims) { claims["nonce"] = nonce; };
  visit();
  EXPECT_EQ(access_token(), "access-3");
}

TEST_F(Refresh, SwitchedOffMeansLoggingInAgain) {
  world_.settings.token.refresh = false;
  EXPECT_TRUE(passes(visit()));
  world_.loop.advance(Milliseconds(60'000));
  EXPECT_TRUE(starts_login(visit()));
  EXPECT_EQ(world_.op.refreshes, 0U);
}

TEST_F(Refresh, KeepsTheIdleTimeout) {
  visit();
  world_.settle();
  EXPECT_LE(world_.store.ttl(world_.session_of(browser_)->key()), Milliseconds(900'000));
  EXPECT_GT(world_.store.ttl(world_.session_of(browser_)->key()), Milliseconds(800'000));
}

// The absolute end may come while the provider is asked.
TEST_F(Refresh, ASessionThatEndsMeanwhileIsNotStored) {
  World world;
  world.settings.session.absolute_timeout = 301;
  Browser browser;
  world.log_in(browser);
  world.loop.advance(Milliseconds(300'000));
  world.io.break_all("POST", Fault::timeout);
  Root<Outcome> request(access_flow(world.worker.services, browser.navigate("/")));
  world.io.repair();
  world.settle();
  ASSERT_TRUE(request.ended());
  EXPECT_EQ(world.loop.failures(), std::vector<std::string>{});
}

// Two workers of one machine.
TEST_F(Refresh, TwoWorkersAskOnceToo) {
  const auto second = another_worker();
  ASSERT_TRUE(world_.loop.run(second->provider.metadata()));
  auto a = begin(world_.worker);
  auto b = begin(*second);
  world_.settle();
  for (auto* request : {a.get(), b.get()}) {
    ASSERT_TRUE(request->ended());
    const Outcome outcome = request->take();
    ASSERT_TRUE(passes(outcome)) << describe(outcome);
    EXPECT_EQ(outcome.session->record().access_token, "access-3");
  }
  EXPECT_EQ(world_.op.refreshes, 1U);
  EXPECT_FALSE(world_.op.token_was_reused);
}

}  // namespace
}  // namespace oidc
