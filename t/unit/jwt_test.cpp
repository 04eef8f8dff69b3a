#include <gtest/gtest.h>

#include <string>

#include "jose_vectors.h"
#include "oidc/base64url.h"
#include "oidc/jose.h"

namespace oidc {
namespace {

using namespace std::string_view_literals;

std::string token(std::string_view header, std::string_view payload = R"({"sub":"alice"})",
                  std::string_view signature = "signature") {
  return base64url_encode(header) + "." + base64url_encode(payload) + "." +
         base64url_encode(signature);
}

Errc refusal(const std::string& compact) {
  const Result<Jwt> jwt = parse_jwt(compact);
  return jwt ? Errc::none : jwt.error().code;
}

TEST(ParseJwt, TheRfcsExample) {
  const Result<Jwt> jwt = parse_jwt(test::kRfc7515A1Token);
  ASSERT_TRUE(jwt);
  EXPECT_EQ(jwt->alg, Alg::HS256);
  EXPECT_EQ(jwt->typ, "JWT");
  EXPECT_EQ(jwt->kid, "");
  EXPECT_EQ(jwt->claims["iss"], "joe");
  EXPECT_EQ(jwt->claims["exp"], 1300819380);
  EXPECT_EQ(jwt->claims["http://example.com/is_root"], true);
  EXPECT_EQ(jwt->signature.size(), 32U);
  EXPECT_EQ(jwt->signing_input, test::kRfc7515A1Token.substr(0, test::kRfc7515A1Token.rfind('.')));
}

TEST(ParseJwt, HeaderMembers) {
  const Result<Jwt> jwt = parse_jwt(
      token(R"({"alg":"ES256","kid":"k1","typ":"at+jwt","jwk":{},"jku":"https://evil.test"})"));
  ASSERT_TRUE(jwt);
  EXPECT_EQ(jwt->kid, "k1");
  EXPECT_EQ(jwt->typ, "at+jwt");
  EXPECT_TRUE(jwt->header.contains("jku"));
}

TEST(ParseJwt, ExactlyThreeParts) {
  const std::string good = token(R"({"alg":"RS256"})");
  EXPECT_EQ(refusal(good), Errc::none);
  for (const std::string& compact :
       {std::string(), std::string("."), std::string(".."), std::string("..."),
        good.substr(0, good.rfind('.')), good + ".", good + ".x", "." + good, good + "." + good,
        "a.b.c.d.e" + std::string()}) {
    EXPECT_EQ(refusal(compact), Errc::jwt_malformed) << compact;
  }
}

TEST(ParseJwt, EachPartIsStrictBase64url) {
  const std::string header = base64url_encode(R"({"alg":"RS256"})");
  const std::string payload = base64url_encode(R"({"sub":"a"})");
  EXPECT_EQ(refusal(header + "." + payload + ".Zm8"), Errc::none);
  EXPECT_EQ(refusal(header + "=." + payload + ".Zm8"), Errc::jwt_malformed);
  EXPECT_EQ(refusal(header + "." + payload + "=.Zm8"), Errc::jwt_malformed);
  EXPECT_EQ(refusal(header + "." + payload + ".Zm8="), Errc::jwt_malformed);
  EXPECT_EQ(refusal(header + "." + payload + ".Zm9"), Errc::jwt_malformed);
  EXPECT_EQ(refusal(header + "." + payload + ".+/+/"), Errc::jwt_malformed);
  EXPECT_EQ(refusal(header + "." + payload + ".Zm8 "), Errc::jwt_malformed);
  EXPECT_EQ(refusal(" " + header + "." + payload + ".Zm8"), Errc::jwt_malformed);
  EXPECT_EQ(refusal(header + "." + payload + ".Zm8\n"), Errc::jwt_malformed);
  EXPECT_EQ(refusal(header + "." + payload + std::string(".Zm8\0", 5)), Errc::jwt_malformed);
}

TEST(ParseJwt, NoneIsRefusedInEverySpelling) {
  for (const std::string_view alg : {"none"sv, "None"sv, "NONE"sv, "nOnE"sv}) {
    const std::string header = R"({"alg":")" + std::string(alg) + "\"}";
    EXPECT_EQ(refusal(token(header)), Errc::jwt_alg_none) << alg;
    EXPECT_EQ(refusal(token(header, R"({"sub":"a"})", "")), Errc::jwt_alg_none) << alg;
  }
  EXPECT_EQ(refusal(token("{\"alg\":\"\\u006eone\"}")), Errc::jwt_alg_none);
}

TEST(ParseJwt, UnknownAlgorithms) {
  for (const std::string_view alg :
       {""sv, "RS1"sv, "rs256"sv, "RS256 "sv, "HS1"sv, "ES256K"sv, "RSA-OAEP"sv, "dir"sv, "Ed448"sv,
        "nonee"sv, "non"sv, "n0ne"sv, "NONE\\u0000"sv, "\\u000e\\u000f\\u000e\\u0005"sv}) {
    EXPECT_EQ(refusal(token(R"({"alg":")" + std::string(alg) + "\"}")), Errc::jwt_alg_not_allowed)
        << alg;
  }
}

TEST(ParseJwt, AlgIsARequiredString) {
  for (const std::string_view header :
       {"{}"sv, R"({"alg":null})"sv, R"({"alg":1})"sv, R"({"alg":["RS256"]})"sv,
        R"({"Alg":"RS256"})"sv, R"({"alg":"RS256","alg":"none"})"sv}) {
    EXPECT_EQ(refusal(token(header)), Errc::jwt_malformed) << header;
  }
}

TEST(ParseJwt, CriticalExtensionsAreNotUnderstood) {
  for (const std::string_view header :
       {R"({"alg":"RS256","crit":["exp"]})"sv, R"({"alg":"RS256","crit":[]})"sv,
        R"({"alg":"RS256","crit":null})"sv, R"({"alg":"RS256","b64":false})"sv,
        R"({"alg":"RS256","b64":true})"sv, R"({"alg":"RS256","b64":false,"crit":["b64"]})"sv}) {
    EXPECT_EQ(refusal(token(header)), Errc::jwt_crit) << header;
  }
}

TEST(ParseJwt, MembersOfAnotherTypeAreMalformed) {
  for (const std::string_view header :
       {R"({"alg":"RS256","kid":1})"sv, R"({"alg":"RS256","kid":null})"sv,
        R"({"alg":"RS256","typ":["JWT"]})"sv, R"({"alg":"RS256","zip":"DEF"})"sv,
        R"(["alg","RS256"])"sv, R"("alg")"sv, "null"sv, ""sv, "{"sv, R"({"alg":"RS256"}x)"sv}) {
    EXPECT_EQ(refusal(token(header)), Errc::jwt_malformed) << header;
  }
}

TEST(ParseJwt, ThePayloadIsAnObject) {
  for (const std::string_view payload :
       {""sv, "[]"sv, "null"sv, "\"x\""sv, "Payload"sv, R"({"sub":"a","sub":"b"})"sv,
        "{\"sub\":\"\xff\"}"sv, "{}\0"sv}) {
    EXPECT_EQ(refusal(token(R"({"alg":"RS256"})", payload)), Errc::jwt_malformed) << payload;
  }
}

TEST(ParseJwt, AnEmptySignatureParses) {
  const Result<Jwt> jwt = parse_jwt(token(R"({"alg":"RS256"})", "{}", ""));
  ASSERT_TRUE(jwt);
  EXPECT_EQ(jwt->signature, "");
}

TEST(ParseJwt, Limit) {
  const std::string compact = token(R"({"alg":"RS256"})");
  EXPECT_TRUE(parse_jwt(compact, JwtLimits{.max_bytes = compact.size()}));
  const Result<Jwt> jwt = parse_jwt(compact, JwtLimits{.max_bytes = compact.size() - 1});
  ASSERT_FALSE(jwt);
  EXPECT_EQ(jwt.error().code, Errc::jwt_malformed);
}

TEST(ParseJwt, DeepNestingIsRefused) {
  const std::string deep = "{\"a\":" + std::string(30000, '[') + std::string(30000, ']') + "}";
  EXPECT_EQ(
      parse_jwt(token(R"({"alg":"RS256"})", deep), JwtLimits{.max_bytes = 1 << 20}).error().code,
      Errc::jwt_malformed);
}

TEST(Alg, NamesComeBack) {
  for (const Alg alg :
       {Alg::RS256, Alg::RS384, Alg::RS512, Alg::PS256, Alg::PS384, Alg::PS512, Alg::ES256,
        Alg::ES384, Alg::ES512, Alg::EdDSA, Alg::Ed25519, Alg::HS256, Alg::HS384, Alg::HS512}) {
    EXPECT_EQ(parse_alg(to_string(alg)), alg);
  }
  EXPECT_EQ(parse_alg("none"), std::nullopt);
  EXPECT_EQ(parse_alg(""), std::nullopt);
}

TEST(AlgSet, HasWhatWasAdded) {
  AlgSet one;
  EXPECT_TRUE(one.empty());
  one.add(Alg::RS256);
  one.add(Alg::HS512);
  AlgSet other;
  other.add(Alg::HS512);
  other.add(Alg::ES256);
  const AlgSet both = one.intersect(other);
  EXPECT_TRUE(both.has(Alg::HS512));
  EXPECT_FALSE(both.has(Alg::RS256) || both.has(Alg::ES256));
  EXPECT_TRUE(one.has(Alg::RS256));
}

}  // namespace
}  // namespace oidc
