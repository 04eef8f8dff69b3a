// RFC 9470: a login that is too weak or too old for a location, of a session and of an access token.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "oidc/presented_token.h"
#include "oidc/rules.h"
#include "oidc/token_cache.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

constexpr Errc kWeak = Errc::insufficient_user_authentication;

Settings step_up_settings() {
  Settings settings = sample_settings();
  settings.credentials.bearer = true;
  settings.access_token.algs.add(Alg::ES256);
  settings.token.leeway = 0;
  return settings;
}

class StepUp : public testing::Test {
 protected:
  StepUp() {
    world_.worker.services.tokens = &cache_;
    world_.op.edit_id_token = [this](Json& claims) {
      claims["auth_time"] = auth_time_;
      if (!acr_.empty()) claims["acr"] = acr_;
    };
  }
  [[nodiscard]] AuthorizationSettings& wanted() { return world_.settings.authorization; }
  [[nodiscard]] std::string token(const Json& with) const {
    Json claims = {{"iss", kIssuer}, {"sub", "alice"}, {"aud", "api"},
                   {"exp", world_.loop.now() + 3000}};
    claims.update(with);
    return world_.op.key->sign({{"typ", "at+jwt"}}, claims);
  }
  Outcome send(const std::string& token) {
    const auto facts = browser_.navigate("/api");
    facts->authorization = {"Bearer " + token};
    return world_.access(facts);
  }
  Outcome fetch() { return world_.access(browser_.fetch("/api")); }
  static std::string challenge(const Outcome& outcome) {
    return World::header(outcome, "WWW-Authenticate");
  }

  World world_{step_up_settings()};
  TokenCache cache_{{100, 1024 * 1024}};
  Browser browser_;
  Seconds auth_time_ = world_.loop.now();
  std::string acr_ = "silver";
};

constexpr const char* kBegin =
    R"(Bearer error="insufficient_user_authentication", error_description="the login is too weak or too old for here")";

TEST_F(StepUp, AWeakSessionIsToldWhatItLacksAndNavigationsLogIn) {
  world_.log_in(browser_);
  wanted().acr_values = {"gold", "sil\"ver"};
  wanted().max_age = 300;
  const Outcome outcome = fetch();
  EXPECT_TRUE(denies(outcome, kWeak)) << describe(outcome);
  EXPECT_EQ(challenge(outcome),
            std::string(kBegin) + R"(, acr_values="gold sil\"ver", max_age="300")");
  EXPECT_TRUE(outcome.set_cookies.empty()) << "the session stays, for other locations";
  EXPECT_TRUE(starts_login(world_.visit(browser_, "/")));
  wanted() = step_up_settings().authorization;
  EXPECT_TRUE(passes(fetch()));
}

