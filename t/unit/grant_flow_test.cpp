// Requests whose credential the token endpoint exchanges for tokens.
#include "flow/grant_flow.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "oidc/post_logout.h"
#include "oidc/token_cache.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

Settings grant_settings() {
  Settings settings = sample_settings();
  settings.credentials.password = true;
  for (const Alg alg : {Alg::RS256, Alg::ES256}) settings.access_token.algs.add(alg);
  return settings;
}

class GrantFlow : public testing::Test {
 protected:
  GrantFlow() { world_.worker.services.tokens = &cache_; }

  Outcome send(std::string_view pair, std::string_view target = "/api") {
    const auto facts = browser_.fetch(std::string(target));
    facts->authorization = {std::string("Basic ").append(base64_encode(pair))};
    return world_.access(facts);
  }
  // The token endpoint's answer from now on.
  void grant(Json more = Json::object()) {
    Json body = {{"access_token", access_token()}, {"token_type", "Bearer"}, {"expires_in", 300}};
    body.update(more);
    world_.op.token_answer = HttpResponse{200, "application/json", body.dump()};
  }
  void refuse(std::string_view error, int status = 400) {
    const Json body = {{"error", error}};
    world_.op.token_answer = HttpResponse{status, "application/json", body.dump()};
  }
  [[nodiscard]] std::string access_token(const Json& with = Json::object(),
                                         const SigningKey* key = nullptr) const {
    Json claims = {{"iss", kIssuer}, {"sub", "alice"}, {"aud", "api"},
                   {"exp", world_.loop.now() + 300}};
    claims.update(with);
    return (key == nullptr ? world_.op.key : key)->sign({{"typ", "at+jwt"}}, claims);
  }
  [[nodiscard]] std::string id_token(const Json& with = Json::object()) const {
    Json claims = {{"iss", kIssuer}, {"sub", "alice"}, {"aud", kClientId},
                   {"exp", world_.loop.now() + 300}, {"iat", world_.loop.now()}};
    claims.update(with);
    return world_.op.key->sign(Json::object(), claims);
  }
  [[nodiscard]] std::size_t asked() const { return world_.io.count("POST /token"); }

  World world_{grant_settings()};
  TokenCache cache_{{100, 1024 * 1024}};
  Browser browser_;
};

TEST_F(GrantFlow, APasswordPassesAndIsAskedAboutOnce) {
  grant({{"id_token", id_token()}, {"refresh_token", "r"}});
  const Outcome first = send("alice:secret");
  ASSERT_TRUE(passes(first)) << describe(first);
  const SessionRecord& record = first.session->record();
  EXPECT_TRUE(is_token(record));
  EXPECT_TRUE(is_grant(record));
  EXPECT_EQ(record.subject, "alice");
  EXPECT_EQ(record.refresh_token.text(), "r");
  EXPECT_TRUE(first.set_cookies.empty());
  EXPECT_EQ(send("alice:secret").session, first.session);
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(world_.io.count("store"), 0U);
}

TEST_F(GrantFlow, WithoutACacheEachRequestAsks) {
  world_.worker.services.tokens = nullptr;
  grant();
  EXPECT_TRUE(passes(send("alice:secret")));
  EXPECT_TRUE(passes(send("alice:secret")));
  EXPECT_EQ(asked(), 2U);
}

