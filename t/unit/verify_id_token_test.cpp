// Which signatures are believed: algorithm, type, key; and the provider that changes its keys.
#include <gtest/gtest.h>

#include <string>

#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class VerifyIdToken : public testing::Test {
 protected:
  Json claims() {
    return {{"iss", kIssuer},           {"sub", "alice"},
            {"aud", kClientId},         {"exp", world_.loop.now() + 300},
            {"iat", world_.loop.now()}, {"nonce", "the-nonce"}};
  }
  Errc verify(std::string token) {
    IdTokenDemand demand;
    demand.nonce = "the-nonce";
    return code_of(
        world_.loop.run(verify_id_token(world_.worker.services, std::move(token), demand)));
  }
  Errc verify_with_header(const Json& header) {
    return verify(SigningKey::ec("first").sign(header, claims()));
  }
  std::string hs256(std::string_view secret) {
    const Json header = {{"alg", "HS256"}};
    const std::string input =
        base64url_encode(header.dump()) + "." + base64url_encode(claims().dump());
    const Sha256 mac = HmacKey(secret).sign(input);
    return input + "." + base64url_encode(as_view(mac));
  }

  World world_;
};

TEST_F(VerifyIdToken, OfAPublishedKey) {
  EXPECT_EQ(verify_with_header(Json::object()), Errc::none);
  world_.op.published = {&SigningKey::ec("first"), &SigningKey::rsa("rsa")};
  World rsa;
  rsa.op.published = {&SigningKey::rsa("rsa")};
  IdTokenDemand demand;
  demand.nonce = "the-nonce";
  const std::string token = SigningKey::rsa("rsa").sign(Json::object(), claims());
  EXPECT_TRUE(rsa.loop.run(verify_id_token(rsa.worker.services, token, demand)));
}

TEST_F(VerifyIdToken, OnlyConfiguredAlgorithms) {
  world_.settings.token.id_token_algs = {};
  world_.settings.token.id_token_algs.add(Alg::RS256);
  EXPECT_EQ(verify_with_header(Json::object()), Errc::jwt_alg_not_allowed);
}

TEST_F(VerifyIdToken, OnlyAnnouncedAlgorithms) {
  world_.op.metadata["id_token_signing_alg_values_supported"] = {"RS256"};
  EXPECT_EQ(verify_with_header(Json::object()), Errc::jwt_alg_not_allowed);
}

TEST_F(VerifyIdToken, NeverUnsigned) {
  const std::string none =
      base64url_encode(R"({"alg":"none"})") + "." + base64url_encode(claims().dump()) + ".";
  EXPECT_EQ(verify(none), Errc::jwt_alg_none);
  EXPECT_EQ(verify(none + "AAAA"), Errc::jwt_alg_none);
}

TEST_F(VerifyIdToken, SymmetricOnlyIfConfiguredAndWithTheSecret) {
  for (const Alg alg : {Alg::HS256, Alg::RS256}) world_.settings.token.id_token_algs.add(alg);
  EXPECT_EQ(verify(hs256(kClientSecret)), Errc::jwt_alg_not_allowed);
  world_.settings.token.hs_signatures = true;
  EXPECT_EQ(verify(hs256(kClientSecret)), Errc::none);
  EXPECT_EQ(verify(hs256("another secret, also of thirty-two characters")), Errc::jwt_signature);
  // The public key as the secret: RFC 8725 section 2.1.
  EXPECT_EQ(verify(hs256(SigningKey::ec("first").jwk().dump())), Errc::jwt_signature);
}

TEST_F(VerifyIdToken, NoTokenOfAnotherType) {
  for (const char* type : {"at+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt"}) {
    EXPECT_EQ(verify_with_header({{"typ", type}}), Errc::jwt_typ) << type;
  }
  for (const char* type : {"JWT", "jwt"}) {
    EXPECT_EQ(verify_with_header({{"typ", type}}), Errc::none) << type;
  }
}

// RFC 7515 section 4.1.9: compared as media types, so without case, "application/" left out.
TEST_F(VerifyIdToken, TypesAreComparedAsMediaTypes) {
  for (const char* type : {"AT+JWT", "application/at+jwt", "Logout+Jwt"}) {
    EXPECT_EQ(verify_with_header({{"typ", type}}), Errc::jwt_typ) << type;
  }
}

TEST_F(VerifyIdToken, KeysInTheHeaderAreNeverUsed) {
  const SigningKey& evil = SigningKey::ec("evil");
  for (const char* member : {"jwk", "jku", "x5u", "x5c"}) {
    Json header = {{"kid", "first"}};
    header[member] = std::string(member) == "jwk" ? evil.jwk() : Json("https://evil.example/");
    EXPECT_EQ(verify(evil.sign(header, claims())), Errc::jwt_signature) << member;
  }
  EXPECT_EQ(verify_with_header({{"crit", {"x"}}}), Errc::jwt_crit);
}

TEST_F(VerifyIdToken, OfANewKeyFetchesTheKeysOnce) {
  ASSERT_EQ(verify_with_header(Json::object()), Errc::none);
  world_.op.published.push_back(&SigningKey::ec("second"));
  EXPECT_EQ(verify(SigningKey::ec("second").sign(Json::object(), claims())), Errc::none);
  EXPECT_EQ(world_.io.count("GET /jwks"), 2U);
  EXPECT_EQ(verify(SigningKey::ec("second").sign(Json::object(), claims())), Errc::none);
  EXPECT_EQ(world_.io.count("GET /jwks"), 2U);
}

TEST_F(VerifyIdToken, OfANewKeyUnderAnOldNameToo) {
  ASSERT_EQ(verify_with_header(Json::object()), Errc::none);
  world_.op.published = {&SigningKey::ec("renewed")};
  const Json header = {{"kid", "renewed"}};
  EXPECT_EQ(verify(SigningKey::ec("renewed").sign(header, claims())), Errc::none);
}

TEST_F(VerifyIdToken, OfAnUnknownKeyAsksNoMoreThanAllowed) {
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(verify(SigningKey::ec("evil").sign(Json::object(), claims())), Errc::jwt_key_unknown);
  }
  EXPECT_EQ(world_.io.count("GET /jwks"), 2U);
}

TEST_F(VerifyIdToken, WhatIsNoJwt) {
  for (const char* token : {"", "x", "a.b.c", "..", "a.b.c.d.e"}) {
    EXPECT_EQ(verify(token), Errc::jwt_malformed) << token;
  }
  EXPECT_EQ(verify(std::string(100'000, 'a')), Errc::jwt_malformed);
  EXPECT_TRUE(world_.io.calls().empty());
}

}  // namespace
}  // namespace oidc
