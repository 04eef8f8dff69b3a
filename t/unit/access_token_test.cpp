// What the claims of an access token must be; signatures are jwt_test's and verify_test's.
#include "oidc/access_token.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "result_code.h"
#include "session_sample.h"

namespace oidc {
namespace {

using namespace test;

class AccessToken : public testing::Test {
 protected:
  AccessToken() {
    expected_.issuer = kIssuer;
    expected_.now = kNow;
    expected_.leeway = 60;
    jwt_.alg = Alg::RS256;
    jwt_.typ = "at+jwt";
    jwt_.claims = {{"iss", kIssuer}, {"sub", "alice"},     {"aud", "api"},  {"exp", kNow + 300},
                   {"iat", kNow},    {"client_id", "app"}, {"jti", "id"}, {"scope", "read write"}};
  }
  Errc code() {
    const auto checked = check_access_token(jwt_, expected_);
    return checked ? Errc::none : checked.error().code;
  }
  Errc with(const char* name, Json value) {
    const Json before = jwt_.claims;
    jwt_.claims[name] = std::move(value);
    const Errc result = code();
    jwt_.claims = before;
    return result;
  }
  Errc without(const char* name) {
    const Json before = jwt_.claims;
    jwt_.claims.erase(name);
    const Errc result = code();
    jwt_.claims = before;
    return result;
  }
  Errc of_type(const char* typ) {
    jwt_.typ = typ;
    return code();
  }