TEST_F(GrantFlow, AWrongPasswordIsRefusedForAMoment) {
  refuse("invalid_grant", 401);
  const Outcome wrong = send("alice:wrong");
  EXPECT_TRUE(denies(wrong, Errc::credential_rejected)) << describe(wrong);
  EXPECT_EQ(World::header(wrong, "WWW-Authenticate"),
            "Basic realm=\"app.example.org\", charset=\"UTF-8\"");
  EXPECT_TRUE(denies(send("alice:wrong"), Errc::credential_rejected));
  EXPECT_EQ(asked(), 1U);
  world_.loop.advance(Milliseconds(11'000));
  grant();
  EXPECT_TRUE(passes(send("alice:wrong")));
}

TEST_F(GrantFlow, GuessesAreCountedByUserAndAddress) {
  refuse("invalid_grant");
  for (int i = 0; i < 10; ++i) {
    const std::string pair((i % 2 == 0 ? "alice:" : "Alice:") + std::to_string(i));
    EXPECT_TRUE(denies(send(pair), Errc::credential_rejected));
  }
  const Outcome throttled = send("alice:next");
  EXPECT_EQ(throttled.status, 429) << describe(throttled);
  EXPECT_EQ(World::header(throttled, "Retry-After"), "60");
  EXPECT_EQ(asked(), 10U);
  EXPECT_TRUE(denies(send("bob:next"), Errc::credential_rejected));
  world_.loop.advance(Milliseconds(61'000));
  grant();
  EXPECT_TRUE(passes(send("alice:next")));
}

TEST_F(GrantFlow, WhereNothingCanBeCountedNobodyGuesses) {
  grant();
  ASSERT_TRUE(passes(send("alice:secret")));
  world_.shared.full = true;
  EXPECT_EQ(send("bob:secret").status, 429);
  EXPECT_EQ(asked(), 1U);
  EXPECT_TRUE(passes(send("alice:secret"))) << "known to be right";
  world_.shared.full = false;
  EXPECT_TRUE(passes(send("bob:secret")));
}

TEST_F(GrantFlow, AnIntrospectionThatIsNotKeptIsMadeEachTime) {
  world_.settings.credentials.introspection = true;
  world_.settings.introspection.cache = false;
  world_.op.metadata["introspection_endpoint"] = "https://op.example.com/introspect";
  world_.op.introspect = [](const Form&) {
    return HttpResponse{200, "application/json", R"({"active":true,"sub":"alice"})"};
  };
  grant({{"access_token", "opaque"}});
  const Outcome first = send("alice:secret");
  ASSERT_TRUE(passes(first)) << describe(first);
  EXPECT_TRUE(passes(send("alice:secret")));
  EXPECT_EQ(asked(), 2U);
  world_.settings.introspection.cache = true;
  EXPECT_TRUE(passes(send("alice:secret")));
  EXPECT_TRUE(passes(send("alice:secret")));
  EXPECT_EQ(asked(), 3U);
}

TEST_F(GrantFlow, HeadersOfTheAnswerGoToEachRequest) {
  world_.settings.token.headers_replay = {"x-quota"};
  grant();
  world_.op.token_answer->headers = {{"x-quota", "7"}, {"x-quota", "a\r\nX-Evil: 1"}};
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(send("alice:secret").headers, (Pairs{{"x-quota", "7"}}));
  EXPECT_EQ(send("alice:secret").headers, (Pairs{{"x-quota", "7"}}));
  EXPECT_EQ(asked(), 1U);
}

TEST_F(GrantFlow, AConfigurationsFaultIsNoGuess) {
  refuse("unauthorized_client");
  for (int i = 0; i < 12; ++i) {
    EXPECT_TRUE(denies(send("alice:" + std::to_string(i)), Errc::credential_rejected));
  }
  EXPECT_EQ(asked(), 12U);
}

TEST_F(GrantFlow, AProviderThatIsAwayLetsNobodyInAndIsAskedAgain) {
  grant();
  world_.io.break_all("POST /token", Fault::error);
  const Outcome away = send("alice:secret");
  EXPECT_TRUE(denies(away, Errc::provider_unreachable)) << describe(away);
  EXPECT_FALSE(World::header(away, "Retry-After").empty());
  world_.io.break_all("POST /token", Fault::refusal);
  EXPECT_TRUE(denies(send("alice:secret"), Errc::provider_overloaded));
  world_.io.repair();
  EXPECT_TRUE(passes(send("alice:secret")));
}

TEST_F(GrantFlow, AnExceptionLetsNobodyIn) {
  grant();
  world_.io.break_all("POST /token", Fault::exception);
  EXPECT_FALSE(passes(send("alice:secret")));
  world_.io.repair();
  EXPECT_TRUE(passes(send("alice:secret")));
}

TEST_F(GrantFlow, EndsBeforeItsToken) {
  grant();
  const auto first = send("alice:secret").session;
  ASSERT_NE(first, nullptr);
  world_.loop.advance(Milliseconds(230'000));
  EXPECT_EQ(send("alice:secret").session, first);
  world_.loop.advance(Milliseconds(20'000));
  grant();
  EXPECT_NE(send("alice:secret").session, first);
  EXPECT_EQ(asked(), 2U);
}

TEST_F(GrantFlow, AnExpiredTokenIsNotKept) {
  world_.settings.credentials.password = true;
  grant({{"access_token", "opaque"}, {"expires_in", 0}});
  send("alice:secret");
  send("alice:secret");
  EXPECT_EQ(asked(), 2U);
}

TEST_F(GrantFlow, TheTokensAreVerified) {
  grant({{"access_token", access_token({{"iss", "https://evil.example"}})}});
  EXPECT_TRUE(denies(send("a:1"), Errc::access_token_iss));
  grant({{"access_token", access_token(Json::object(), &SigningKey::ec("stranger"))}});
  EXPECT_EQ(send("a:2").status, 502);
  grant({{"id_token", id_token({{"aud", "another"}})}});
  EXPECT_TRUE(denies(send("a:3"), Errc::id_token_aud));
  grant({{"id_token", id_token({{"at_hash", "AAAAAAAAAAAAAAAAAAAAAA"}})}});
  EXPECT_TRUE(denies(send("a:4"), Errc::id_token_at_hash));
  grant({{"access_token", access_token({{"exp", world_.loop.now() - 3600}})}});
  EXPECT_TRUE(denies(send("a:5"), Errc::access_token_exp));
  grant({{"access_token", id_token({{"nonce", "n"}})}});
  EXPECT_FALSE(passes(send("a:6")));
}

TEST_F(GrantFlow, ARotatedKeyEndsWhatItVerified) {
  grant();
  ASSERT_TRUE(passes(send("alice:secret")));
  world_.op.key = &SigningKey::ec("second");
  world_.op.published = {&SigningKey::ec("second")};
  grant();
  ASSERT_TRUE(passes(send("bob:secret"))) << "the key set is fetched anew";
  ASSERT_TRUE(passes(send("alice:secret")));
  EXPECT_EQ(asked(), 3U);
}

TEST_F(GrantFlow, AClientComesAsItself) {
  world_.settings.credentials.password = false;
  world_.settings.credentials.client_credentials = true;
  std::string authorization, body;
  world_.op.token_answer.reset();
  EXPECT_TRUE(denies(send("machine:secret"), Errc::credential_rejected)) << "not our secret";
  grant({{"id_token", id_token({{"aud", "machine"}})}});
  EXPECT_TRUE(passes(send("machine:other")));
  grant({{"id_token", id_token()}});
  EXPECT_TRUE(denies(send("machine:third"), Errc::id_token_aud));
}

TEST_F(GrantFlow, ASessionGoesFirst) {
  ASSERT_EQ(world_.log_in(browser_).status, 302);
  refuse("invalid_grant");
  const std::size_t before = asked();
  const Outcome outcome = send("alice:wrong");
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_FALSE(is_token(outcome.session->record()));
  EXPECT_EQ(asked(), before);
  world_.io.break_all("store", Fault::error);
  EXPECT_TRUE(denies(send("alice:wrong"), Errc::store_unavailable)) << "nor in an outage";
}

TEST_F(GrantFlow, InABodyThatWasReadForIt) {
  world_.settings.credentials.password_places = {false, false, true, false};
  grant();
  const auto facts = browser_.fetch("/api");
  facts->method = "POST";
  facts->content_type = "application/x-www-form-urlencoded";
  ScriptedBody body(world_.io, "username=alice&password=secret");
  const Outcome good =
      world_.loop.run(access_flow_with_form(world_.worker.services, facts, body));
  EXPECT_TRUE(passes(good)) << describe(good);
  body.set("username=alice");
  EXPECT_FALSE(passes(world_.loop.run(access_flow_with_form(world_.worker.services, facts, body))));
}

TEST_F(GrantFlow, TheChallengeOffersBasicWhereNobodyLogsIn) {
  EXPECT_EQ(World::header(world_.access(browser_.fetch("/api")), "WWW-Authenticate"), "Bearer");
  world_.settings.credentials.session = world_.settings.credentials.authorization_code = false;
  EXPECT_EQ(World::header(world_.access(browser_.fetch("/api")), "WWW-Authenticate"),
            "Basic realm=\"app.example.org\", charset=\"UTF-8\"");
  world_.settings.credentials.bearer = true;
  EXPECT_EQ(World::header(world_.access(browser_.fetch("/api")), "WWW-Authenticate"),
            "Bearer, Basic realm=\"app.example.org\", charset=\"UTF-8\"");
}

TEST(TokenExtras, OnlyOnePlainLineBecomesAHeader) {
  Settings settings = sample_settings();
  settings.token.headers = {{"x-a", Value{"one\r\nX-Evil: 1", nullptr}}, {"x-b", Value{"b", nullptr}}};
  settings.token.headers_client = {"x-c", "x-d", "x-e"};
  settings.token.post_args = {{"empty", Value{}}, {"given", Value{"1 2", nullptr}}};
  settings.token.post_args_client = {"hint", "device_name", "absent"};
  auto facts = *Browser().fetch("/api?hint=a%0d%0ab");
  facts.token_headers = {{"x-c", "c\x01"}, {"x-d", std::string(600, 'd')}, {"x-e", "e"},
                         {"device-name", "phone"}, {"x-other", "no"}};
  const TokenExtras extras = token_extras(settings, facts, Copies::yes);
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(extras.headers, (Pairs{{"x-b", "b"}, {"x-e", "e"}}));
  EXPECT_EQ(extras.args, (Pairs{{"given", "1 2"}, {"hint", "a\r\nb"}, {"device_name", "phone"}}));
  const TokenExtras fixed = token_extras(settings, facts, Copies::no);
  EXPECT_EQ(fixed.args, (Pairs{{"given", "1 2"}}));
}

}  // namespace
}  // namespace oidc
