// The provider's answer by query: the way that should be, and the answers that are refused.
#include <gtest/gtest.h>

#include <string>

#include "oidc/pending_login.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class Callback : public testing::Test {
 protected:
  // Up to the provider's answer, which has not come yet.
  Form answer_of_a_login(std::string target = "/a?b=c") {
    return world_.op.authorize(World::location(world_.visit(browser_, std::move(target))));
  }
  Outcome arrive(const std::string& query) {
    return world_.callback(browser_.navigate("/callback?" + query));
  }
  void expect_no_session() {
    EXPECT_EQ(world_.store.size(), 0U);
    EXPECT_EQ(browser_.count("__Host-session"), 0U);
  }

  World world_;
  Browser browser_;
};

TEST_F(Callback, LogsInAndGoesToWhereItBegan) {
  const Outcome outcome = world_.come_back(browser_, answer_of_a_login("/a?b=c"));
  ASSERT_TRUE(redirects_to(outcome, "https://app.example.org/a?b=c")) << describe(outcome);
  EXPECT_EQ(outcome.status, 302);
  EXPECT_EQ(World::header(outcome, "Cache-Control"), "private, no-store");
  EXPECT_EQ(World::header(outcome, "Referrer-Policy"), "no-referrer");
  EXPECT_EQ(browser_.count("__Host-login_"), 0U);
  const auto session = world_.session_of(browser_);
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(session->record().method, static_cast<int>(Method::authorization_code));
  EXPECT_EQ(session->record().subject, "alice");
  EXPECT_EQ(session->record().provider_sid, "provider-session");
  EXPECT_EQ(session->record().refresh_token, "refresh-2");
  EXPECT_EQ(session->record().access_expires, session->record().tokens_since + 300);
  EXPECT_EQ(world_.op.codes_redeemed, 1U);
}

TEST_F(Callback, TheSessionCookieIsOnlyForUsAndTheBrowsersSession) {
  const Outcome outcome = world_.come_back(browser_, answer_of_a_login());
  const auto& headers = outcome.set_cookies;
  const auto found = std::find_if(headers.begin(), headers.end(), [](const std::string& header) {
    return header.starts_with("__Host-session=");
  });
  ASSERT_NE(found, headers.end());
  for (const char* attribute : {"; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"}) {
    EXPECT_NE(found->find(attribute), std::string::npos) << attribute;
  }
  EXPECT_EQ(found->find("Max-Age"), std::string::npos);
  EXPECT_EQ(found->find("Domain"), std::string::npos);
}

TEST_F(Callback, EachLoginIsANewSession) {
  world_.log_in(browser_);
  const auto first = world_.session_of(browser_);
  browser_.cookies.clear();
  world_.log_in(browser_);
  ASSERT_NE(world_.session_of(browser_), nullptr);
  EXPECT_NE(world_.session_of(browser_)->key(), first->key());
  EXPECT_EQ(world_.store.size(), 2U);
}

TEST_F(Callback, WithRsaKeysToo) {
  world_.op.key = &SigningKey::rsa("rsa");
  world_.op.published = {&SigningKey::ec("first"), &SigningKey::rsa("rsa")};
  EXPECT_TRUE(redirects_to(world_.log_in(browser_), "https://app.example.org/"));
}

TEST_F(Callback, TakesGetAndPostOnly) {
  const Form answer = answer_of_a_login();
  for (const char* method : {"HEAD", "PUT", "DELETE", "OPTIONS", "get"}) {
    const auto facts = browser_.navigate("/callback?" + answer.encode());
    facts->method = method;
    const Outcome outcome = world_.callback(facts);
    EXPECT_TRUE(denies(outcome, Errc::callback_method)) << method;
    EXPECT_EQ(World::header(outcome, "Allow"), "GET, POST");
  }
  expect_no_session();
}