  AccessTokenExpectations expected_;
  Jwt jwt_;
};

TEST_F(AccessToken, ARightOnePasses) {
  const auto facts = check_access_token(jwt_, expected_);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->subject, "alice");
  EXPECT_EQ(facts->scope, "read write");
  EXPECT_EQ(facts->expires, kNow + 300);
}

TEST_F(AccessToken, WhatProvidersLeaveOutPasses) {
  for (const char* name : {"sub", "iat", "client_id", "jti", "scope", "aud"}) {
    EXPECT_EQ(without(name), Errc::none) << name;
  }
}

TEST_F(AccessToken, StrictRfc9068) {
  expected_.typ = "at+jwt";
  EXPECT_EQ(code(), Errc::none);
  for (const char* name : {"sub", "client_id", "jti"}) {
    EXPECT_EQ(without(name), Errc::access_token_kind) << name;
  }
  EXPECT_EQ(without("iat"), Errc::access_token_iat);
  EXPECT_EQ(of_type("application/AT+JWT"), Errc::none);
  EXPECT_EQ(of_type("JWT"), Errc::access_token_kind);
  EXPECT_EQ(of_type(""), Errc::access_token_kind);
}

TEST_F(AccessToken, OtherKindsByType) {
  for (const char* typ : {"", "JWT", "jwt", "at+jwt", "application/at+jwt"}) {
    EXPECT_EQ(of_type(typ), Errc::none) << typ;
  }
  for (const char* typ : {"logout+jwt", "DPOP+JWT", "application/secevent+jwt", "id_token+jwt"}) {
    EXPECT_EQ(of_type(typ), Errc::access_token_kind) << typ;
  }
}

TEST_F(AccessToken, OtherKindsByClaims) {
  for (const char* name : {"nonce", "at_hash", "c_hash", "s_hash", "events"}) {
    EXPECT_EQ(with(name, nullptr), Errc::access_token_kind) << name;
  }
  for (const char* type : {"ID", "Refresh", "Offline", "Logout"}) {
    EXPECT_EQ(with("typ", type), Errc::access_token_kind) << type;
  }
  EXPECT_EQ(with("typ", "Bearer"), Errc::none);
  for (const Json& use : {Json("id"), Json("refresh_token"), Json("ACCESS"), Json(""), Json(nullptr),
                          Json::array({"access"})}) {
    EXPECT_EQ(with("token_use", use), Errc::access_token_kind) << use;
  }
  EXPECT_EQ(with("token_use", "access"), Errc::none);
  EXPECT_EQ(with("token_use", "access_token"), Errc::none);
}

TEST_F(AccessToken, Issuer) {
  EXPECT_EQ(without("iss"), Errc::access_token_iss);
  EXPECT_EQ(with("iss", std::string(kIssuer) + "/"), Errc::access_token_iss);
  EXPECT_EQ(with("iss", Json::array({std::string(kIssuer)})), Errc::access_token_iss);
  const std::vector<std::string> issuers = {"https://other.test"};
  expected_.issuers = &issuers;
  EXPECT_EQ(code(), Errc::access_token_iss);
  EXPECT_EQ(with("iss", "https://other.test"), Errc::none);
}

TEST_F(AccessToken, Times) {
  EXPECT_EQ(without("exp"), Errc::access_token_exp);
  EXPECT_EQ(with("exp", kNow - 59), Errc::none);
  EXPECT_EQ(with("exp", kNow - 60), Errc::access_token_exp);
  for (const Json& value : {Json("1"), Json(nullptr), Json(-1), Json(1e300), Json(true)}) {
    EXPECT_EQ(with("exp", value), Errc::access_token_exp) << value;
  }
  EXPECT_EQ(with("nbf", kNow + 60), Errc::none);
  EXPECT_EQ(with("nbf", kNow + 61), Errc::access_token_nbf);
  EXPECT_EQ(with("nbf", "x"), Errc::access_token_nbf);
  EXPECT_EQ(with("iat", kNow + 61), Errc::access_token_iat);
  EXPECT_EQ(with("iat", nullptr), Errc::access_token_iat);
}

TEST_F(AccessToken, BoundToAKey) {
  EXPECT_EQ(with("cnf", {{"jkt", "x"}}), Errc::access_token_bound);
  EXPECT_EQ(with("cnf", nullptr), Errc::access_token_bound);
  expected_.ignore_confirmation = true;
  EXPECT_EQ(with("cnf", {{"jkt", "x"}}), Errc::none);
}

TEST_F(AccessToken, Subject) {
  EXPECT_EQ(with("sub", ""), Errc::access_token_kind);
  EXPECT_EQ(with("sub", 5), Errc::access_token_kind);
  EXPECT_EQ(with("sub", std::string(2000, 'x')), Errc::access_token_kind);
}

TEST_F(AccessToken, ScopesAsProvidersWriteThem) {
  const auto scope = [this](const char* name, Json value) {
    jwt_.claims.erase("scope");
    jwt_.claims[name] = std::move(value);
    const auto facts = check_access_token(jwt_, expected_);
    jwt_.claims.erase(name);
    return facts ? facts->scope : std::string("?");
  };
  EXPECT_EQ(scope("scope", {"a", "b"}), "a b");
  EXPECT_EQ(scope("scp", "a b"), "a b");
  EXPECT_EQ(scope("scp", {"a", "b"}), "a b");
  EXPECT_EQ(scope("x", 1), "");
}

TEST_F(AccessToken, WhatIsSaidByIntrospectionIsJudged) {
  const auto judged = [this](Json claims) {
    const auto facts = check_introspected(claims, expected_);
    return facts ? Errc::none : facts.error().code;
  };
  EXPECT_EQ(judged({{"active", true}}), Errc::none);
  EXPECT_EQ(judged({{"active", true}, {"exp", kNow - 100}}), Errc::access_token_exp);
  EXPECT_EQ(judged({{"active", true}, {"iss", "https://other.test"}}), Errc::access_token_iss);
  EXPECT_EQ(judged({{"active", true}, {"nbf", kNow + 100}}), Errc::access_token_nbf);
  EXPECT_EQ(judged({{"active", true}, {"cnf", {{"jkt", "x"}}}}), Errc::access_token_bound);
  EXPECT_EQ(judged({{"active", true}, {"typ", "Refresh"}}), Errc::access_token_kind);
  EXPECT_EQ(judged({{"active", true}, {"sub", 5}}), Errc::access_token_kind);
}

}  // namespace
}  // namespace oidc
