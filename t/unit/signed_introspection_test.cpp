// RFC 9701: answers about tokens that are signed, and encrypted where the provider does so.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "jwe_maker.h"
#include "oidc/introspection.h"
#include "oidc/token_cache.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class SignedIntrospection : public testing::Test {
 protected:
  SignedIntrospection() {
    world_.worker.services.tokens = &cache_;
    Settings& settings = world_.settings;
    settings.credentials.session = settings.credentials.authorization_code = false;
    settings.credentials.introspection = true;
    settings.introspection.accept = kSignedIntrospection;
    settings.introspection.cache = false;
    settings.client.decryption_keys = {key_};
    settings.encryption.accepted = all_encryption();
    world_.op.metadata["introspection_endpoint"] = "https://op.example.com/introspect";
    world_.op.introspect = [this](const Form&) { return answer_; };
    say(claims());
  }
  [[nodiscard]] Json claims() const {
    return {{"iss", kIssuer},
            {"aud", kClientId},
            {"iat", world_.loop.now()},
            {"token_introspection", {{"active", true}, {"sub", "alice"}, {"scope", "read"}}}};
  }
  [[nodiscard]] std::string token(const Json& claims,
                                  const Json& header = {{"typ", "token-introspection+jwt"}}) const {
    return world_.op.key->sign(header, claims);
  }
  void say_raw(const std::string& body) { answer_ = {200, std::string(kSignedIntrospection), body}; }
  void say(const Json& claims) { say_raw(token(claims)); }
  Outcome send() {
    const auto facts = browser_.navigate("/api");
    facts->authorization = {"Bearer opaque"};
    return world_.access(facts);
  }
  std::string refused() {
    const Outcome outcome = send();
    EXPECT_EQ(outcome.kind, Outcome::Kind::deny);
    EXPECT_EQ(outcome.reason, Errc::introspection_invalid) << describe(outcome);
    return outcome.detail;
  }
  std::string refused(const Json& changes) {
    Json all = claims();
    all.merge_patch(changes);
    say(all);
    return refused();
  }

  std::shared_ptr<const DecryptionKey> key_ = decryption_key(kJweRsa);
  World world_;
  TokenCache cache_{{100, 1024 * 1024}};
  Browser browser_;
  HttpResponse answer_;
};

TEST_F(SignedIntrospection, WhatItSaysOfTheTokenCounts) {
  const Outcome outcome = send();
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  EXPECT_EQ(outcome.session->record().subject, "alice");
  EXPECT_EQ(outcome.session->record().scope, "read");
  EXPECT_EQ(Json::parse(outcome.session->record().introspection),
            claims()["token_introspection"]);
  say_raw(token(claims(), {{"typ", "application/Token-Introspection+JWT"}}));
  EXPECT_TRUE(passes(send())) << "a media type, in its long form";
}

TEST_F(SignedIntrospection, ATokenThatIsNotActive) {
  Json all = claims();
  all["token_introspection"] = {{"active", false}};
  say(all);
  EXPECT_EQ(send().reason, Errc::token_inactive);
}

TEST_F(SignedIntrospection, Encrypted) {
  say_raw(encrypted(token(claims()), *key_));
  EXPECT_TRUE(passes(send()));
  world_.settings.encryption.introspection = true;
  EXPECT_TRUE(passes(send()));
  say(claims());
  EXPECT_EQ(refused(), "jwe_missing");
  say_raw(encrypted(claims().dump(), *key_));
  EXPECT_EQ(refused(), "jwt_malformed");
  say_raw(encrypted(token(claims()), *decryption_key(kRfc7516A1Key)));
  EXPECT_EQ(refused(), "jwe_decryption");
  answer_ = {200, "application/json", R"({"active":true})"};
  EXPECT_EQ(refused(), "jwe_missing");
}

TEST_F(SignedIntrospection, PlainAnswersAreNotSigned) {
  answer_ = {200, "application/json", R"({"active":true})"};
  EXPECT_EQ(refused(), "it is not signed");
  answer_ = {200, "application/jwt", token(claims())};
  EXPECT_EQ(refused(), "it is not signed");
}

TEST_F(SignedIntrospection, OtherTokensOfTheProviderAreNoAnswers) {
  for (const Json& header : {Json::object(), Json{{"typ", "JWT"}}, Json{{"typ", "at+jwt"}},
                             Json{{"typ", "xtoken-introspection+jwt"}}}) {
    say_raw(token(claims(), header));
    EXPECT_EQ(refused(), "its typ is not token-introspection+jwt");
  }
}

TEST_F(SignedIntrospection, ItsOwnClaims) {
  EXPECT_EQ(refused({{"iss", "https://other.example.com"}}), "its iss is another issuer");
  EXPECT_EQ(refused({{"iss", nullptr}}), "its iss is another issuer");
  EXPECT_EQ(refused({{"aud", "another"}}), "its aud is not this client");
  EXPECT_EQ(refused({{"aud", nullptr}}), "its aud is not this client");
  EXPECT_EQ(refused({{"iat", nullptr}}), "its iat");
  EXPECT_EQ(refused({{"iat", world_.loop.now() + 3600}}), "its iat");
  EXPECT_EQ(refused({{"exp", world_.loop.now() - 3600}}), "its exp");
  EXPECT_EQ(refused({{"token_introspection", nullptr}}), "no token_introspection");
  EXPECT_EQ(refused({{"token_introspection", "active"}}), "no token_introspection");
  EXPECT_EQ(refused({{"active", true}, {"token_introspection", {{"active", nullptr}}}}), "no active")
      << "what stands outside does not count";
  EXPECT_EQ(refused({{"token_introspection", {{"active", "true"}}}}),
            "active is not true or false");
}

TEST_F(SignedIntrospection, Signatures) {
  std::string spoilt = token(claims());
  spoilt[spoilt.size() / 2] = spoilt[spoilt.size() / 2] == 'A' ? 'B' : 'A';
  say_raw(spoilt);
  EXPECT_EQ(send().reason, Errc::introspection_invalid);
  say_raw(SigningKey::ec("unknown").sign({{"typ", "token-introspection+jwt"}}, claims()));
  EXPECT_EQ(refused(), "jwt_key_unknown");
  say_raw(base64url_encode(R"({"alg":"none","typ":"token-introspection+jwt"})") + "." +
          base64url_encode(claims().dump()) + ".");
  EXPECT_EQ(refused(), "jwt_alg_none");
}

TEST_F(SignedIntrospection, ASharedSecretSignsNoAnswer) {
  world_.settings.token.hs_signatures = true;
  world_.settings.token.id_token_algs.add(Alg::HS256);
  const std::string input =
      base64url_encode(R"({"alg":"HS256","typ":"token-introspection+jwt"})") + "." +
      base64url_encode(claims().dump());
  const Sha256 mac = HmacKey(kClientSecret).sign(input);
  say_raw(input + "." + base64url_encode(as_view(mac)));
  EXPECT_EQ(refused(), "jwt_alg_not_allowed");
}

TEST_F(SignedIntrospection, Failures) {
  answer_ = {503, "", ""};
  EXPECT_EQ(send().reason, Errc::provider_overloaded);
  answer_ = {401, "application/json", "{}"};
  EXPECT_EQ(send().reason, Errc::introspection_invalid);
}

}  // namespace
}  // namespace oidc
