// The userinfo endpoint's answer by itself.
#include "oidc/userinfo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "signing_key.h"

namespace oidc {
namespace {

using test::SigningKey;

constexpr std::string_view kPlain = "application/json";
constexpr Seconds kNow = 1'000'000;

HttpResponse plain(std::string body, int status = 200, std::string type = "application/json") {
  return {status, std::move(type), std::move(body)};
}
HttpResponse signed_with(const Json& claims, Json header = Json::object()) {
  return {200, "application/jwt", SigningKey::ec("first").sign(std::move(header), claims)};
}
Errc code_of(const HttpResponse& response, std::string_view accept = kPlain) {
  const Result<UserinfoAnswer> answer = read_userinfo(response, accept);
  return answer ? Errc::none : answer.error().code;
}

TEST(Userinfo, TheRequest) {
  const HttpRequest request = userinfo_request("https://op.test/u", "application/jwt", "t0k3n");
  EXPECT_FALSE(request.post);
  EXPECT_EQ(request.url, "https://op.test/u");
  EXPECT_EQ(request.accept, "application/jwt");
  EXPECT_EQ(request.authorization.view(), "Bearer t0k3n");
  EXPECT_EQ(request.body.size(), 0U);
  EXPECT_EQ(request.max_body, kMaxUserinfo);
}

TEST(Userinfo, APlainAnswer) {
  const Result<UserinfoAnswer> answer = read_userinfo(plain(R"({"sub":"alice"})"), kPlain);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->jwt, nullptr);
  EXPECT_EQ(answer->claims["sub"], "alice");
}

TEST(Userinfo, ASignedAnswerIsNotVerifiedYet) {
  for (const std::string_view accept : {kPlain, kSignedUserinfo}) {
    const Result<UserinfoAnswer> answer = read_userinfo(signed_with({{"sub", "alice"}}), accept);
    ASSERT_TRUE(answer);
    ASSERT_NE(answer->jwt, nullptr);
    EXPECT_EQ(answer->claims["sub"], "alice");
  }
}

TEST(Userinfo, WhatIsNoAnswer) {
  for (const char* body : {"", "[]", "null", "\"alice\"", "{", R"({"sub":"a","sub":"b"})",
                           R"({"sub":"alice"} x)"}) {
    EXPECT_EQ(code_of(plain(body)), Errc::userinfo_invalid) << body;
  }
  const std::string good = R"({"sub":"alice"})";
  EXPECT_EQ(code_of(plain(good, 200, "text/html")), Errc::userinfo_invalid);
  EXPECT_EQ(code_of(plain(good, 200, "")), Errc::userinfo_invalid);
  EXPECT_EQ(code_of(plain(good, 200, "application/jwt")), Errc::userinfo_invalid);
  EXPECT_EQ(code_of(plain(good), kSignedUserinfo), Errc::userinfo_invalid) << "it must be signed";
  EXPECT_EQ(code_of(plain("{\"sub\":\"" + std::string(kMaxUserinfo, 'a') + "\"}")),
            Errc::userinfo_invalid);
  EXPECT_EQ(code_of({200, "application/jwt", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."}),
            Errc::userinfo_invalid);
  for (const int status : {201, 204, 302, 400, 404}) {
    EXPECT_EQ(code_of(plain(good, status)), Errc::userinfo_invalid) << status;
  }
  for (const int status : {401, 403}) {
    EXPECT_EQ(code_of(plain(good, status)), Errc::token_inactive) << status;
  }
  for (const int status : {429, 500, 503}) {
    EXPECT_EQ(code_of(plain(good, status)), Errc::provider_overloaded) << status;
  }
}

class CheckUserinfo : public testing::Test {
 protected:
  [[nodiscard]] Errc check(const Json& claims, bool is_signed = false) const {
    UserinfoAnswer answer;
    answer.claims = claims;
    if (is_signed) answer.jwt = std::make_shared<const Jwt>();
    const Result<void> checked = check_userinfo(answer, expected_);
    return checked ? Errc::none : checked.error().code;
  }
  UserinfoExpectations expected_{"https://op.test", "gateway", "alice", kNow, 10};
};

TEST_F(CheckUserinfo, TheSubjectIsThatOfTheLogin) {
  EXPECT_EQ(check({{"sub", "alice"}}), Errc::none);
  for (const char* other : {"bob", "Alice", "alice ", "alic"}) {
    EXPECT_EQ(check({{"sub", other}}), Errc::userinfo_sub) << other;
  }
  for (const Json& none : {Json::object(), Json{{"sub", ""}}, Json{{"sub", nullptr}},
                           Json{{"sub", 1}}, Json{{"sub", {"alice"}}}}) {
    EXPECT_EQ(check(none), Errc::userinfo_invalid) << none.dump();
  }
  expected_.subject = "";
  EXPECT_EQ(check({{"sub", "bob"}}), Errc::none);
  EXPECT_EQ(check(Json::object()), Errc::userinfo_invalid);
}

TEST_F(CheckUserinfo, WhatASignedAnswerSaysOfItselfIsRight) {
  const auto with = [this](const char* name, const Json& value) {
    return check({{"sub", "alice"}, {name, value}}, true);
  };
  EXPECT_EQ(check({{"sub", "alice"}}, true), Errc::none);
  EXPECT_EQ(with("iss", "https://op.test"), Errc::none);
  EXPECT_EQ(with("aud", "gateway"), Errc::none);
  EXPECT_EQ(with("aud", {"other", "gateway"}), Errc::none);
  EXPECT_EQ(with("exp", kNow - 9), Errc::none);
  EXPECT_EQ(with("iss", "https://op.test/"), Errc::userinfo_invalid);
  EXPECT_EQ(with("iss", 1), Errc::userinfo_invalid);
  EXPECT_EQ(with("aud", "other"), Errc::userinfo_invalid);
  EXPECT_EQ(with("aud", Json::array()), Errc::userinfo_invalid);
  EXPECT_EQ(with("aud", nullptr), Errc::userinfo_invalid);
  EXPECT_EQ(with("exp", kNow - 10), Errc::userinfo_invalid);
  EXPECT_EQ(with("exp", "soon"), Errc::userinfo_invalid);
  EXPECT_EQ(check({{"sub", "alice"}, {"iss", "x"}, {"aud", "y"}, {"exp", 1}}), Errc::none)
      << "claims of that name in a plain answer are the user's";
}

}  // namespace
}  // namespace oidc