TEST_F(Callback, RefusesWhatIsNoAnswer) {
  const Form answer = answer_of_a_login();
  const std::string state = "state=" + std::string(*answer.get("state"));
  const std::pair<std::string, Errc> cases[] = {
      {"", Errc::state_missing},
      {"code=c", Errc::state_missing},
      {"code=c&state=", Errc::state_missing},
      {"code=c&state=nonsense", Errc::state_invalid},
      {"code=c&" + state.substr(0, state.size() - 1), Errc::state_invalid},
      {"code=c&code=c&" + state, Errc::parameter_duplicated},
      {"code=c&" + state + "&" + state, Errc::parameter_duplicated},
      {"code=c&error=e&" + state, Errc::parameter_malformed},
      {"code=%zz&" + state, Errc::parameter_malformed},
      {"code=%00&" + state, Errc::parameter_malformed},
      {"code=a%0d%0ab&" + state, Errc::parameter_malformed},
  };
  for (const auto& [query, expected] : cases) {
    const Outcome outcome = arrive(query);
    EXPECT_TRUE(denies(outcome, expected)) << query << ": " << describe(outcome);
  }
  std::string many = state;
  for (int i = 0; i < 100; ++i) many += "&a" + std::to_string(i) + "=1";
  EXPECT_TRUE(denies(arrive("code=c&" + many), Errc::parameter_malformed));
  expect_no_session();
  EXPECT_EQ(world_.io.count("POST"), 0U);
  // None of these has spoilt the login.
  EXPECT_TRUE(redirects_to(world_.come_back(browser_, answer), "https://app.example.org/"));
}

TEST_F(Callback, WithoutACodeThereIsNothingToRedeem) {
  const Form answer = answer_of_a_login();
  EXPECT_TRUE(
      denies(arrive("state=" + std::string(*answer.get("state"))), Errc::parameter_missing));
  EXPECT_EQ(world_.io.count("POST"), 0U);
}

TEST_F(Callback, IssIsComparedBeforeAnythingElse) {
  const Form answer = answer_of_a_login();
  EXPECT_TRUE(
      denies(arrive(answer.encode() + "&iss=https%3A%2F%2Fevil.example"), Errc::iss_mismatch));
  Form refusal =
      ScriptedOp::refuse("https://x/?state=" + std::string(*answer.get("state")), "access_denied");
  EXPECT_TRUE(
      denies(arrive(refusal.encode() + "&iss=https%3A%2F%2Fevil.example"), Errc::iss_mismatch));
  // The right one, and the login goes on.
  const Outcome outcome = arrive(answer.encode() + "&iss=https%3A%2F%2Fop.example.com");
  EXPECT_TRUE(redirects_to(outcome, "https://app.example.org/a?b=c")) << describe(outcome);
}

TEST_F(Callback, IssThatIsAnnouncedMustCome) {
  world_.op.metadata["authorization_response_iss_parameter_supported"] = true;
  const Form answer = answer_of_a_login();
  Form without;
  without.add("code", *answer.get("code"));
  without.add("state", *answer.get("state"));
  EXPECT_TRUE(denies(arrive(without.encode()), Errc::iss_missing));
  EXPECT_EQ(world_.op.codes_redeemed, 0U);
  EXPECT_TRUE(redirects_to(world_.come_back(browser_, answer), "https://app.example.org/"));
}

TEST_F(Callback, ArrivesAtTheUriThatTheLoginNamed) {
  const Form answer = answer_of_a_login();
  const auto facts = browser_.navigate("/callback?" + answer.encode());
  const auto expect_refused = [&](const std::shared_ptr<RequestFacts>& changed) {
    EXPECT_TRUE(denies(world_.callback(changed), Errc::redirect_uri_mismatch));
  };
  auto other = std::make_shared<RequestFacts>(*facts);
  other->host_port = ":8443";
  expect_refused(other);
  other = std::make_shared<RequestFacts>(*facts);
  other->host = "evil.example";
  expect_refused(other);
  other = std::make_shared<RequestFacts>(*facts);
  other->path = "/callback2";
  expect_refused(other);
  EXPECT_TRUE(redirects_to(world_.callback(facts), "https://app.example.org/"));
}

TEST_F(Callback, ComesByTheModeThatWasAskedFor) {
  const Form answer = answer_of_a_login();
  const Outcome outcome = world_.callback(browser_.post("/callback"), answer.encode());
  EXPECT_TRUE(denies(outcome, Errc::response_mode_mismatch)) << describe(outcome);
  EXPECT_EQ(world_.op.codes_redeemed, 0U);
}

