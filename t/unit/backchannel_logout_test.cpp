#include <gtest/gtest.h>

#include <string>

#include "flow/session_index.h"
#include "flows_everywhere.h"
#include "logout_token_sample.h"
#include "oidc/logout_flows.h"

namespace oidc {
namespace {

using namespace test;

std::shared_ptr<RequestFacts> post_of_provider() {
  auto facts = Browser().post("/backchannel");
  facts->accept = facts->origin = facts->sec_fetch_site = facts->sec_fetch_mode =
      facts->sec_fetch_dest = "";
  return facts;
}

std::string body_of(const std::string& token) {
  Form form;
  form.add("logout_token", token);
  return form.encode();
}

class Backchannel : public testing::Test {
 protected:
  Backchannel() {
    world_.log_in(browser_);
    world_.loop.advance(Milliseconds(1000));
  }
  [[nodiscard]] LogoutTokenSample token() const { return LogoutTokenSample(world_.loop.now()); }
  Outcome send_raw(std::string body, const std::shared_ptr<RequestFacts>& facts) {
    ScriptedBody reader(world_.io, std::move(body));
    return world_.loop.run(backchannel_logout_flow(owners_, facts, reader));
  }
  Outcome send(const std::string& token) { return send_raw(body_of(token), post_of_provider()); }
  Outcome send(const LogoutTokenSample& sample) { return send(sample.signed_by(*world_.op.key)); }
  [[nodiscard]] bool logged_in() { return world_.session_of(browser_) != nullptr; }

  static void expect_answer(const Outcome& outcome, int status, Errc reason) {
    EXPECT_EQ(outcome.kind, Outcome::Kind::answer);
    EXPECT_EQ(outcome.status, status) << describe(outcome);
    EXPECT_EQ(outcome.reason, reason) << describe(outcome);
    EXPECT_EQ(World::header(outcome, "Cache-Control"), "no-store");
    EXPECT_TRUE(outcome.set_cookies.empty());
    if (status == 200) return;
    const Json body = Json::parse(outcome.body);
    EXPECT_EQ(outcome.content_type, "application/json");
    EXPECT_EQ(body["error"], status >= 500 ? "temporarily_unavailable" : "invalid_request");
  }

