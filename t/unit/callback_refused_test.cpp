// The provider refuses, or says what must not be believed.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class RefusedLogin : public testing::Test {
 protected:
  std::string begin(std::string target = "/a") {
    return World::location(world_.visit(browser_, std::move(target)));
  }
  Outcome refused(std::string_view error) {
    return world_.come_back(browser_, ScriptedOp::refuse(begin(), error));
  }
  void expect_nothing_left() {
    world_.settle();
    EXPECT_EQ(world_.store.size(), 0U);
    EXPECT_EQ(browser_.count("__Host-session"), 0U);
    EXPECT_EQ(browser_.count("__Host-login_"), 0U);
  }

  World world_;
  Browser browser_;
};

TEST_F(RefusedLogin, ErrorsOfTheProvider) {
  const std::pair<const char*, Errc> cases[] = {
      {"access_denied", Errc::access_denied},
      {"server_error", Errc::provider_unavailable},
      {"temporarily_unavailable", Errc::provider_unavailable},
      {"invalid_request", Errc::provider_error},
      {"<script>alert(1)</script>", Errc::provider_error},
  };
  for (const auto& [error, expected] : cases) {
    const Outcome outcome = refused(error);
    EXPECT_TRUE(denies(outcome, expected)) << error << ": " << describe(outcome);
    EXPECT_EQ(outcome.body.find("<script>"), std::string::npos);
    EXPECT_EQ(outcome.detail.find("script"), std::string::npos);
    EXPECT_NE(outcome.body.find("https://app.example.org/a"), std::string::npos);
    expect_nothing_left();
  }
  EXPECT_EQ(world_.io.count("POST"), 0U);
}

TEST_F(RefusedLogin, LoginRequiredRestartsOnce) {
  const Outcome again = refused("login_required");
  ASSERT_TRUE(starts_login(again)) << describe(again);
  EXPECT_EQ(browser_.count("__Host-login_"), 1U);  // the new one alone
  const Outcome outcome =
      world_.come_back(browser_, ScriptedOp::refuse(World::location(again), "login_required"));
  EXPECT_TRUE(denies(outcome, Errc::login_loop)) << describe(outcome);
  expect_nothing_left();
}

TEST_F(RefusedLogin, ARestartedLoginCanSucceed) {
  const Outcome again = refused("interaction_required");
  const Outcome outcome = world_.come_back(browser_, world_.op.authorize(World::location(again)));
  EXPECT_TRUE(redirects_to(outcome, "https://app.example.org/a")) << describe(outcome);
}

TEST_F(RefusedLogin, PromptNoneIsNeverRestarted) {
  world_.settings.authorization.query_args = {{"prompt", Value{"none"}}};
  EXPECT_TRUE(denies(refused("login_required"), Errc::login_required));
  expect_nothing_left();
}

// Strangers could fill the memory with errors; what ends the login is its cookie.
TEST_F(RefusedLogin, AnErrorIsNotRememberedButEndsTheLogin) {
  const std::string location = begin();
  world_.come_back(browser_, ScriptedOp::refuse(location, "access_denied"));
  EXPECT_EQ(world_.shared.count("state:"), 0U);
  EXPECT_TRUE(denies(world_.come_back(browser_, world_.op.authorize(location)),
                     Errc::login_cookie_missing));
  EXPECT_EQ(world_.op.codes_redeemed, 0U);
}

