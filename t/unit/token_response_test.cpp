#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "oidc/json.h"
#include "oidc/token_endpoint.h"
#include "result_code.h"

namespace oidc {
namespace {

using test::code_of;

constexpr Seconds kNow = 1'700'000'000;

Json tokens() {
  return {{"access_token", "at"},  {"token_type", "Bearer"}, {"expires_in", 300},
          {"refresh_token", "rt"}, {"id_token", "a.b.c"},    {"scope", "openid"}};
}

HttpResponse answer(std::string body, int status = 200) {
  return HttpResponse{status, "application/json", std::move(body)};
}

Result<TokenResponse> read(const Json& json) {
  return read_token_response(answer(json.dump()), kNow);
}

Result<TokenResponse> read_error(int status, std::string body) {
  return read_token_response(answer(std::move(body), status), kNow);
}

TEST(TokenResponse, IsRead) {
  const Result<TokenResponse> response = read(tokens());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->access_token, "at");
  EXPECT_EQ(response->refresh_token, "rt");
  EXPECT_EQ(response->id_token, "a.b.c");
  EXPECT_EQ(response->scope, "openid");
  EXPECT_EQ(response->access_expires, kNow + 300);
}

TEST(TokenResponse, OnlyTheAccessTokenAndItsTypeAreNeeded) {
  const Result<TokenResponse> response = read({{"access_token", "at"}, {"token_type", "Bearer"}});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->refresh_token, "");
  EXPECT_EQ(response->id_token, "");
  EXPECT_EQ(response->access_expires, 0);
}

TEST(TokenResponse, TheTypeIsComparedWithoutCase) {
  for (const char* type : {"Bearer", "bearer", "BEARER", "bEaReR"}) {
    Json json = tokens();
    json["token_type"] = type;
    EXPECT_TRUE(read(json)) << type;
  }
  for (const char* type : {"", "mac", "Bearer ", "Bear", "bearers", "DPoP", "N_A"}) {
    Json json = tokens();
    json["token_type"] = type;
    EXPECT_EQ(code_of(read(json)), Errc::token_type_unsupported) << type;
  }
  Json json = tokens();
  json.erase("token_type");
  EXPECT_EQ(code_of(read(json)), Errc::token_type_unsupported);
  json["token_type"] = 1;
  EXPECT_EQ(code_of(read(json)), Errc::token_type_unsupported);
}

TEST(TokenResponse, ExpiresInThatMakesSense) {
  const std::pair<const char*, Seconds> cases[] = {
      {"1", kNow + 1}, {"3600", kNow + 3600}, {"3600.9", kNow + 3600}, {"null", 0}};
  for (const auto& [text, expected] : cases) {
    Json json = tokens();
    json["expires_in"] = Json::parse(text);
    const Result<TokenResponse> response = read(json);
    ASSERT_TRUE(response) << text;
    EXPECT_EQ(response->access_expires, expected) << text;
  }
}

TEST(TokenResponse, ExpiresInThatMakesNoneIsExpiredAndNeverEternal) {
  for (const char* text :
       {"0", "-1", "-1e300", "0.5", "\"3600\"", "\"\"", "true", "[]", "{}", "-0.0"}) {
    Json json = tokens();
    json["expires_in"] = Json::parse(text);
    const Result<TokenResponse> response = read(json);
    ASSERT_TRUE(response) << text;
    EXPECT_NE(response->access_expires, 0) << text;
    EXPECT_LT(response->access_expires, kNow) << text;
  }
}

TEST(TokenResponse, AnAbsurdlyLongLifeSaturates) {
  for (const char* text : {"1e300", "9223372036854775807", "18446744073709551615"}) {
    const Result<TokenResponse> response = read_token_response(
        answer(std::string(R"({"access_token":"a","token_type":"bearer","expires_in":)") + text +
               "}"),
        kNow);
    ASSERT_TRUE(response) << text;
    EXPECT_GT(response->access_expires, kNow + 86400 * 365) << text;
  }
}

TEST(TokenResponse, NoAccessToken) {
  for (const char* value : {"\"\"", "null", "5", "{}"}) {
    Json json = tokens();
    json["access_token"] = Json::parse(value);
    EXPECT_EQ(code_of(read(json)), Errc::access_token_missing) << value;
  }
  EXPECT_EQ(code_of(read(Json::object())), Errc::access_token_missing);
}