TEST_F(StepUp, AnOldSessionIsToldSo) {
  world_.log_in(browser_);
  wanted().max_age = 100;
  EXPECT_TRUE(passes(fetch()));
  world_.loop.advance(Milliseconds(101'000));
  const Outcome outcome = fetch();
  EXPECT_TRUE(denies(outcome, kWeak)) << describe(outcome);
  EXPECT_EQ(challenge(outcome), std::string(kBegin) + R"(, max_age="100")");
  auth_time_ = world_.loop.now();
  EXPECT_EQ(world_.log_in(browser_).reason, Errc::none);
  EXPECT_TRUE(passes(fetch())) << "a fresh login mends it";
}

TEST_F(StepUp, NothingIsToldWhereNothingIsLackingOrCodesAreHidden) {
  wanted().acr_values = {"gold"};
  EXPECT_TRUE(denies(fetch(), Errc::unauthenticated));
  EXPECT_EQ(challenge(fetch()), "Bearer") << "nobody is not somebody weak";
  wanted().acr_values = {"silver"};
  world_.log_in(browser_);
  wanted().acr_values = {"gold"};
  world_.settings.errors.expose_code = false;
  EXPECT_EQ(challenge(fetch()), "Bearer");
  world_.settings.errors.expose_code = true;
  world_.settings.session.absolute_timeout = 1;
  world_.loop.advance(Milliseconds(2'000));
  const Outcome outcome = fetch();
  EXPECT_TRUE(denies(outcome, Errc::session_expired)) << describe(outcome);
  EXPECT_EQ(challenge(outcome), "Bearer") << "one that is over lacks nothing";
}

TEST_F(StepUp, AProviderThatNeverGivesTheAcrIsOneLoginAndThen403) {
  world_.log_in(browser_);
  wanted().acr_values = {"gold"};
  const Outcome start = world_.visit(browser_, "/gold");
  ASSERT_TRUE(starts_login(start));
  const Outcome back = world_.come_back(browser_, world_.op.authorize(World::location(start)));
  EXPECT_TRUE(denies(back, Errc::id_token_acr)) << describe(back);
  wanted().acr_values.clear();
  EXPECT_TRUE(passes(fetch())) << "the weak session is still one where it does";
}

TEST_F(StepUp, TokensNeedTheAcr) {
  wanted().acr_values = {"gold", "platinum"};
  EXPECT_TRUE(passes(send(token({{"acr", "platinum"}}))));
  for (const Json& wrong : {Json::object(), Json{{"acr", "silver"}}, Json{{"acr", "gold platinum"}},
                            Json{{"acr", {"gold"}}}, Json{{"acr", nullptr}}, Json{{"acr", 1}}}) {
    const std::string weak = token(wrong);
    for (int i = 0; i < 2; ++i) {  // judged, and known
      const Outcome outcome = send(weak);
      EXPECT_TRUE(denies(outcome, kWeak)) << wrong.dump() << describe(outcome);
      EXPECT_EQ(challenge(outcome), std::string(kBegin) + R"(, acr_values="gold platinum")");
      EXPECT_EQ(World::location(outcome), "") << "a token is never sent to a login";
    }
  }
}

TEST_F(StepUp, TokensAgeAlsoWhereTheyAreKnown) {
  wanted().max_age = 100;
  const Seconds now = world_.loop.now();
  const std::string young = token({{"auth_time", now - 50}});
  EXPECT_TRUE(passes(send(young)));
  EXPECT_TRUE(passes(send(young)));
  for (const Json& wrong :
       {Json::object(), Json{{"auth_time", now - 101}}, Json{{"auth_time", 0}},
        Json{{"auth_time", now + 61}}, Json{{"auth_time", 1e30}}, Json{{"auth_time", "now"}}, Json{{"auth_time", -1}}, Json{{"auth_time", nullptr}}}) {
    EXPECT_TRUE(denies(send(token(wrong)), kWeak)) << wrong.dump();
  }
  world_.loop.advance(Milliseconds(51'000));
  const Outcome outcome = send(young);
  EXPECT_TRUE(denies(outcome, kWeak)) << describe(outcome);
  EXPECT_EQ(challenge(outcome), std::string(kBegin) + R"(, max_age="100")");
}

TEST_F(StepUp, ATokenForSomebodyElseIsNotToldWhatWouldDo) {
  world_.settings.rules = std::make_shared<const Rules>(RuleSet{
      {{"oidc_audience_required", {"aud", *ClaimPath::parse("aud")}, {{"other"}}, Errc::forbidden}},
      {}, {}, false});
  wanted().acr_values = {"gold"};
  const Outcome outcome = send(token({{"acr", "silver"}}));
  EXPECT_TRUE(denies(outcome, Errc::access_token_aud)) << describe(outcome);
}

TEST_F(StepUp, TheProvidersWordCountsWhereItIsAsked) {
  world_.settings.credentials.bearer = false;
  world_.settings.credentials.introspection = true;
  world_.op.metadata["introspection_endpoint"] = "https://op.example.com/introspect";
  Json said = {{"active", true}, {"sub", "alice"}};
  world_.op.introspect = [&said](const Form&) {
    return HttpResponse{200, "application/json", said.dump()};
  };
  wanted().acr_values = {"gold"};
  wanted().max_age = 100;
  EXPECT_TRUE(denies(send(token({{"acr", "gold"}, {"auth_time", world_.loop.now()}})), kWeak))
      << "nobody verified the token's own claims";
  said["acr"] = "gold";
  said["auth_time"] = world_.loop.now();
  EXPECT_TRUE(passes(send("opaque")));
  world_.settings.introspection.jwts = world_.settings.credentials.bearer = true;
  said["acr"] = "silver";
  EXPECT_TRUE(denies(send(token({{"acr", "gold"}, {"auth_time", world_.loop.now()}})), kWeak))
      << "the newer word";
}

}  // namespace
}  // namespace oidc
