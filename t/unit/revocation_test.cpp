// oidc_logout_revoke: both tokens at the provider, and nobody waits for it.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;
using Strings = std::vector<std::string>;

class Revocation : public testing::Test {
 protected:
  Revocation() {
    world_.settings.logout.uri_suffix = "/logout";
    world_.settings.logout.revoke = true;
    world_.log_in(browser_);
    world_.io.forget();
  }
  Outcome log_out() { return world_.access(browser_.post("/logout")); }
  [[nodiscard]] const Strings& revoked() {
    world_.settle();
    return world_.op.revoked;
  }

  World world_;
  Browser browser_;
};

TEST_F(Revocation, BothTokensWithTheirHints) {
  EXPECT_EQ(log_out().kind, Outcome::Kind::answer);
  EXPECT_EQ(revoked(), (Strings{"refresh_token refresh-2", "access_token access-2"}));
  EXPECT_EQ(world_.log.count(Errc::revocation_failed), 0U);
}

TEST_F(Revocation, IsOffUnlessAskedFor) {
  world_.settings.logout.revoke = false;
  log_out();
  EXPECT_EQ(revoked(), Strings{});
}

TEST_F(Revocation, OneOfThemAlone) {
  world_.settings.logout.revoke_access_token = false;
  log_out();
  EXPECT_EQ(revoked(), Strings{"refresh_token refresh-2"});
  world_.log_in(browser_);
  world_.op.revoked.clear();
  world_.settings.logout.revoke_access_token = true;
  world_.settings.logout.revoke_refresh_token = false;
  log_out();
  EXPECT_EQ(revoked(), Strings{"access_token access-4"});
}

TEST_F(Revocation, ThereMayBeNoRefreshToken) {
  world_.op.gives_refresh_tokens = false;
  browser_.cookies.clear();
  world_.log_in(browser_);
  log_out();
  EXPECT_EQ(revoked(), Strings{"access_token access-4"});
}

TEST_F(Revocation, TheAnswerDoesNotWaitForADeadProvider) {
  world_.io.break_all("POST", Fault::timeout);
  const std::uint64_t began = world_.loop.monotonic_ms();
  EXPECT_TRUE(redirects_to(log_out(), "https://op.example.com/logout?"));
  EXPECT_LT(world_.loop.monotonic_ms() - began, 1000U);
  EXPECT_EQ(world_.store.size(), 0U);
  world_.settle();
  EXPECT_EQ(world_.log.count(Errc::revocation_failed), 2U);
  EXPECT_EQ(world_.loop.running_tasks(), 0U);
}

TEST_F(Revocation, OneRetryAfterAFaultOfTheConnection) {
  world_.io.break_all("POST", Fault::error);
  log_out();
  world_.settle();
  EXPECT_EQ(world_.io.count("POST /revoke"), 4U);
  EXPECT_EQ(world_.log.count(Errc::revocation_failed), 2U);
}

TEST_F(Revocation, OneRetryAfter503AndNoneAfterARefusal) {
  world_.op.revocation_answer = {503, "", ""};
  log_out();
  EXPECT_EQ(revoked().size(), 4U);
  world_.log_in(browser_);
  world_.op.revoked.clear();
  world_.op.revocation_answer = {400, "application/json",
                                 R"({"error":"unsupported_token_type","error_description":"canary"})"};
  log_out();
  EXPECT_EQ(revoked().size(), 2U);
  const RecordedLog::Line& line = world_.log.lines.back();
  EXPECT_EQ(line.reason, Errc::revocation_failed);
  EXPECT_EQ(line.detail, "access_token: status 400, unsupported_token_type");
}

TEST_F(Revocation, AProviderWithoutTheEndpointIsSaid) {
  World world;
  world.op.metadata.erase("revocation_endpoint");
  world.settings.logout = world_.settings.logout;
  Browser browser;
  world.log_in(browser);
  EXPECT_EQ(world.access(browser.post("/logout")).kind, Outcome::Kind::answer);
  world.settle();
  EXPECT_EQ(world.log.count(Errc::revocation_failed), 1U);
}

TEST_F(Revocation, TheConfiguredEndpointWins) {
  World world;
  world.settings.logout = world_.settings.logout;
  world.settings.provider.revocation_endpoint = "https://op.example.com/other";
  Browser browser;
  world.log_in(browser);
  world.access(browser.post("/logout"));
  world.settle();
  EXPECT_EQ(world.io.count("POST /other"), 2U);
  EXPECT_EQ(world.io.count("POST /revoke"), 0U);
}

TEST_F(Revocation, BothSessionsOfAConflict) {
  Browser other;
  world_.log_in(other);
  const auto facts = browser_.post("/logout");
  const auto others = other.post("/logout");
  for (const std::string& header : others->cookie_headers) {
    facts->cookie_headers.push_back(header);
  }
  world_.access(facts);
  EXPECT_EQ(revoked().size(), 4U);
}

TEST_F(Revocation, WhatARefreshBringsAfterTheLogoutIsRevokedToo) {
  world_.loop.advance(Milliseconds(250'000));
  Root<Outcome> request(access_flow(world_.worker.services, browser_.navigate("/")));
  while (world_.io.count("store replace") < 1) ASSERT_TRUE(world_.loop.step());
  world_.store.drop(world_.session_of(browser_)->key());
  EXPECT_EQ(revoked(), (Strings{"refresh_token refresh-3", "access_token access-3"}));
}

}  // namespace
}  // namespace oidc
