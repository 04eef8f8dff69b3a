#include <gtest/gtest.h>

#include <string>

#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class AccessFlow : public testing::Test {
 protected:
  World world_;
  Browser browser_;
};

TEST_F(AccessFlow, ASessionPasses) {
  world_.log_in(browser_);
  world_.io.forget();
  const Outcome outcome = world_.visit(browser_, "/a");
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  ASSERT_NE(outcome.session, nullptr);
  EXPECT_EQ(outcome.session->record().subject, "alice");
  EXPECT_EQ(outcome.session->record().access_token, "access-2");
  EXPECT_TRUE(outcome.set_cookies.empty());
  EXPECT_EQ(world_.io.calls(), (std::vector<std::string>{"store read", "store touch"}));
}

TEST_F(AccessFlow, ANavigationLogsInAndAFetchIsToldSo) {
  EXPECT_TRUE(starts_login(world_.visit(browser_, "/")));
  const Outcome outcome = world_.access(Browser().fetch("/api"));
  EXPECT_TRUE(denies(outcome, Errc::unauthenticated)) << describe(outcome);
  EXPECT_EQ(World::header(outcome, "WWW-Authenticate"), "Bearer");
  EXPECT_EQ(World::header(outcome, "Cache-Control"), "private, no-store");
  EXPECT_EQ(outcome.content_type, "application/json");
  EXPECT_TRUE(outcome.set_cookies.empty());
}

TEST_F(AccessFlow, APrefetchGetsNeitherLoginNorCookie) {
  const auto facts = browser_.navigate("/");
  facts->sec_purpose = "prefetch";
  const Outcome outcome = world_.access(facts);
  EXPECT_TRUE(denies(outcome, Errc::unauthenticated));
  EXPECT_TRUE(outcome.set_cookies.empty());
}

TEST_F(AccessFlow, UnauthenticatedAsConfigured) {
  world_.settings.unauthenticated = Unauthenticated::deny;
  EXPECT_TRUE(denies(world_.visit(browser_, "/"), Errc::unauthenticated));
  world_.settings.unauthenticated = Unauthenticated::redirect;
  EXPECT_TRUE(starts_login(world_.access(browser_.fetch("/api"))));
  world_.settings.unauthenticated = Unauthenticated::pass;
  const Outcome outcome = world_.visit(browser_, "/");
  EXPECT_TRUE(passes(outcome));
  EXPECT_EQ(outcome.session, nullptr);
}

TEST_F(AccessFlow, PassNeverMeansAnonymousWhenTheStoreIsDown) {
  world_.log_in(browser_);
  world_.settings.unauthenticated = Unauthenticated::pass;
  world_.io.break_all("store", Fault::error);
  const Outcome outcome = world_.visit(browser_, "/");
  EXPECT_TRUE(denies(outcome, Errc::store_unavailable)) << describe(outcome);
  EXPECT_EQ(World::header(outcome, "Retry-After"), "5");
}

TEST_F(AccessFlow, PassNeverMeansAnonymousForAWrongCredential) {
  world_.settings.unauthenticated = Unauthenticated::pass;
  browser_.cookies["__Host-session"] = {std::string(63, 'A'), ""};
  const Outcome outcome = world_.visit(browser_, "/");
  EXPECT_TRUE(denies(outcome, Errc::session_invalid)) << describe(outcome);
  EXPECT_TRUE(browser_.cookies.empty());  // refused once
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
}

TEST_F(AccessFlow, TwoValidCookiesAreRefusedAndLeadToNoLogin) {
  Browser other;
  world_.log_in(browser_);
  world_.log_in(other);
  const auto facts = browser_.navigate("/");
  facts->cookie_headers.push_back(other.navigate("/")->cookie_headers.at(0));
  EXPECT_TRUE(denies(world_.access(facts), Errc::cookie_conflict));
  world_.settings.unauthenticated = Unauthenticated::pass;
  EXPECT_TRUE(denies(world_.access(facts), Errc::cookie_conflict));
}

TEST_F(AccessFlow, AStoreThatIsDownStartsNoLogin) {
  world_.log_in(browser_);
  world_.io.break_all("store", Fault::timeout);
  EXPECT_TRUE(denies(world_.visit(browser_, "/"), Errc::store_unavailable));
  world_.io.repair();
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
}

TEST_F(AccessFlow, AnEndedSessionLogsInAgain) {
  world_.log_in(browser_);
  world_.store.drop(world_.session_of(browser_)->key());
  EXPECT_TRUE(starts_login(world_.visit(browser_, "/")));
  EXPECT_TRUE(denies(world_.access(browser_.fetch("/api")), Errc::session_expired));
}