TEST_F(Callback, BelongsToTheBrowserThatBegan) {
  const Form answer = answer_of_a_login();
  Browser victim;
  const Outcome outcome = world_.come_back(victim, answer);  // login CSRF
  EXPECT_TRUE(denies(outcome, Errc::login_cookie_missing)) << describe(outcome);
  EXPECT_TRUE(victim.cookies.empty());
  EXPECT_EQ(world_.op.codes_redeemed, 0U);
}

TEST_F(Callback, AStateWithAnotherLoginsCookieIsRefused) {
  const Form first = answer_of_a_login("/first");
  const auto first_cookie = *browser_.cookies.begin();
  browser_.cookies.clear();
  const Form second = answer_of_a_login("/second");
  // The cookie's name is authenticated, so its value does not open under the other's.
  browser_.cookies.begin()->second = first_cookie.second;
  EXPECT_TRUE(denies(arrive(second.encode()), Errc::login_cookie_missing));
  EXPECT_EQ(world_.op.codes_redeemed, 0U);
}

TEST_F(Callback, ANewStateForAnOldCookieIsAMismatch) {
  const Form answer = answer_of_a_login();
  auto state = open_state(*answer.get("state"), world_.keys, world_.settings.identity);
  ASSERT_TRUE(state);
  state->target = "/elsewhere";
  const auto forged = seal_state(*state, world_.keys, world_.settings.identity);
  EXPECT_TRUE(denies(arrive("code=" + std::string(*answer.get("code")) + "&state=" + *forged),
                     Errc::state_mismatch));
  EXPECT_EQ(world_.op.codes_redeemed, 0U);
}

TEST_F(Callback, AnOldKeyStillFinishesALogin) {
  const Form answer = answer_of_a_login();
  world_.keys = key_ring({kNewSecret, kSecret});
  EXPECT_TRUE(redirects_to(world_.come_back(browser_, answer), "https://app.example.org/"));
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
}

TEST_F(Callback, TheReplacedSessionGoesAfterAGrace) {
  world_.log_in(browser_);
  const auto old = world_.session_of(browser_);
  LoginStart start;
  start.target = "/again";
  const Outcome begun =
      world_.loop.run(start_login(world_.worker.services, browser_.navigate("/again"), start));
  browser_.take(begun);
  world_.come_back(browser_, world_.op.authorize(World::location(begun)));
  world_.loop.advance(Milliseconds(100));
  ASSERT_NE(world_.session_of(browser_), nullptr);
  EXPECT_NE(world_.session_of(browser_)->key(), old->key());
  EXPECT_TRUE(world_.store.has(old->key()));
  EXPECT_LE(world_.store.ttl(old->key()), Milliseconds(10'000));
  // A request in flight that still carries it does not bring it back to life.
  touch_session(world_.worker.services, *old);
  world_.loop.advance(Milliseconds(10'000));
  EXPECT_FALSE(world_.store.has(old->key()));
}

// Two tabs began without a session: the second to finish replaces the first one's.
TEST_F(Callback, TheSessionThatCameMeanwhileIsReplacedToo) {
  const Form first = answer_of_a_login("/first");
  const Form second = answer_of_a_login("/second");
  world_.come_back(browser_, first);
  const auto old = world_.session_of(browser_);
  ASSERT_NE(old, nullptr);
  world_.come_back(browser_, second);
  world_.loop.advance(Milliseconds(10'100));
  EXPECT_FALSE(world_.store.has(old->key()));
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
}

TEST_F(Callback, ALoginThatIsStrongEnoughIsRemembered) {
  world_.settings.authorization.acr_values = {"gold"};
  world_.settings.authorization.max_age = 1000;
  world_.op.edit_id_token = [](Json& claims) { claims["acr"] = "gold"; };
  world_.log_in(browser_);
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  world_.loop.advance(Milliseconds(260'000));
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));  // a refresh does not forget it
  EXPECT_EQ(world_.op.refreshes, 1U);
}

}  // namespace
}  // namespace oidc