TEST_F(RefusedLogin, TokenEndpointErrors) {
  const auto json = [](int status, const Json& body) {
    return HttpResponse{status, "application/json", body.dump()};
  };
  const std::pair<HttpResponse, Errc> cases[] = {
      {json(400, {{"error", "invalid_grant"}}), Errc::token_request_rejected},
      {json(401, {{"error", "invalid_client"}}), Errc::token_client_rejected},
      {json(500, Json::object()), Errc::provider_overloaded},
      {json(302, Json::object()), Errc::provider_status},
      {{200, "text/html", "<html>"}, Errc::provider_answer_invalid},
      {json(200, {{"token_type", "Bearer"}}), Errc::access_token_missing},
      {json(200, {{"access_token", "a"}, {"token_type", "Bearer"}}), Errc::id_token_missing},
      {json(200, {{"access_token", "a"}, {"token_type", "mac"}}), Errc::token_type_unsupported},
      {json(200, {{"access_token", "a"}, {"token_type", "Bearer"}, {"id_token", "x"}}),
       Errc::jwt_malformed},
  };
  for (const auto& [answer, expected] : cases) {
    world_.op.token_answer = answer;
    const Outcome outcome = world_.log_in(browser_, "/a");
    EXPECT_TRUE(denies(outcome, expected)) << answer.body << ": " << describe(outcome);
    expect_nothing_left();
  }
}

TEST_F(RefusedLogin, IdTokensThatLie) {
  using Lie = std::function<void(Json&)>;
  const std::pair<Lie, Errc> lies[] = {
      {[](Json& c) { c["nonce"] = "another"; }, Errc::id_token_nonce},
      {[](Json& c) { c.erase("nonce"); }, Errc::id_token_nonce},
      {[](Json& c) { c["iss"] = "https://evil.example"; }, Errc::id_token_iss},
      {[](Json& c) { c["aud"] = "another"; }, Errc::id_token_aud},
      {[](Json& c) { c["azp"] = "another"; }, Errc::id_token_azp},
      {[](Json& c) { c["exp"] = 1; }, Errc::id_token_exp},
      {[](Json& c) { c["at_hash"] = "x"; }, Errc::id_token_at_hash},
      {[](Json& c) { c["c_hash"] = "x"; }, Errc::id_token_c_hash},
      {[](Json& c) { c.erase("sub"); }, Errc::id_token_sub},
  };
  for (const auto& [lie, expected] : lies) {
    world_.op.edit_id_token = lie;
    const Outcome outcome = world_.log_in(browser_, "/a");
    EXPECT_TRUE(denies(outcome, expected)) << describe(outcome);
    expect_nothing_left();
  }
}

TEST_F(RefusedLogin, MaxAgeAndAcrNotMetAreNoLoop) {
  world_.settings.authorization.max_age = 100;
  world_.op.edit_id_token = [](Json& claims) {
    claims["auth_time"] = claims["auth_time"].get<Seconds>() - 1000;
  };
  Outcome outcome = world_.log_in(browser_, "/a");
  EXPECT_TRUE(denies(outcome, Errc::id_token_auth_time)) << describe(outcome);
  EXPECT_EQ(outcome.status, 403);
  world_.settings.authorization.max_age.reset();
  world_.settings.authorization.acr_values = {"gold"};
  outcome = world_.log_in(browser_, "/a");
  EXPECT_TRUE(denies(outcome, Errc::id_token_acr)) << describe(outcome);
  EXPECT_EQ(outcome.status, 403);
  expect_nothing_left();
}

TEST_F(RefusedLogin, AStoreThatIsFullOrDown) {
  world_.io.break_all("store insert", Fault::refusal);
  EXPECT_TRUE(denies(world_.log_in(browser_, "/a"), Errc::store_full));
  world_.io.break_all("store insert", Fault::error);
  EXPECT_TRUE(denies(world_.log_in(browser_, "/a"), Errc::store_unavailable));
  expect_nothing_left();
}

TEST_F(RefusedLogin, WhatTheProviderWroteIsShownToNobody) {
  for (const int status : {400, 401, 500}) {
    world_.op.token_answer =
        HttpResponse{status, "application/json",
                     R"({"error":"canary-error","error_description":"canary-text"})"};
    const Outcome outcome = world_.log_in(browser_, "/a");
    EXPECT_EQ(outcome.body.find("canary"), std::string::npos);
    EXPECT_EQ(outcome.detail.find("canary"), std::string::npos);
  }
  for (const auto& line : world_.log.lines) {
    EXPECT_EQ(line.detail.find("canary"), std::string::npos);
  }
}

}  // namespace
}  // namespace oidc