TEST_F(AccessFlow, WhatNobodyShouldSeeIsLogged) {
  world_.log_in(browser_);
  const StoreKey key = world_.session_of(browser_)->key();
  world_.store.put(key, std::string(200, 'x'), Milliseconds(60'000));
  // Once: by the outcome, whatever it is.
  Outcome outcome = world_.visit(browser_, "/");
  EXPECT_TRUE(starts_login(outcome));
  EXPECT_EQ(outcome.reason, Errc::session_record_invalid);
  EXPECT_EQ(outcome.detail, "the record does not open");
  EXPECT_TRUE(denies(world_.access(browser_.fetch("/")), Errc::session_record_invalid));
  EXPECT_EQ(world_.log.count(Errc::session_record_invalid), 0U);
  // Unless the login cannot begin either: then both.
  const auto elsewhere = browser_.navigate("/");
  elsewhere->host = "elsewhere.example.org";
  EXPECT_TRUE(denies(world_.access(elsewhere), Errc::misdirected));
  EXPECT_EQ(world_.log.count(Errc::session_record_invalid), 1U);
}

TEST_F(AccessFlow, AnExpiredTokenThatCannotBeRenewedEndsTheSession) {
  world_.op.gives_refresh_tokens = false;
  world_.log_in(browser_);
  world_.loop.advance(Milliseconds(299'000));
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  world_.loop.advance(Milliseconds(1'000));
  EXPECT_TRUE(starts_login(world_.visit(browser_, "/")));
}

TEST_F(AccessFlow, ATokenOfUnknownLifeIsUsedUntilTheSessionEnds) {
  world_.op.expires_in = nullptr;
  world_.settings.session.idling_timeout = 0;
  world_.settings.session.rolling_timeout = 0;
  world_.log_in(browser_);
  world_.loop.advance(Milliseconds(86'399'000));
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  EXPECT_EQ(world_.op.refreshes, 0U);
  world_.loop.advance(Milliseconds(2'000));
  EXPECT_TRUE(starts_login(world_.visit(browser_, "/")));
}

TEST_F(AccessFlow, AJwtKnowsItsOwnEnd) {
  world_.op.expires_in = nullptr;
  world_.op.gives_refresh_tokens = false;
  world_.op.edit_id_token = [](Json& claims) { claims.erase("at_hash"); };
  world_.op.edit_tokens = [this](Json& tokens) {
    const Json claims = {{"exp", world_.loop.now() + 100}};
    tokens["access_token"] = SigningKey::ec("first").sign(Json::object(), claims);
  };
  world_.log_in(browser_);
  world_.loop.advance(Milliseconds(98'000));
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  world_.loop.advance(Milliseconds(3'000));
  EXPECT_TRUE(starts_login(world_.visit(browser_, "/")));
}

// No provider's clock may send a browser round in circles.
TEST_F(AccessFlow, TokensThatComeExpiredDoNotLoop) {
  for (const Json& expires_in : {Json(0), Json(-5), Json("3600")}) {
    for (const bool refreshable : {true, false}) {
      World world;
      Browser browser;
      world.op.expires_in = expires_in;
      world.op.gives_refresh_tokens = refreshable;
      world.log_in(browser);
      for (int i = 0; i < 5; ++i) EXPECT_TRUE(passes(world.visit(browser, "/"))) << expires_in;
      EXPECT_EQ(world.op.refreshes, 0U);
    }
  }
}

TEST_F(AccessFlow, IdleSessionsEnd) {
  world_.op.expires_in = nullptr;
  world_.log_in(browser_);
  for (int i = 0; i < 5; ++i) {
    world_.loop.advance(Milliseconds(800'000));
    EXPECT_TRUE(passes(world_.visit(browser_, "/"))) << i;
    world_.loop.advance(Milliseconds(1'000));
  }
  world_.loop.advance(Milliseconds(900'000));
  EXPECT_TRUE(starts_login(world_.visit(browser_, "/")));
}

TEST_F(AccessFlow, IsTouchedAtMostOnceAMinute) {
  world_.log_in(browser_);
  world_.io.forget();
  for (int i = 0; i < 10; ++i) {
    world_.visit(browser_, "/");
    world_.loop.advance(Milliseconds(1'000));
  }
  EXPECT_EQ(world_.io.count("store touch"), 1U);
  world_.loop.advance(Milliseconds(60'000));
  world_.visit(browser_, "/");
  world_.loop.advance(Milliseconds(1'000));
  EXPECT_EQ(world_.io.count("store touch"), 2U);
}

TEST_F(AccessFlow, ATouchThatFailsHurtsNobody) {
  world_.log_in(browser_);
  world_.io.break_all("store touch", Fault::error);
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  world_.settle();
  EXPECT_EQ(world_.log.count(Errc::store_unavailable), 1U);
}

TEST_F(AccessFlow, WithoutIdleTimeoutNothingIsTouched) {
  world_.settings.session.idling_timeout = 0;
  world_.log_in(browser_);
  world_.visit(browser_, "/");
  world_.settle();
  EXPECT_EQ(world_.io.count("store touch"), 0U);
}

TEST_F(AccessFlow, SessionsOfAnotherIdentityAreNotAccepted) {
  World other;
  other.settings.identity = sha256_text("another identity");
  other.log_in(browser_);
  ASSERT_TRUE(passes(other.visit(browser_, "/")));
  EXPECT_TRUE(starts_login(world_.access(browser_.navigate("/"))));
}

}  // namespace
}  // namespace oidc
