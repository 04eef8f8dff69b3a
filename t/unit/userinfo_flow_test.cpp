// Userinfo as a source of claims at the login, and as the judge of access tokens.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "conf_lines.h"
#include "oidc/claims.h"
#include "oidc/presented_token.h"
#include "oidc/rules.h"
#include "oidc/token_cache.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class UserinfoFlow : public testing::Test {
 protected:
  UserinfoFlow() {
    world_.worker.services.tokens = &cache_;
    world_.settings.access_token.algs.add(Alg::ES256);
    world_.op.metadata["userinfo_endpoint"] = "https://op.example.com/userinfo";
    world_.op.userinfo = [this](const std::string& authorization) {
      asked_.push_back(authorization);
      return answer_;
    };
    say({{"sub", "alice"}, {"groups", {"staff"}}});
  }
  void say(const Json& claims) { answer_ = {200, "application/json", claims.dump()}; }
  void at_login() { world_.settings.userinfo.at_login = true; }
  void judges_tokens() { world_.settings.credentials.userinfo = true; }
  Outcome send(const std::string& token) {
    const auto facts = browser_.navigate("/api");
    facts->authorization = {"Bearer " + token};
    return world_.access(facts);
  }
  [[nodiscard]] std::string jwt(const Json& with = Json::object()) const {
    Json claims = {{"iss", kIssuer}, {"sub", "alice"}, {"exp", world_.loop.now() + 300}};
    claims.update(with);
    return world_.op.key->sign({{"typ", "at+jwt"}}, claims);
  }
  static std::string claim(const SessionRecord& record, const char* name) {
    const Claims claims(record);
    const Json* found = claims.find(*ClaimPath::parse(name));
    return found == nullptr ? "" : found->dump();
  }

  World world_;
  TokenCache cache_{{100, 1024 * 1024}};
  Browser browser_;
  HttpResponse answer_;
  std::vector<std::string> asked_;
};

bool refuses(const Outcome& outcome, int status, Errc reason) {
  return outcome.kind == Outcome::Kind::deny && outcome.status == status &&
         outcome.reason == reason;
}

// ---- at the login ----------------------------------------------------------------------------------

TEST_F(UserinfoFlow, NobodyIsAskedUnlessThatIsSaid) {
  world_.log_in(browser_);
  EXPECT_TRUE(asked_.empty());
}

TEST_F(UserinfoFlow, TheSessionHasItsClaims) {
  at_login();
  EXPECT_EQ(world_.log_in(browser_).reason, Errc::none);
  const auto session = world_.session_of(browser_);
  ASSERT_NE(session, nullptr);
  ASSERT_EQ(asked_.size(), 1U);
  EXPECT_EQ(asked_[0], "Bearer " + std::string(session->record().access_token));
  EXPECT_EQ(claim(session->record(), "groups"), R"(["staff"])");
  EXPECT_EQ(userinfo_of(session->record()), R"({"groups":["staff"],"sub":"alice"})");
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  world_.settings.rules = build("oidc_groups_required staff").settings->rules;
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  world_.settings.rules = build("oidc_groups_required admin").settings->rules;
  EXPECT_TRUE(denies(world_.visit(browser_, "/"), Errc::forbidden));
  EXPECT_EQ(asked_.size(), 1U) << "once for a login";
}

TEST_F(UserinfoFlow, TokensComeFirst) {
  at_login();
  say({{"sub", "alice"}, {"nickname", "userinfo"}, {"groups", {"admin"}}});
  world_.op.edit_id_token = [](Json& claims) { claims["groups"] = {"staff"}; };
  world_.log_in(browser_);
  const auto session = world_.session_of(browser_);
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(claim(session->record(), "groups"), R"(["staff"])");
  EXPECT_EQ(claim(session->record(), "nickname"), R"("userinfo")");
}

