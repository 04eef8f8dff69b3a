#include <gtest/gtest.h>

#include <set>
#include <string>

#include "oidc/authorization.h"
#include "oidc/pending_login.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

Form query_of(const Outcome& outcome) {
  const Result<Url> url = parse_url(World::location(outcome));
  EXPECT_TRUE(url);
  return Form::parse(url->query).value();
}

TEST(StartLogin, RedirectsToTheProvider) {
  World world;
  Browser browser;
  const Outcome outcome = world.visit(browser, "/a?b=c");
  ASSERT_TRUE(starts_login(outcome)) << describe(outcome);
  EXPECT_EQ(outcome.status, 302);
  EXPECT_EQ(World::header(outcome, "Cache-Control"), "private, no-store");
  EXPECT_EQ(outcome.settings, &world.settings);
  const Form query = query_of(outcome);
  EXPECT_EQ(query.get("redirect_uri"), "https://app.example.org/callback");
  EXPECT_EQ(query.get("code_challenge_method"), "S256");
  EXPECT_EQ(world.store.size(), 0U);  // nothing is written before a login succeeds
}

TEST(StartLogin, LeavesOneSealedCookieThatFitsTheQuery) {
  World world;
  Browser browser;
  const Outcome outcome = world.visit(browser, "/a?b=c");
  ASSERT_EQ(outcome.set_cookies.size(), 1U);
  const std::string& header = outcome.set_cookies[0];
  EXPECT_TRUE(header.starts_with("__Host-login_")) << header;
  for (const char* attribute :
       {"; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age=600"}) {
    EXPECT_NE(header.find(attribute), std::string::npos) << attribute;
  }
  const auto& [name, cookie] = *browser.cookies.begin();
  const auto pending = open_pending_login(cookie.value, world.keys, name, world.settings.identity);
  ASSERT_TRUE(pending);
  const Form query = query_of(outcome);
  EXPECT_EQ(pending->nonce, query.get("nonce"));
  EXPECT_EQ(code_challenge_s256(pending->code_verifier), query.get("code_challenge"));
  EXPECT_EQ(pending->state_hash, sha256_text(*query.get("state")));
  EXPECT_EQ(pending->redirect_uri, "https://app.example.org/callback");
  EXPECT_EQ(pending->replaces, "");
  EXPECT_FALSE(pending->prompt_none);
  const auto state = open_state(*query.get("state"), world.keys, world.settings.identity);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->target, "/a?b=c");
  EXPECT_EQ("__Host-login_" + state->login_id, name);
}

TEST(StartLogin, NothingIsUsedTwice) {
  World world;
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    Browser browser;
    const Form query = query_of(world.visit(browser, "/"));
    for (const char* name : {"state", "nonce", "code_challenge"}) {
      EXPECT_TRUE(seen.insert(std::string(*query.get(name))).second) << name;
    }
  }
}

TEST(StartLogin, NamesTheSessionThatItReplaces) {
  World world;
  Browser browser;
  world.log_in(browser);
  const StoreKey key = world.session_of(browser)->key();
  world.store.drop(key);
  world.visit(browser, "/");
  for (const auto& [name, cookie] : browser.cookies) {
    if (!name.starts_with("__Host-login_")) continue;
    const auto pending =
        open_pending_login(cookie.value, world.keys, name, world.settings.identity);
    ASSERT_TRUE(pending);
    EXPECT_EQ(pending->replaces, key.view());
  }
  EXPECT_EQ(browser.count("__Host-login_"), 1U);
}

TEST(StartLogin, QueryOfTheTargetMayStayBehind) {
  World world;
  world.settings.authorization.preserve_query_args = false;
  Browser browser;
  const Form query = query_of(world.visit(browser, "/a?b=c"));
  EXPECT_EQ(open_state(*query.get("state"), world.keys, world.settings.identity)->target, "/a");
}

TEST(StartLogin, ATargetThatDoesNotFitBecomesItsPathThenTheRoot) {
  World world;
  Browser browser;
  std::string noise;
  for (int i = 0; noise.size() < 4000; ++i) noise += sha256_text(std::to_string(i));
  const std::string target = "/path?" + base64url_encode(noise);
  Form query = query_of(world.visit(browser, target));
  EXPECT_EQ(open_state(*query.get("state"), world.keys, world.settings.identity)->target, "/path");
  EXPECT_EQ(world.log.count(Errc::too_large), 1U);
  query = query_of(world.visit(browser, "/" + base64url_encode(noise)));
  EXPECT_EQ(open_state(*query.get("state"), world.keys, world.settings.identity)->target, "/");
}

TEST(StartLogin, ConfiguredAndClientsArguments) {
  World world;
  auto& authorization = world.settings.authorization;
  authorization.query_args = {{"prompt", Value{"none"}}, {"empty", Value{}}};
  authorization.query_args_client = {"login_hint", "ui_locales", "prompt"};
  Browser browser;
  const Form query = query_of(world.visit(
      browser, "/?login_hint=bob&prompt=login&state=evil&ui_locales=" + std::string(513, 'x')));
  EXPECT_EQ(query.get("login_hint"), "bob");
  EXPECT_EQ(query.get("prompt"), "none");
  EXPECT_EQ(query.count("ui_locales"), 0U);  // longer than 512 bytes
  EXPECT_EQ(query.count("empty"), 0U);
  EXPECT_NE(query.get("state"), "evil");
  const auto& [name, cookie] = *browser.cookies.begin();
  EXPECT_TRUE(
      open_pending_login(cookie.value, world.keys, name, world.settings.identity)->prompt_none);
}

TEST(StartLogin, AForeignHostIsRefused) {
  World world;
  Browser browser;
  const auto facts = browser.navigate("/");
  facts->host = "evil.example";
  const Outcome outcome = world.access(facts);
  EXPECT_TRUE(denies(outcome, Errc::misdirected)) << describe(outcome);
  EXPECT_TRUE(outcome.set_cookies.empty());
}

TEST(StartLogin, WithoutDiscoveryThereIsNoLogin) {
  World world;
  Browser browser;
  world.io.break_all("GET", Fault::error);
  const Outcome outcome = world.visit(browser, "/");
  EXPECT_TRUE(denies(outcome, Errc::discovery_unavailable)) << describe(outcome);
  EXPECT_EQ(World::header(outcome, "Retry-After"), "5");
  EXPECT_TRUE(browser.cookies.empty());
}

TEST(StartLogin, AProviderWithPlainPkceAloneIsRefused) {
  World world;
  Browser browser;
  world.op.metadata["code_challenge_methods_supported"] = {"plain"};
  EXPECT_TRUE(denies(world.visit(browser, "/"), Errc::pkce_unsupported));
  EXPECT_TRUE(browser.cookies.empty());
}

TEST(StartLogin, OnHttpTheCookieIsPlain) {
  World world;
  Browser browser;
  const auto facts = browser.navigate("/");
  facts->https = false;
  const Outcome outcome = world.access(facts);
  ASSERT_TRUE(starts_login(outcome)) << describe(outcome);
  EXPECT_TRUE(outcome.set_cookies.at(0).starts_with("login_"));
  EXPECT_EQ(outcome.set_cookies.at(0).find("Secure"), std::string::npos);
  EXPECT_EQ(query_of(outcome).get("redirect_uri"), "http://app.example.org/callback");
}

}  // namespace
}  // namespace oidc
