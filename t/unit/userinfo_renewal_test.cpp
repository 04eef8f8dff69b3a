// Userinfo when a claim is missing, and again when it is old.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "conf_lines.h"
#include "oidc/claims.h"
#include "oidc/rules.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

class UserinfoRenewal : public testing::Test {
 protected:
  UserinfoRenewal() {
    world_.op.metadata["userinfo_endpoint"] = "https://op.example.com/userinfo";
    world_.op.userinfo = [this](const std::string&) {
      ++asked_;
      return answer_;
    };
    world_.op.expires_in = 36000;
    say({{"sub", "alice"}, {"groups", {"staff"}}});
  }
  void configure(const std::string& lines) {
    const Built built = build(lines);
    ASSERT_NE(built.settings, nullptr) << built.error;
    world_.settings.userinfo = built.settings->userinfo;
    world_.settings.rules = built.settings->rules;
  }
  void say(const Json& claims) { answer_ = {200, "application/json", claims.dump()}; }
  Outcome visit() { return world_.visit(browser_, "/"); }
  void later(Seconds seconds) { world_.loop.advance(Milliseconds(seconds * 1000)); }
  std::string groups() {
    const auto session = world_.session_of(browser_);
    if (!session) return "no session";
    const Claims claims(session->record());
    const Json* found = claims.find(*ClaimPath::parse("groups"));
    return found == nullptr ? "none" : found->dump();
  }

  World world_;
  Browser browser_;
  HttpResponse answer_;
  std::size_t asked_ = 0;
};

TEST_F(UserinfoRenewal, MissingAsksAtTheLoginWhereTheTokensDoNotSay) {
  configure("oidc_userinfo missing\noidc_groups_required staff");
  EXPECT_EQ(world_.log_in(browser_).reason, Errc::none);
  EXPECT_EQ(asked_, 1U);
  EXPECT_TRUE(passes(visit()));
  EXPECT_EQ(groups(), R"(["staff"])");
  EXPECT_EQ(asked_, 1U);
}

TEST_F(UserinfoRenewal, MissingDoesNotAskWhereTheTokensSayAll) {
  world_.op.edit_id_token = [](Json& claims) { claims["groups"] = {"staff"}; };
  configure("oidc_userinfo missing\noidc_groups_required staff");
  world_.log_in(browser_);
  EXPECT_TRUE(passes(visit()));
  EXPECT_EQ(asked_, 0U);
}

TEST_F(UserinfoRenewal, MissingOfHeadersAndWithoutAnyWish) {
  configure("oidc_userinfo missing\noidc_upstream_header X-Groups groups");
  world_.log_in(browser_);
  EXPECT_EQ(asked_, 1U);
  configure("oidc_userinfo missing");
  Browser other;
  world_.log_in(other);
  EXPECT_EQ(asked_, 1U) << "nobody reads a claim";
}

TEST_F(UserinfoRenewal, AnotherLocationMayNeedItLater) {
  world_.log_in(browser_);
  EXPECT_EQ(asked_, 0U);
  configure("oidc_userinfo missing\noidc_groups_required staff");
  EXPECT_TRUE(passes(visit()));
  EXPECT_TRUE(passes(visit()));
  EXPECT_EQ(asked_, 1U) << "it is stored";
  configure("oidc_userinfo missing\noidc_groups_required admin");
  EXPECT_TRUE(denies(visit(), Errc::forbidden));
  EXPECT_TRUE(denies(visit(), Errc::forbidden));
  EXPECT_EQ(asked_, 1U) << "the answer would be the same";
}

TEST_F(UserinfoRenewal, AFailureIsNoYes) {
  world_.log_in(browser_);
  configure("oidc_userinfo missing\noidc_groups_required staff");
  answer_ = {500, "", ""};
  EXPECT_TRUE(denies(visit(), Errc::provider_overloaded));
  say({{"sub", "bob"}, {"groups", {"staff"}}});
  EXPECT_TRUE(denies(visit(), Errc::userinfo_sub));
  EXPECT_EQ(groups(), "none");
  say({{"sub", "alice"}, {"groups", {"staff"}}});
  EXPECT_TRUE(passes(visit()));
}

