// The directives of the index, of logout by the provider and of the administration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "conf_lines.h"

namespace oidc {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string refusal(const std::string& text) {
  const Built built = build(text);
  EXPECT_EQ(built.settings, nullptr) << text;
  return built.error;
}

TEST(ConfLogoutByProvider, Defaults) {
  const Built built = build("");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_TRUE(built.settings->session.store_metadata);
  EXPECT_TRUE(built.settings->session.hash_subject);
  EXPECT_EQ(built.settings->session.max_per_subject, 0U);
  EXPECT_EQ(built.settings->logout.backchannel_uri, "");
  EXPECT_EQ(built.settings->logout.frontchannel_uri, "");
  EXPECT_TRUE(built.settings->logout.backchannel_exp_required);
}

TEST(ConfLogoutByProvider, Values) {
  const Built built = build("oidc_session_hash_subject off\noidc_session_max_per_subject 3\n"
                            "oidc_backchannel_logout_uri /oidc/backchannel\n"
                            "oidc_backchannel_logout_exp optional\n"
                            "oidc_frontchannel_logout_uri /oidc/frontchannel");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_FALSE(built.settings->session.hash_subject);
  EXPECT_EQ(built.settings->session.max_per_subject, 3U);
  EXPECT_EQ(built.settings->logout.backchannel_uri, "/oidc/backchannel");
  EXPECT_EQ(built.settings->logout.frontchannel_uri, "/oidc/frontchannel");
  EXPECT_FALSE(built.settings->logout.backchannel_exp_required);
  EXPECT_FALSE(build("oidc_session_store_metadata off").settings->session.store_metadata);
}

TEST(ConfLogoutByProvider, Refused) {
  for (const char* name : {"oidc_backchannel_logout_uri", "oidc_frontchannel_logout_uri"}) {
    for (const char* value :
         {"logout", "https://app.example.org/x", "/", "/a/", "/a?b", "/a%20b", "//a", "/../a",
          "/$host", "/$arg_x"}) {
      EXPECT_THAT(refusal(std::string(name) + " " + value), HasSubstr(name)) << value;
    }
    EXPECT_THAT(refusal(std::string(name) + " /oidc/callback"),
                AllOf(HasSubstr(name), HasSubstr("oidc_redirect_uri")));
    EXPECT_THAT(refusal(std::string(name) + " /x\noidc_session_store_metadata off"),
                AllOf(HasSubstr(name), HasSubstr("oidc_session_store_metadata on")));
  }
  EXPECT_THAT(refusal("oidc_backchannel_logout_uri /x\noidc_frontchannel_logout_uri /x"),
              HasSubstr("\"/x\""));
  EXPECT_THAT(refusal("oidc_backchannel_logout_exp maybe"), HasSubstr("required or optional"));
  for (const char* value : {"0", "-1", "1001", "many", "3.5"}) {
    EXPECT_THAT(refusal(std::string("oidc_session_max_per_subject ") + value),
                HasSubstr("oidc_session_max_per_subject"));
  }
  EXPECT_THAT(refusal("oidc_session_max_per_subject 2\noidc_session_store_metadata off"),
              HasSubstr("oidc_session_store_metadata on"));
  EXPECT_THAT(refusal("oidc_session_hash_subject yes"), HasSubstr("on or off"));
  EXPECT_THAT(refusal("oidc_session_admin yes"), HasSubstr("on, public or off"));
}

std::string verdict(const std::string& first, const std::string& second) {
  const Built a = build(first);
  const Built b = build(second);
  if (!a.settings || !b.settings) return "not built: " + a.error + b.error;
  const std::array<const Settings*, 2> both = {a.settings.get(), b.settings.get()};
  Result<void> checked = check_server(both);
  if (checked) checked = check_index(*both[0], *both[1]);
  return checked ? "" : checked.error().detail;
}

TEST(ConfLogoutByProvider, OneServer) {
  const std::string other = "oidc_client_id other\noidc_redirect_uri /other\n";
  EXPECT_EQ(verdict("oidc_backchannel_logout_uri /x", "oidc_backchannel_logout_uri /x\n" + other),
            "");
  EXPECT_EQ(verdict("oidc_backchannel_logout_uri /x", ""), "");
  EXPECT_THAT(verdict("oidc_backchannel_logout_uri /x", "oidc_frontchannel_logout_uri /x\n" + other),
              AllOf(HasSubstr("oidc_backchannel_logout_uri"),
                    HasSubstr("oidc_frontchannel_logout_uri")));
  EXPECT_THAT(verdict("oidc_backchannel_logout_uri /other", other), HasSubstr("oidc_redirect_uri"));
  EXPECT_THAT(verdict("", "oidc_session_hash_subject off"), HasSubstr("oidc_session_hash_subject"));
  EXPECT_THAT(verdict("", "oidc_session_store_metadata off"),
              HasSubstr("oidc_session_store_metadata"));
  EXPECT_EQ(verdict("", "oidc_session_hash_subject off\n" + other), "");
  EXPECT_THAT(verdict("oidc_session_max_per_subject 2", "oidc_session_max_per_subject 3"),
              HasSubstr("oidc_session_max_per_subject"));
  EXPECT_EQ(verdict("", "oidc_session_hash_subject off\noidc_session_storage shm:other\n"
                        "oidc_session_cookie_name other"),
            "")
      << "sets in two stores";
}

// An administration shares the Settings of its neighbours.
TEST(ConfLogoutByProvider, TheAdministrationIsTheLocationsOwnBusiness) {
  const ConfLines with("oidc_session_admin on\noidc_scopes openid");
  const ConfLines without("oidc_scopes openid");
  EXPECT_EQ(fingerprint(with.words()), fingerprint(without.words()));
}

}  // namespace
}  // namespace oidc