  World world_;
  Browser browser_;
  Owners owners_{&world_.worker.services};
};

TEST_F(Backchannel, ASidEndsTheSessionsOfThatSession) {
  Browser other;
  world_.op.edit_id_token = [](Json& claims) { claims["sid"] = "another"; };
  world_.log_in(other);
  expect_answer(send(token()), 200, Errc::none);
  EXPECT_FALSE(logged_in());
  EXPECT_NE(world_.session_of(other), nullptr);
  EXPECT_TRUE(starts_login(world_.access(browser_.navigate("/"))));
}

TEST_F(Backchannel, ASubjectAloneEndsAllOfThem) {
  Browser other;
  world_.op.edit_id_token = [](Json& claims) { claims["sid"] = "another"; };
  world_.log_in(other);
  expect_answer(send(token().without("sid")), 200, Errc::none);
  EXPECT_EQ(world_.store.size(), 0U);
}

TEST_F(Backchannel, NothingToEndIsFine) {
  expect_answer(send(token().with("sid", "unknown")), 200, Errc::none);
  expect_answer(send(token().with("jti", "2").with("sub", "bob").without("sid")), 200, Errc::none);
  EXPECT_TRUE(logged_in());
}

TEST_F(Backchannel, OnceOnly) {
  const std::string once = token().with("sid", "unknown").signed_by(*world_.op.key);
  expect_answer(send(once), 200, Errc::none);
  expect_answer(send(once), 400, Errc::logout_token_replayed);
  const std::string same_jti = token().signed_by(*world_.op.key);
  expect_answer(send(same_jti), 400, Errc::logout_token_replayed);
  EXPECT_TRUE(logged_in());
  // Remembered as long as the token itself is good.
  world_.loop.advance(Milliseconds(170'000));
  expect_answer(send(once), 400, Errc::logout_token_replayed);
  world_.loop.advance(Milliseconds(30'000));
  expect_answer(send(once), 400, Errc::logout_token_invalid);
}

// A token whose logout did not succeed may come again.
TEST_F(Backchannel, AStoreThatIsDownIsNoSuccess) {
  const std::string once = token().signed_by(*world_.op.key);
  for (const char* call : {"ledger add", "ledger write", "ledger members", "store erase"}) {
    world_.io.break_all(call, Fault::error);
    expect_answer(send(once), 503, Errc::store_unavailable);
    EXPECT_TRUE(logged_in()) << call;
    world_.io.repair();
  }
  expect_answer(send(once), 200, Errc::none);
  EXPECT_FALSE(logged_in());
  expect_answer(send(once), 400, Errc::logout_token_replayed);
}

TEST_F(Backchannel, AProviderThatIsDownIsNoFaultOfTheToken) {
  SharedTable empty(world_.loop);
  ScriptedWorker fresh(world_.settings, world_.loop, world_.io, world_.op, world_.store,
                       world_.ledger, empty, world_.keys, world_.log);
  owners_ = {&fresh.services};
  world_.io.break_all("GET", Fault::error);
  EXPECT_EQ(send(token()).status, 503);
  EXPECT_TRUE(logged_in());
}

TEST_F(Backchannel, SignaturesAndAlgorithms) {
  const SigningKey& stranger = SigningKey::ec("stranger");
  expect_answer(send(token().signed_by(stranger)), 400, Errc::jwt_key_unknown);
  LogoutTokenSample posing = token();
  posing.header["kid"] = "first";
  expect_answer(send(posing.signed_by(stranger)), 400, Errc::jwt_signature);
  const std::string good = token().signed_by(*world_.op.key);
  expect_answer(send(good.substr(0, good.rfind('.') + 1)), 400, Errc::jwt_signature);
  LogoutTokenSample none = token();
  none.header["alg"] = "none";
  expect_answer(send(none), 400, Errc::jwt_alg_none);
  LogoutTokenSample hs = token();
  hs.header["alg"] = "HS256";
  expect_answer(send(hs), 400, Errc::jwt_alg_not_allowed);
  expect_answer(send("junk"), 400, Errc::jwt_malformed);
  EXPECT_TRUE(logged_in());
}

TEST_F(Backchannel, ANewKeyIsFetched) {
  world_.op.key = &SigningKey::ec("second");
  world_.op.published.push_back(world_.op.key);
  expect_answer(send(token()), 200, Errc::none);
  EXPECT_FALSE(logged_in());
}

// Unverified tokens must not use up what logins need after a change of keys.
TEST_F(Backchannel, StrangersDoNotUseUpTheLoginsFetch) {
  expect_answer(send(token().signed_by(SigningKey::ec("stranger"))), 400, Errc::jwt_key_unknown);
  world_.op.key = &SigningKey::ec("second");
  world_.op.published.push_back(world_.op.key);
  Browser other;
  EXPECT_TRUE(redirects_to(world_.log_in(other), "https://app.example.org/"));
}

// Nor may they make the provider believe that a genuine token is wrong: it would not come again.
TEST_F(Backchannel, AnUnknownKeyIsNoFaultWhileTheProviderIsNotToBeAsked) {
  expect_answer(send(token().signed_by(SigningKey::ec("stranger"))), 400, Errc::jwt_key_unknown);
  world_.op.key = &SigningKey::ec("second");
  world_.op.published.push_back(world_.op.key);
  const Outcome later = send(token());
  expect_answer(later, 503, Errc::keys_unavailable);
  EXPECT_EQ(World::header(later, "Retry-After"), "30");
  EXPECT_TRUE(logged_in());
  world_.loop.advance(Milliseconds(31'000));
  expect_answer(send(token()), 200, Errc::none);
  EXPECT_FALSE(logged_in());
}

// Another worker has asked meanwhile: this one's set is old, which says nothing either.
TEST_F(Backchannel, ASetOfAnotherWorkerIsNoAnswerToThisQuestion) {
  ScriptedWorker other(world_.settings, world_.loop, world_.io, world_.op, world_.store,
                       world_.ledger, world_.shared, world_.keys, world_.log);
  owners_ = {&other.services};
  expect_answer(send(token().signed_by(SigningKey::ec("stranger"))), 400, Errc::jwt_key_unknown);
  owners_ = {&world_.worker.services};
  expect_answer(send(token().signed_by(SigningKey::ec("other"))), 503, Errc::keys_unavailable);
}

TEST_F(Backchannel, AnUnknownKeyWhileTheProviderIsAway) {
  world_.io.break_all("GET", Fault::error);
  expect_answer(send(token().signed_by(SigningKey::ec("second"))), 503, Errc::keys_unavailable);
  EXPECT_TRUE(logged_in());
}

// Two clients share path and store.
TEST_F(Backchannel, TheTokensOwnWordsDecideWhoseItIs) {
  Settings other = sample_settings();
  other.client.id = "second";
  other.identity = sha256_text("the second client");
  ScriptedWorker its(other, world_.loop, world_.io, world_.op, world_.store, world_.ledger,
                     world_.shared, world_.keys, world_.log);
  owners_ = {&its.services, &world_.worker.services};
  const Outcome outcome = send(token().with("aud", "second"));
  expect_answer(outcome, 200, Errc::none);
  EXPECT_EQ(outcome.settings, &other);
  EXPECT_TRUE(logged_in());
  expect_answer(send(token().with("aud", "third")), 400, Errc::logout_token_invalid);
  expect_answer(send(token().with("iss", "https://evil.example")), 400,
                Errc::logout_token_invalid);
  EXPECT_TRUE(logged_in());
  expect_answer(send(token().with("jti", "2")), 200, Errc::none);
  EXPECT_FALSE(logged_in());
}

TEST_F(Backchannel, EachAudienceOfSessionsEndsTheirs) {
  Settings other = sample_settings();
  other.identity = sha256_text("another session audience");
  ScriptedWorker its(other, world_.loop, world_.io, world_.op, world_.store, world_.ledger,
                     world_.shared, world_.keys, world_.log);
  const auto session = world_.session_of(browser_);
  Membership who = membership_of(session->key(), session->record());
  who.session.key.text[0] = who.session.key.text[0] == 'A' ? 'B' : 'A';
  ASSERT_TRUE(world_.loop.run(index_session(its.services, who, Milliseconds(60'000), 0)));
  world_.loop.run(world_.store.insert(who.session.key, "sealed", Milliseconds(60'000)));
  owners_ = {&world_.worker.services, &its.services, &world_.worker.services};
  expect_answer(send(token()), 200, Errc::none);
  EXPECT_EQ(world_.store.size(), 0U);
}

TEST_F(Backchannel, WhatIsNoLogoutRequest) {
  const std::string good = token().signed_by(*world_.op.key);
  auto get = post_of_provider();
  get->method = "GET";
  get->query = body_of(good);
  const Outcome wrong_method = send_raw("", get);
  expect_answer(wrong_method, 405, Errc::logout_token_invalid);
  EXPECT_EQ(World::header(wrong_method, "Allow"), "POST");
  auto json = post_of_provider();
  json->content_type = "application/json";
  expect_answer(send_raw(body_of(good), json), 400, Errc::logout_token_invalid);
  expect_answer(send_raw("", post_of_provider()), 400, Errc::logout_token_invalid);
  expect_answer(send_raw("logout_token=", post_of_provider()), 400, Errc::jwt_malformed);
  expect_answer(send_raw(body_of(good) + "&" + body_of(good), post_of_provider()), 400,
                Errc::logout_token_invalid);
  expect_answer(send_raw("logout_token=%zz", post_of_provider()), 400, Errc::logout_token_invalid);
  expect_answer(send_raw(body_of(good) + "&a=" + std::string(70'000, 'a'), post_of_provider()), 413,
                Errc::callback_body_too_large);
  EXPECT_TRUE(logged_in());
}

// ---- every await, cancelled and failed ---------------------------------------------------------

struct Started {
  Started() {
    world.log_in(browser);
    world.loop.advance(Milliseconds(1000));
    world.settle();
    world.io.forget();
    const LogoutTokenSample sample(world.loop.now());
    token = sample.signed_by(*world.op.key);
    body.set(body_of(token));
  }
  Task<Outcome> begin() {
    return backchannel_logout_flow({&world.worker.services}, post_of_provider(), body);
  }
  World world;
  Browser browser;
  std::string token;
  ScriptedBody body{world.io, ""};
};

TEST(BackchannelEverywhere, CancelledAtEachStepItMayComeAgain) {
  bool ended = false;
  std::size_t steps = 0;
  for (; !ended; ++steps) {
    ASSERT_LT(steps, 1000U);
    SCOPED_TRACE("cancelled after step " + std::to_string(steps));
    Started started;
    {
      Root<Outcome> root(started.begin());
      for (std::size_t i = 0; i < steps && !root.ended(); ++i) ASSERT_TRUE(started.world.loop.step());
      ended = root.ended();
      root.cancel();
    }
    started.world.settle();
    expect_quiet(started.world);
    if (ended) break;
    const Outcome again = started.world.loop.run(started.begin());
    EXPECT_TRUE(again.status == 200 || again.reason == Errc::logout_token_replayed)
        << describe(again);
    EXPECT_EQ(started.world.store.size(), 0U);
  }
  EXPECT_GE(steps, 6U);
}

TEST(BackchannelEverywhere, FailingAtEachCallItSaysSo) {
  for (const Fault fault : {Fault::error, Fault::timeout, Fault::refusal}) {
    std::size_t call = 0;
    for (;; ++call) {
      ASSERT_LT(call, 100U);
      Started started;
      started.world.io.fail_at(call, fault);
      const Outcome outcome = started.world.loop.run(started.begin());
      if (started.world.io.calls().size() <= call) break;
      SCOPED_TRACE(started.world.io.calls()[call] + " fails");
      EXPECT_TRUE(outcome.status == 200 || outcome.status == 400 || outcome.status == 503)
          << describe(outcome);
      EXPECT_NE(outcome.reason, Errc::internal);
      // Success is only said when it is true.
      if (outcome.status == 200 && fault != Fault::refusal) {
        EXPECT_EQ(started.world.store.size(), 0U);
      }
      started.world.settle();
      expect_quiet(started.world);
    }
    EXPECT_GE(call, 5U);
  }
}

}  // namespace
}  // namespace oidc