TEST(TokenResponse, TokensThatCannotBeSentAreRefused) {
  for (const char* name : {"access_token", "refresh_token", "id_token"}) {
    for (const char* value : {"a b", "a\r\nX-Evil: 1", "a\tb", "gr\xc3\xbc\xc3\x9f", "a\x7f"}) {
      Json json = tokens();
      json[name] = value;
      EXPECT_EQ(code_of(read(json)), Errc::provider_answer_invalid) << name;
    }
  }
}

TEST(TokenResponse, OtherDocumentsAreNotValid) {
  for (const char* body : {"", "null", "[]", "<html>", "access_token=at&token_type=bearer",
                           R"({"access_token":"a","access_token":"b","token_type":"bearer"})"}) {
    EXPECT_EQ(code_of(read_token_response(answer(body), kNow)), Errc::provider_answer_invalid)
        << body;
  }
  HttpResponse html = answer(tokens().dump());
  html.content_type = "text/html";
  EXPECT_EQ(code_of(read_token_response(html, kNow)), Errc::provider_answer_invalid);
  html.content_type = "";
  EXPECT_EQ(code_of(read_token_response(html, kNow)), Errc::provider_answer_invalid);
}

TEST(TokenError, OfTheGrant) {
  const Result<TokenResponse> grant = read_error(400, R"({"error":"invalid_grant"})");
  EXPECT_EQ(code_of(grant), Errc::token_request_rejected);
  EXPECT_EQ(grant.error().detail, "invalid_grant");
  for (const char* error : {"invalid_request", "unsupported_grant_type", "invalid_scope"}) {
    EXPECT_EQ(code_of(read_error(400, R"({"error":")" + std::string(error) + "\"}")),
              Errc::token_request_rejected)
        << error;
  }
  EXPECT_EQ(code_of(read_error(403, R"({"error":"invalid_grant"})")), Errc::token_request_rejected);
}

TEST(TokenError, OfTheClient) {
  EXPECT_EQ(code_of(read_error(401, R"({"error":"invalid_client"})")), Errc::token_client_rejected);
  EXPECT_EQ(code_of(read_error(400, R"({"error":"invalid_client"})")), Errc::token_client_rejected);
  EXPECT_EQ(code_of(read_error(400, R"({"error":"unauthorized_client"})")),
            Errc::token_client_rejected);
  EXPECT_EQ(code_of(read_error(401, "")), Errc::token_client_rejected);
}

// A provider in trouble is not a verdict on the grant: a session must survive it.
TEST(TokenError, OfAProviderInTrouble) {
  for (const int status : {500, 502, 503, 504, 599, 429}) {
    EXPECT_EQ(code_of(read_error(status, R"({"error":"invalid_grant"})")),
              Errc::provider_overloaded)
        << status;
  }
  for (const char* error : {"temporarily_unavailable", "slow_down", "server_error"}) {
    EXPECT_EQ(code_of(read_error(400, R"({"error":")" + std::string(error) + "\"}")),
              Errc::provider_overloaded)
        << error;
  }
}

TEST(TokenError, OfAnotherStatus) {
  for (const int status : {201, 204, 301, 302, 307, 404, 405, 418}) {
    EXPECT_EQ(code_of(read_error(status, tokens().dump())), Errc::provider_status) << status;
  }
}

TEST(TokenError, WithoutACodeIsNotAnAnswer) {
  for (const char* body : {"", "{}", "[]", "<html>bad request</html>", R"({"error":5})"}) {
    EXPECT_EQ(code_of(read_error(400, body)), Errc::provider_answer_invalid) << body;
    EXPECT_EQ(code_of(read_error(403, body)), Errc::provider_answer_invalid) << body;
  }
}

TEST(TokenError, TheProvidersTextsStayOutOfTheDetail) {
  for (const int status : {400, 401, 403, 404, 429, 500}) {
    const auto response = read_error(
        status, R"({"error":"canary_code","error_description":"canary","error_uri":"canary"})");
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().detail.find("canary"), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace oidc