TEST_F(UserinfoRenewal, AgainWhenItIsOld) {
  configure("oidc_userinfo login refresh=60s\noidc_groups_required staff");
  world_.log_in(browser_);
  later(59);
  EXPECT_TRUE(passes(visit()));
  EXPECT_EQ(asked_, 1U);
  say({{"sub", "alice"}, {"groups", {"guests"}}});
  later(1);
  EXPECT_TRUE(denies(visit(), Errc::forbidden)) << "the user has left the group";
  EXPECT_EQ(asked_, 2U);
  EXPECT_EQ(groups(), R"(["guests"])");
  later(59);
  EXPECT_TRUE(denies(visit(), Errc::forbidden));
  EXPECT_EQ(asked_, 2U);
}

TEST_F(UserinfoRenewal, AnOutageServesWhatIsKnownOneTimeMore) {
  configure("oidc_userinfo login refresh=60s\noidc_groups_required staff");
  world_.log_in(browser_);
  answer_ = {503, "", ""};
  later(61);
  EXPECT_TRUE(passes(visit()));
  EXPECT_TRUE(passes(visit()));
  EXPECT_EQ(asked_, 2U) << "not with each request";
  later(10);
  EXPECT_TRUE(passes(visit()));
  EXPECT_EQ(asked_, 3U);
  later(50);
  EXPECT_TRUE(denies(visit(), Errc::provider_overloaded));
  EXPECT_NE(world_.session_of(browser_), nullptr) << "an outage is no logout";
  say({{"sub", "alice"}, {"groups", {"staff"}}});
  EXPECT_TRUE(passes(visit()));
}

TEST_F(UserinfoRenewal, ARefusedTokenEndsTheSession) {
  configure("oidc_userinfo login refresh=60s");
  world_.log_in(browser_);
  answer_ = {401, "", ""};
  later(60);
  EXPECT_TRUE(starts_login(visit()));
  EXPECT_EQ(world_.session_of(browser_), nullptr);
}

TEST_F(UserinfoRenewal, ALogoutMeanwhileWins) {
  configure("oidc_userinfo login refresh=60s");
  world_.log_in(browser_);
  later(60);
  const auto key = world_.session_of(browser_)->key();
  world_.op.userinfo = [this, key](const std::string&) {
    world_.store.drop(key);
    return answer_;
  };
  EXPECT_TRUE(starts_login(visit()));
  EXPECT_EQ(world_.session_of(browser_), nullptr);
}

TEST_F(UserinfoRenewal, TheTokensStayAsTheyAre) {
  configure("oidc_userinfo login refresh=60s");
  world_.log_in(browser_);
  const auto before = world_.session_of(browser_);
  later(60);
  visit();
  const auto after = world_.session_of(browser_);
  EXPECT_EQ(after->record().access_token, before->record().access_token);
  EXPECT_EQ(after->record().refresh_token, before->record().refresh_token);
  EXPECT_EQ(after->record().created, before->record().created);
  EXPECT_EQ(after->record().userinfo_since, before->record().userinfo_since + 60);
}

// ---- oidc_reverify ---------------------------------------------------------------------------------

class Reverify : public UserinfoRenewal {
 protected:
  Reverify() {
    world_.settings.session.rolling_timeout = world_.settings.session.idling_timeout = 0;
    world_.log_in(browser_);
    world_.settings.token.reverify = true;
  }
};

TEST_F(Reverify, AsLongAsTheKeyIsThere) {
  later(3000);
  EXPECT_TRUE(passes(visit())) << "the ID token's own end is no matter";
  world_.op.published = {&SigningKey::ec("second")};
  world_.op.key = &SigningKey::ec("second");
  later(3600 * 2);
  visit();  // the known set serves while the new one is fetched
  world_.settle();
  const Outcome outcome = visit();
  EXPECT_TRUE(starts_login(outcome)) << describe(outcome);
}

TEST_F(Reverify, ForThisClientAlone) {
  world_.settings.client.id = "another";
  EXPECT_TRUE(starts_login(visit()));
  world_.settings.client.id = kClientId;
  EXPECT_TRUE(passes(visit())) << "another location's business";
  world_.settings.token.id_token_algs = {};
  EXPECT_TRUE(starts_login(visit()));
}

}  // namespace
}  // namespace oidc