TEST_F(UserinfoFlow, ARefreshLeavesItAsItWas) {
  at_login();
  world_.log_in(browser_);
  say({{"sub", "alice"}, {"groups", {"other"}}});
  world_.loop.advance(Milliseconds(290'000));
  EXPECT_TRUE(passes(world_.visit(browser_, "/")));
  EXPECT_EQ(world_.op.refreshes, 1U);
  EXPECT_EQ(claim(world_.session_of(browser_)->record(), "groups"), R"(["staff"])");
}

TEST_F(UserinfoFlow, NoFailureIsALogin) {
  at_login();
  const auto logging_in = [this](HttpResponse answer) {
    answer_ = std::move(answer);
    Browser browser;
    const Outcome outcome = world_.log_in(browser);
    EXPECT_EQ(world_.session_of(browser), nullptr);
    EXPECT_TRUE(browser.cookies.empty());
    return outcome;
  };
  const char* json = "application/json";
  EXPECT_TRUE(denies(logging_in({200, json, R"({"sub":"bob"})"}), Errc::userinfo_sub));
  EXPECT_TRUE(denies(logging_in({200, json, "{}"}), Errc::userinfo_invalid));
  EXPECT_TRUE(denies(logging_in({200, json, "[1]"}), Errc::userinfo_invalid));
  EXPECT_TRUE(denies(logging_in({401, json, R"({"sub":"alice"})"}), Errc::userinfo_invalid));
  EXPECT_TRUE(denies(logging_in({503, json, R"({"sub":"alice"})"}), Errc::provider_overloaded));
  world_.op.metadata.erase("userinfo_endpoint");
  World elsewhere;
  elsewhere.settings.userinfo.at_login = true;
  EXPECT_TRUE(denies(elsewhere.log_in(browser_), Errc::userinfo_invalid));
}

TEST_F(UserinfoFlow, AnEndpointThatIsDownIsNoLogin) {
  at_login();
  for (const Fault fault : {Fault::error, Fault::timeout}) {
    Browser browser;
    world_.io.break_all("GET /userinfo", fault);
    const Outcome outcome = world_.log_in(browser);
    EXPECT_EQ(outcome.kind, Outcome::Kind::deny) << describe(outcome);
    EXPECT_EQ(world_.session_of(browser), nullptr);
    world_.settle();
  }
}

TEST_F(UserinfoFlow, ASignedAnswerIsVerified) {
  at_login();
  const auto logging_in = [this](const SigningKey& key, const Json& claims) {
    answer_ = {200, "application/jwt", key.sign({}, claims)};
    Browser browser;
    return world_.log_in(browser);
  };
  const Json good = {{"sub", "alice"}, {"iss", kIssuer}, {"aud", kClientId}};
  EXPECT_EQ(logging_in(*world_.op.key, good).reason, Errc::none);
  const Outcome outcome = logging_in(SigningKey::ec("stranger"), good);
  EXPECT_TRUE(denies(outcome, Errc::userinfo_invalid)) << describe(outcome);
  EXPECT_TRUE(denies(logging_in(*world_.op.key, {{"sub", "bob"}}), Errc::userinfo_sub));
  EXPECT_TRUE(denies(logging_in(*world_.op.key, {{"sub", "alice"}, {"aud", "other"}}),
                     Errc::userinfo_invalid));
  world_.settings.userinfo.accept = "application/jwt";
  say({{"sub", "alice"}});
  EXPECT_TRUE(denies(world_.log_in(browser_), Errc::userinfo_invalid)) << "it must be signed";
}

TEST_F(UserinfoFlow, ASessionWithoutItLogsInWhereItIsWanted) {
  world_.log_in(browser_);
  at_login();
  EXPECT_TRUE(denies(world_.access(browser_.fetch("/a")), Errc::session_expired));
  EXPECT_TRUE(starts_login(world_.visit(browser_, "/a")));
  EXPECT_EQ(world_.log_in(browser_, "/a").reason, Errc::none);
  EXPECT_TRUE(passes(world_.access(browser_.fetch("/a"))));
  world_.settings.userinfo.at_login = false;
  EXPECT_TRUE(passes(world_.access(browser_.fetch("/a"))));
}

// ---- of access tokens ------------------------------------------------------------------------------

TEST_F(UserinfoFlow, AnOpaqueTokenIsWhoseTheProviderSays) {
  judges_tokens();
  const Outcome outcome = send("opaque");
  ASSERT_TRUE(passes(outcome)) << describe(outcome);
  const SessionRecord& record = outcome.session->record();
  EXPECT_TRUE(is_token(record));
  EXPECT_EQ(record.method, static_cast<std::uint8_t>(Method::userinfo));
  EXPECT_EQ(record.subject, "alice");
  EXPECT_EQ(claim(record, "groups"), R"(["staff"])");
  EXPECT_EQ(asked_.back(), "Bearer opaque");
  EXPECT_TRUE(passes(send("opaque")));
  EXPECT_EQ(asked_.size(), 1U);
  world_.loop.advance(Milliseconds(60'000));
  EXPECT_TRUE(passes(send("opaque")));
  EXPECT_EQ(asked_.size(), 2U);
}

TEST_F(UserinfoFlow, ARefusedTokenIsRememberedForTenSeconds) {
  judges_tokens();
  for (const int status : {401, 403}) {
    answer_ = {status, "application/json", R"({"sub":"alice"})"};
    const std::string token = "opaque-" + std::to_string(status);
    const std::size_t before = asked_.size();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(refuses(send(token), 401, Errc::token_inactive));
    EXPECT_EQ(asked_.size(), before + 1);
    world_.loop.advance(Milliseconds(10'000));
    say({{"sub", "alice"}});
    EXPECT_TRUE(passes(send(token)));
  }
}

TEST_F(UserinfoFlow, AnswersThatSayNothingAreNoYes) {
  judges_tokens();
  world_.settings.unauthenticated = Unauthenticated::pass;
  for (const char* body : {"", "{}", R"({"sub":""})", R"({"sub":1})", "[]"}) {
    answer_ = {200, "application/json", body};
    EXPECT_TRUE(refuses(send("opaque"), 502, Errc::userinfo_invalid)) << body;
  }
  answer_ = {500, "", ""};
  EXPECT_TRUE(refuses(send("opaque"), 503, Errc::provider_overloaded));
  world_.op.key = &SigningKey::ec("stranger");
  answer_ = {200, "application/jwt", world_.op.key->sign({}, {{"sub", "alice"}})};
  EXPECT_TRUE(refuses(send("opaque"), 502, Errc::userinfo_invalid)) << "not the token's fault";
  world_.io.break_all("GET /userinfo", Fault::error);
  EXPECT_EQ(send("opaque").kind, Outcome::Kind::deny);
}

TEST_F(UserinfoFlow, JwtsAreVerifiedBeforeAnybodyIsAsked) {
  judges_tokens();
  EXPECT_TRUE(passes(send(jwt())));
  EXPECT_EQ(asked_.size(), 1U);
  EXPECT_TRUE(refuses(send(jwt({{"exp", 1}})), 401, Errc::access_token_exp));
  EXPECT_TRUE(refuses(send(jwt({{"nonce", "n"}})), 401, Errc::access_token_kind)) << "an ID token";
  EXPECT_TRUE(refuses(send(jwt({{"cnf", {{"jkt", "x"}}}})), 401, Errc::access_token_bound));
  EXPECT_TRUE(refuses(send(SigningKey::ec("stranger").sign({{"typ", "at+jwt"}},
                                                           {{"iss", kIssuer},
                                                            {"sub", "alice"},
                                                            {"exp", world_.loop.now() + 300}})),
                      401, Errc::jwt_key_unknown));
  EXPECT_EQ(asked_.size(), 1U);
  EXPECT_TRUE(refuses(send(jwt({{"sub", "bob"}})), 502, Errc::userinfo_sub));
}

TEST_F(UserinfoFlow, BesideBearerItIsForOpaqueTokens) {
  judges_tokens();
  world_.settings.credentials.bearer = true;
  EXPECT_TRUE(passes(send(jwt())));
  EXPECT_TRUE(asked_.empty());
  EXPECT_TRUE(passes(send("opaque")));
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(UserinfoFlow, WithoutTheCacheEachRequestAsks) {
  judges_tokens();
  world_.settings.userinfo.cache = false;
  EXPECT_TRUE(passes(send("opaque")));
  EXPECT_TRUE(passes(send("opaque")));
  EXPECT_EQ(asked_.size(), 2U);
}

TEST_F(UserinfoFlow, ManyAskAtOnceAndOneCallIsMade) {
  judges_tokens();
  std::vector<std::unique_ptr<Root<Outcome>>> roots;
  for (int i = 0; i < 20; ++i) {
    const auto facts = browser_.navigate("/api");
    facts->authorization = {"Bearer opaque"};
    roots.push_back(std::make_unique<Root<Outcome>>(access_flow(world_.worker.services, facts)));
  }
  roots[0]->cancel();
  world_.settle();
  for (std::size_t i = 1; i < roots.size(); ++i) {
    ASSERT_TRUE(roots[i]->ended());
    EXPECT_TRUE(passes(roots[i]->take()));
  }
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(UserinfoFlow, ItSaysNothingOfTheLoginsStrength) {
  judges_tokens();
  world_.settings.authorization.acr_values = {"gold"};
  say({{"sub", "alice"}, {"acr", "gold"}});
  EXPECT_TRUE(refuses(send("opaque"), 401, Errc::insufficient_user_authentication));
  EXPECT_TRUE(passes(send(jwt({{"acr", "gold"}}))));
}

}  // namespace
}  // namespace oidc
