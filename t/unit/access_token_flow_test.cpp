// Requests whose credential is an access token: verified here, or by the provider's word.
#include "flow/access_token_flow.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "oidc/rules.h"
#include "oidc/token_cache.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

Settings bearer_settings() {
  Settings settings = sample_settings();
  settings.credentials.bearer = true;
  for (const Alg alg : {Alg::RS256, Alg::ES256}) settings.access_token.algs.add(alg);
  return settings;
}

class TokenFlow : public testing::Test {
 protected:
  TokenFlow() { world_.worker.services.tokens = &cache_; }

  [[nodiscard]] Json claims() const {
    return {{"iss", kIssuer}, {"sub", "alice"}, {"aud", "api"}, {"exp", world_.loop.now() + 300}};
  }
  [[nodiscard]] std::string token(const Json& with = Json::object(),
                                  const SigningKey* key = nullptr) const {
    Json all = claims();
    all.update(with);
    return (key == nullptr ? world_.op.key : key)->sign({{"typ", "at+jwt"}}, all);
  }
  Outcome send(const std::string& token) {
    const auto facts = browser_.navigate("/api");
    facts->authorization = {"Bearer " + token};
    return world_.access(facts);
  }
  void introspection(bool also_bearer = false) {
    world_.settings.credentials.bearer = also_bearer;
    world_.settings.credentials.introspection = true;
    world_.op.metadata["introspection_endpoint"] = "https://op.example.com/introspect";
    world_.op.introspect = [this](const Form& form) {
      asked_.push_back(form.encode());
      return answer_;
    };
  }
  void say(Json answer) { answer_ = {200, "application/json", answer.dump()}; }
  [[nodiscard]] std::size_t asked() const { return world_.io.count("POST /introspect"); }

  World world_{bearer_settings()};
  TokenCache cache_{{100, 1024 * 1024}};
  Browser browser_;
  HttpResponse answer_{200, "application/json", R"({"active":true,"sub":"alice"})"};
  std::vector<std::string> asked_;
};

bool refuses(const Outcome& outcome, int status, Errc reason) {
  return outcome.kind == Outcome::Kind::deny && outcome.status == status &&
         outcome.reason == reason;
}

TEST_F(TokenFlow, AGoodTokenPassesWithoutAStore) {
  const std::string good = token();
  const Outcome outcome = send(good);
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_TRUE(is_token(outcome.session->record()));
  EXPECT_EQ(outcome.session->record().subject, "alice");
  EXPECT_EQ(outcome.session->record().access_token, good);
  EXPECT_TRUE(outcome.set_cookies.empty());
  EXPECT_EQ(world_.io.count("store"), 0U);
}

TEST_F(TokenFlow, TheSecondTimeNothingIsVerified) {
  const std::string good = token();
  const Outcome first = send(good);
  const Outcome second = send(good);
  ASSERT_TRUE(passes(first) && passes(second));
  EXPECT_EQ(first.session, second.session);
}

