// A browser never carries more pending logins than its header buffers allow.
#include <gtest/gtest.h>

#include <string>

#include "oidc/pending_login.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

constexpr std::string_view kPrefix = "__Host-login_";

std::size_t bytes_of_logins(const Browser& browser) {
  std::size_t bytes = 0;
  for (const auto& [name, cookie] : browser.cookies) {
    if (name.starts_with(kPrefix)) bytes += name.size() + 1 + cookie.value.size() + 2;
  }
  return bytes;
}

TEST(PendingLoginEviction, FiveAreKeptAndTheOldestGoesFirst) {
  World world;
  Browser browser;
  std::vector<std::string> names;
  for (int i = 0; i < 10; ++i) {
    const Outcome outcome = world.visit(browser, "/tab" + std::to_string(i));
    ASSERT_TRUE(starts_login(outcome));
    const std::string& header = outcome.set_cookies.back();
    names.push_back(header.substr(0, header.find('=')));
    world.loop.advance(Milliseconds(2000));
    EXPECT_LE(browser.count(kPrefix), 5U);
    EXPECT_LE(bytes_of_logins(browser), 4096U);
  }
  ASSERT_EQ(browser.count(kPrefix), 5U);
  for (int i = 5; i < 10; ++i) EXPECT_TRUE(browser.cookies.contains(names[i])) << i;
}

TEST(PendingLoginEviction, TheConfiguredNumberCounts) {
  World world;
  world.settings.authorization.max_pending = 2;
  Browser browser;
  for (int i = 0; i < 4; ++i) world.visit(browser, "/");
  EXPECT_EQ(browser.count(kPrefix), 2U);
  world.settings.authorization.max_pending = 1;
  world.visit(browser, "/");
  EXPECT_EQ(browser.count(kPrefix), 1U);
}

TEST(PendingLoginEviction, BytesCountToo) {
  World world;
  world.settings.authorization.max_pending = 100;
  world.settings.authorization.redirect_uri.text =
      "https://app.example.org/callback?" + std::string(600, 'x');
  Browser browser;
  for (int i = 0; i < 20; ++i) {
    world.visit(browser, "/");
    world.loop.advance(Milliseconds(1000));
    EXPECT_LE(bytes_of_logins(browser), 4096U);
  }
  EXPECT_GE(browser.count(kPrefix), 2U);
}

TEST(PendingLoginEviction, WhatIsNoneOfOursGoesFirst) {
  World world;
  Browser browser;
  for (int i = 0; i < 4; ++i) world.visit(browser, "/");
  const Browser before = browser;
  browser.cookies["__Host-login_planted"] = {std::string(3000, 'p'), ""};
  const Outcome outcome = world.visit(browser, "/");
  EXPECT_FALSE(browser.cookies.contains("__Host-login_planted"));
  for (const auto& [name, cookie] : before.cookies) EXPECT_TRUE(browser.cookies.contains(name));
  EXPECT_EQ(outcome.set_cookies.size(), 2U);
}

TEST(PendingLoginEviction, DeletionsCarryTheAttributesOfTheCookie) {
  World world;
  world.settings.authorization.max_pending = 1;
  Browser browser;
  world.visit(browser, "/");
  const Outcome outcome = world.visit(browser, "/");
  ASSERT_EQ(outcome.set_cookies.size(), 2U);
  const std::string& deletion = outcome.set_cookies[0];
  for (const char* attribute : {"Max-Age=0", "; Path=/", "; Secure"}) {
    EXPECT_NE(deletion.find(attribute), std::string::npos) << attribute;
  }
}

TEST(PendingLoginEviction, NamesThatNoHeaderMayHoldAreNotEchoed) {
  World world;
  world.settings.authorization.max_pending = 1;
  Browser browser;
  const auto facts = browser.navigate("/");
  facts->cookie_headers = {"__Host-login_a\r\nX-Evil:1=x; __Host-login_b[]=y; __Host-login_c=z"};
  const Outcome outcome = world.access(facts);
  ASSERT_TRUE(starts_login(outcome));
  for (const std::string& header : outcome.set_cookies) {
    EXPECT_EQ(header.find_first_of("\r\n["), std::string::npos) << header;
  }
}

TEST(PendingLoginEviction, OtherCookiesAreLeftAlone) {
  World world;
  Browser browser;
  world.log_in(browser);
  browser.cookies["login_x"] = {"an application's own", ""};
  browser.cookies["theme"] = {std::string(5000, 't'), ""};
  for (int i = 0; i < 7; ++i) {
    const Outcome outcome = world.visit(browser, "/");
    EXPECT_TRUE(passes(outcome));
    EXPECT_TRUE(outcome.set_cookies.empty());
  }
  EXPECT_TRUE(browser.cookies.contains("login_x"));
  EXPECT_TRUE(browser.cookies.contains(World::session_cookie_name()));
}

}  // namespace
}  // namespace oidc