TEST_F(TokenFlow, AnEntryEndsAtFiveMinutesAndAtExp) {
  const std::string lasting = token({{"exp", world_.loop.now() + 3000}});
  const std::string ending = token({{"exp", world_.loop.now() + 20}});
  const auto first = send(lasting).session;
  EXPECT_TRUE(passes(send(ending)));
  world_.loop.advance(Milliseconds(21'000));
  EXPECT_TRUE(passes(send(ending))) << "leeway";
  EXPECT_EQ(cache_.find(world_.settings, ending, world_.loop.now(),
                        world_.worker.provider.keys_version()),
            nullptr);
  EXPECT_EQ(send(lasting).session, first);
  world_.loop.advance(Milliseconds(280'000));
  const Outcome later = send(lasting);
  ASSERT_TRUE(passes(later));
  EXPECT_NE(later.session, first);
  EXPECT_TRUE(refuses(send(ending), 401, Errc::access_token_exp));
}

TEST_F(TokenFlow, ALongestTimeMayBeSet) {
  world_.settings.access_token.cache_max = 7;
  const std::string lasting = token({{"exp", world_.loop.now() + 3000}});
  const auto first = send(lasting).session;
  world_.loop.advance(Milliseconds(6'000));
  EXPECT_EQ(send(lasting).session, first);
  world_.loop.advance(Milliseconds(1'000));
  EXPECT_NE(send(lasting).session, first);
}

TEST_F(TokenFlow, TheSignersKeyIsKeptWhereItIsWanted) {
  ASSERT_TRUE(passes(send(token())));
  EXPECT_EQ(send(token()).session->record().jwk, "");
  world_.settings.headers.keep_jwk = true;
  const Outcome outcome = send(token({{"jti", "another"}}));
  ASSERT_TRUE(passes(outcome));
  const Json jwk = Json::parse(outcome.session->record().jwk);
  EXPECT_EQ(jwk["kid"], world_.op.key->kid());
  EXPECT_FALSE(jwk.contains("d"));
}

TEST_F(TokenFlow, ARotatedKeyEndsWhatItVerified) {
  const std::string old = token();
  ASSERT_TRUE(passes(send(old)));
  world_.op.key = &SigningKey::ec("second");
  world_.op.published = {&SigningKey::ec("second")};
  ASSERT_TRUE(passes(send(token()))) << "the key set is fetched anew";
  EXPECT_TRUE(refuses(send(old), 401, Errc::jwt_key_unknown));
}

TEST_F(TokenFlow, UnknownKeysFetchOnceAndLeaveLoginsTheirFetch) {
  ASSERT_TRUE(passes(send(token())));
  world_.io.forget();
  for (int i = 0; i < 5; ++i) {
    const std::string wrong = token(Json::object(), &SigningKey::ec("stranger-" + std::to_string(i)));
    EXPECT_TRUE(refuses(send(wrong), 401, Errc::jwt_key_unknown));
  }
  EXPECT_EQ(world_.io.count("GET /jwks"), 1U);
  world_.op.key = &SigningKey::ec("second");
  world_.op.published = {&SigningKey::ec("second")};
  EXPECT_EQ(world_.log_in(browser_).reason, Errc::none);
}

TEST_F(TokenFlow, AFaultOfTheTokenIsTheClients) {
  const Outcome outcome = send("junk");
  EXPECT_TRUE(refuses(outcome, 401, Errc::jwt_malformed)) << describe(outcome);
  EXPECT_TRUE(World::header(outcome, "WWW-Authenticate").starts_with("Bearer error=\"invalid_token\""));
  EXPECT_TRUE(refuses(send("a b"), 400, Errc::credential_malformed));
}

TEST_F(TokenFlow, AProviderThatIsDownIsNoFaultOfTheToken) {
  world_.io.break_all("GET", Fault::error);
  const Outcome outcome = send(token());
  EXPECT_TRUE(refuses(outcome, 503, Errc::discovery_unavailable)) << describe(outcome);
  EXPECT_EQ(World::header(outcome, "WWW-Authenticate"), "");
}

TEST_F(TokenFlow, AWrongTokenIsNeverALoginNorAnonymousNorTheSession) {
  world_.log_in(browser_);
  world_.settings.unauthenticated = Unauthenticated::pass;
  EXPECT_TRUE(refuses(send("junk"), 401, Errc::jwt_malformed));
  world_.settings.unauthenticated = Unauthenticated::redirect;
  EXPECT_TRUE(refuses(send("junk"), 401, Errc::jwt_malformed));
}

TEST_F(TokenFlow, WithoutLoginsNobodyIsSentAway) {
  world_.settings.credentials.session = world_.settings.credentials.authorization_code = false;
  EXPECT_TRUE(denies(world_.visit(browser_, "/"), Errc::unauthenticated));
}

TEST_F(TokenFlow, WhereTokensAreOffTheHeaderIsNothing) {
  world_.settings.credentials.bearer = false;
  EXPECT_TRUE(starts_login(send("junk")));
}

TEST_F(TokenFlow, RulesRefuseAndSayWhatIsMissing) {
  RuleSet rules;
  WordsRule audience{"oidc_audience_required", {"aud", *ClaimPath::parse("aud")}, {{"api"}},
                     Errc::forbidden};
  WordsRule scopes{"oidc_scopes_required", {"scope", *ClaimPath::parse("scope")},
                   {{"read", "admin"}}, Errc::scope_insufficient};
  rules.words = {audience, scopes};
  world_.settings.rules = std::make_shared<const Rules>(std::move(rules));
  EXPECT_TRUE(refuses(send(token({{"aud", "other"}})), 401, Errc::access_token_aud));
  const std::string weak = token({{"scope", "read"}});
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = send(weak);
    EXPECT_TRUE(refuses(outcome, 403, Errc::scope_insufficient)) << describe(outcome);
    const std::string challenge = World::header(outcome, "WWW-Authenticate");
    EXPECT_NE(challenge.find("error=\"insufficient_scope\""), std::string::npos);
    EXPECT_NE(challenge.find("scope=\"read admin\""), std::string::npos);
  }
  EXPECT_TRUE(passes(send(token({{"scope", "admin read"}}))));
}

// ---- introspection --------------------------------------------------------------------------------

TEST_F(TokenFlow, AnOpaqueTokenIsAskedAbout) {
  introspection();
  const Outcome outcome = send("opaque");
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_EQ(outcome.session->record().method, static_cast<std::uint8_t>(Method::introspection));
  EXPECT_EQ(outcome.session->record().subject, "alice");
  EXPECT_EQ(asked_.front(), "token=opaque&token_type_hint=access_token");
  EXPECT_TRUE(passes(send("opaque")));
  EXPECT_EQ(asked(), 1U);
  world_.loop.advance(Milliseconds(60'000));
  EXPECT_TRUE(passes(send("opaque")));
  EXPECT_EQ(asked(), 2U);
}

TEST_F(TokenFlow, AnInactiveTokenIsRememberedForTenSeconds) {
  introspection();
  say({{"active", false}});
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(refuses(send("opaque"), 401, Errc::token_inactive));
  EXPECT_EQ(asked(), 1U);
  world_.loop.advance(Milliseconds(10'000));
  say({{"active", true}});
  EXPECT_TRUE(passes(send("opaque")));
}

TEST_F(TokenFlow, ARefusalIsKeptForAsLongAsIsSet) {
  introspection();
  say({{"active", false}});
  world_.settings.access_token.cache_negative = 0;
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(refuses(send("opaque"), 401, Errc::token_inactive));
  EXPECT_EQ(asked(), 2U);
  world_.settings.access_token.cache_negative = 30;
  EXPECT_TRUE(refuses(send("opaque"), 401, Errc::token_inactive));
  world_.loop.advance(Milliseconds(29'000));
  EXPECT_TRUE(refuses(send("opaque"), 401, Errc::token_inactive));
  EXPECT_EQ(asked(), 3U);
  world_.loop.advance(Milliseconds(1'000));
  EXPECT_TRUE(refuses(send("opaque"), 401, Errc::token_inactive));
  EXPECT_EQ(asked(), 4U);
}

TEST_F(TokenFlow, ALongestTimeNeverLengthensAnAnswer) {
  introspection();
  world_.settings.access_token.cache_max = 3000;
  EXPECT_TRUE(passes(send("opaque")));
  world_.loop.advance(Milliseconds(60'000));
  EXPECT_TRUE(passes(send("opaque")));
  EXPECT_EQ(asked(), 2U);
}

TEST_F(TokenFlow, ItsExpEndsTheEntry) {
  introspection();
  say({{"active", true}, {"exp", world_.loop.now() + 5}});
  EXPECT_TRUE(passes(send("opaque")));
  world_.loop.advance(Milliseconds(5000));
  say({{"active", false}});
  EXPECT_TRUE(refuses(send("opaque"), 401, Errc::token_inactive));
}

TEST_F(TokenFlow, WithoutTheCacheEachRequestAsks) {
  introspection();
  world_.settings.introspection.cache = false;
  EXPECT_TRUE(passes(send("opaque")));
  EXPECT_TRUE(passes(send("opaque")));
  EXPECT_EQ(asked(), 2U);
}

TEST_F(TokenFlow, ManyAskAtOnceAndOneCallIsMade) {
  introspection();
  std::vector<std::unique_ptr<Root<Outcome>>> roots;
  for (int i = 0; i < 20; ++i) {
    const auto facts = browser_.navigate("/api");
    facts->authorization = {"Bearer opaque"};
    roots.push_back(std::make_unique<Root<Outcome>>(access_flow(world_.worker.services, facts)));
  }
  roots[0]->cancel();  // the one that began it
  world_.settle();
  for (std::size_t i = 1; i < roots.size(); ++i) {
    ASSERT_TRUE(roots[i]->ended());
    EXPECT_TRUE(passes(roots[i]->take()));
  }
  EXPECT_EQ(asked(), 1U);
}

TEST_F(TokenFlow, AnswersThatSayNothingAreNoYes) {
  introspection();
  const auto judged = [this](HttpResponse answer) {
    answer_ = std::move(answer);
    return send("opaque");
  };
  const char* json = "application/json";
  const char* html = "text/html";
  for (const char* body : {"", "{}", "[]", "true", "{\"active\":\"true\"}", "{\"active\":1}",
                           "{\"active\":null}", "{\"active\":true,\"active\":true}", "{\"active\":tru"}) {
    EXPECT_TRUE(refuses(judged({200, json, body}), 502, Errc::introspection_invalid)) << body;
  }
  EXPECT_TRUE(refuses(judged({200, html, "{\"active\":true}"}), 502, Errc::introspection_invalid));
  for (const int status : {201, 204, 302, 400, 401, 403, 404}) {
    EXPECT_TRUE(refuses(judged({status, json, "{\"active\":true}"}), 502,
                        Errc::introspection_invalid))
        << status;
  }
  for (const int status : {429, 500, 503}) {
    EXPECT_TRUE(refuses(judged({status, json, "{\"active\":true}"}), 503,
                        Errc::provider_overloaded))
        << status;
  }
  EXPECT_TRUE(passes(judged({200, json, "{\"active\":true}"})));
}

TEST_F(TokenFlow, AMissingActiveMayCountAndAFalseOneNever) {
  introspection();
  world_.settings.introspection.check_active = false;
  say({{"sub", "alice"}});
  EXPECT_TRUE(passes(send("opaque")));
  say({{"active", false}});
  EXPECT_TRUE(refuses(send("another"), 401, Errc::token_inactive));
}

TEST_F(TokenFlow, AProviderWithoutTheEndpointIsSaidSo) {
  introspection();
  world_.op.metadata.erase("introspection_endpoint");
  EXPECT_TRUE(refuses(send("opaque"), 502, Errc::introspection_invalid));
}

TEST_F(TokenFlow, AnIdTokenIsNoneThoughItsProviderKnowsIt) {
  introspection();
  EXPECT_TRUE(refuses(send(token({{"nonce", "n"}})), 401, Errc::access_token_kind));
  EXPECT_EQ(asked(), 0U);
}

TEST_F(TokenFlow, OnlyTheAnswersClaimsCountWhereNobodyVerified) {
  introspection();
  RuleSet rules;
  rules.words = {{"oidc_audience_required", {"aud", *ClaimPath::parse("aud")}, {{"api"}},
                  Errc::forbidden}};
  world_.settings.rules = std::make_shared<const Rules>(std::move(rules));
  EXPECT_TRUE(refuses(send(token()), 401, Errc::access_token_aud)) << "the JWT's own aud";
  say({{"active", true}, {"aud", "api"}});
  EXPECT_TRUE(passes(send(token({{"jti", "2"}, {"aud", "other"}}))));
}

TEST_F(TokenFlow, WithBothMethodsJwtsAreVerifiedAndOpaqueOnesAskedAbout) {
  introspection(true);
  EXPECT_TRUE(passes(send(token())));
  EXPECT_EQ(asked(), 0U);
  EXPECT_TRUE(passes(send("opaque")));
  EXPECT_EQ(asked(), 1U);
  EXPECT_TRUE(refuses(send(token(Json::object(), &SigningKey::ec("stranger"))), 401, Errc::jwt_key_unknown));
  EXPECT_EQ(asked(), 1U);
}

TEST_F(TokenFlow, JwtsAreIntrospectedTooWhereThatIsSaid) {
  introspection(true);
  world_.settings.introspection.jwts = true;
  EXPECT_TRUE(passes(send(token())));
  EXPECT_EQ(asked(), 1U);
  say({{"active", false}});
  EXPECT_TRUE(refuses(send(token({{"jti", "revoked"}})), 401, Errc::token_inactive));
  EXPECT_TRUE(refuses(send(token({{"exp", world_.loop.now() - 100}})), 401,
                      Errc::access_token_exp));
  EXPECT_EQ(asked(), 2U) << "a JWT that is over is not asked about";
  say({{"active", true}, {"sub", "bob"}});
  EXPECT_TRUE(refuses(send(token({{"jti", "3"}})), 502, Errc::introspection_invalid));
}

}  // namespace
}  // namespace oidc
