#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "conf_lines.h"

namespace oidc {
namespace {

using ::testing::HasSubstr;

std::string verdict(const std::string& first, const std::string& second) {
  const Built a = build(first);
  const Built b = build(second);
  if (!a.settings || !b.settings) return "not built: " + a.error + b.error;
  const std::array<const Settings*, 2> both = {a.settings.get(), b.settings.get()};
  const Result<void> checked = check_server(both);
  return checked ? "" : checked.error().detail;
}

TEST(ConfServer, TwoIdentitiesHaveTwoNames) {
  EXPECT_EQ(verdict("", "oidc_client_id other\noidc_redirect_uri /other"), "");
  EXPECT_EQ(verdict("", "oidc_session_audience other"), "");
}

TEST(ConfServer, OneIdentityMayShareAllButTheStore) {
  EXPECT_EQ(verdict("", "oidc_scopes openid email"), "");
  EXPECT_EQ(verdict("oidc_session_cookie_name s", "oidc_session_cookie_name s\noidc_timeout 5s"),
            "");
  EXPECT_THAT(verdict("", "oidc_session_storage shm:other"), HasSubstr("oidc_session_storage: "));
  EXPECT_THAT(verdict("", "oidc_session_secret 0123456789abcdef0123456789abcdef"),
              HasSubstr("two secrets"));
  EXPECT_EQ(verdict("", "oidc_session_storage shm:other\noidc_session_cookie_name other"), "");
}

TEST(ConfServer, RedisTimeoutsMakeNoOtherStore) {
  const std::string redis =
      "oidc_session_storage redis\n"
      "oidc_session_secret 0123456789abcdef0123456789abcdef\n";
  EXPECT_EQ(verdict(redis, redis + "oidc_redis_read_timeout 1s"), "");
  EXPECT_THAT(verdict(redis, redis + "oidc_redis_prefix x"), HasSubstr("two stores"));
}

TEST(ConfServer, TheWayBackFromALogoutIsNobodysCallback) {
  EXPECT_EQ(verdict("oidc_post_logout_uri /bye", "oidc_post_logout_uri /bye"), "");
  const std::string other = "oidc_client_id other\noidc_redirect_uri /bye";
  EXPECT_THAT(verdict("oidc_post_logout_uri /bye", other), HasSubstr("is also that of"));
  EXPECT_THAT(verdict(other, "oidc_post_logout_uri /bye"), HasSubstr("is also that of"));
}

TEST(ConfServer, NameSharedByTwoIdentities) {
  EXPECT_THAT(verdict("oidc_session_cookie_name s",
                      "oidc_session_cookie_name s\noidc_client_id other\noidc_redirect_uri /o"),
              HasSubstr("oidc_session_cookie_name: \"s\" is shared by client \"gateway\""));
  EXPECT_THAT(
      verdict("oidc_authorization_cookie_name a",
              "oidc_authorization_cookie_name a\noidc_client_id other\noidc_redirect_uri /o"),
      HasSubstr("oidc_authorization_cookie_name: "));
}

TEST(ConfServer, RememberNameSharedByTwoIdentities) {
  const std::string remember = "oidc_session_remember on\noidc_session_remember_cookie_name r\n";
  const std::string other = "oidc_client_id other\noidc_redirect_uri /o\n";
  EXPECT_THAT(verdict(remember, remember + other),
              HasSubstr("oidc_session_remember_cookie_name: \"r\" is shared by client \"gateway\""));
  EXPECT_THAT(verdict(remember, "oidc_session_cookie_name r\n" + other),
              HasSubstr("oidc_session_remember_cookie_name: \"r\""));
  EXPECT_THAT(verdict("oidc_session_cookie_name r", remember + other),
              HasSubstr("(oidc_session_remember_cookie_name)"));
  EXPECT_EQ(verdict(remember, remember), "");
  EXPECT_EQ(verdict(remember, "oidc_session_remember_cookie_name r\n" + other), "")
      << "a cookie that is never made is no conflict";
  EXPECT_EQ(verdict("oidc_session_remember on", "oidc_session_remember on\n" + other), "");
}

TEST(ConfServer, TwoIssuersOnOneCallback) {
  const std::string other = "oidc_issuer https://other.example.com\n";
  EXPECT_THAT(verdict("", other), HasSubstr("callback of two issuers"));
  EXPECT_THAT(verdict("oidc_require_iss on", other), HasSubstr("oidc_require_iss"));
  EXPECT_EQ(verdict("oidc_require_iss on", other + "oidc_require_iss on"), "");
  EXPECT_EQ(verdict("", other + "oidc_redirect_uri /other/callback"), "");
}

CookieAttributes session_cookie(const std::string& lines, bool https) {
  const Built built = build("oidc_session_cookie_name s\n" + lines);
  if (!built.settings) throw std::logic_error(built.error);
  return built.settings->session.cookie.on(https, SameSite::lax);
}

TEST(ConfCookie, HostPrefixOnHttpsAlone) {
  const CookieAttributes https = session_cookie("", true);
  EXPECT_EQ(https.name, "__Host-s");
  EXPECT_TRUE(https.secure && https.http_only);
  EXPECT_EQ(https.same_site, SameSite::lax);
  const CookieAttributes http = session_cookie("", false);
  EXPECT_EQ(http.name, "s");
  EXPECT_FALSE(http.secure);
}

TEST(ConfCookie, DomainOrPathMakeItSecurePrefix) {
  const CookieAttributes domain = session_cookie("oidc_session_cookie_domain .Example.com", true);
  EXPECT_EQ(domain.name, "__Secure-s");
  EXPECT_EQ(domain.domain, "example.com");
  EXPECT_EQ(session_cookie("oidc_session_cookie_path /app", true).name, "__Secure-s");
  EXPECT_EQ(session_cookie("oidc_session_cookie_path /app", false).name, "s");
}

TEST(ConfCookie, OwnPrefixStays) {
  EXPECT_EQ(session_cookie("oidc_session_cookie_name __Host-mine", true).name, "__Host-mine");
  EXPECT_EQ(session_cookie("oidc_session_cookie_name __Secure-mine", true).name, "__Secure-mine");
  EXPECT_EQ(session_cookie("oidc_session_cookie_name __Host-mine", false).name, "mine");
}

TEST(ConfCookie, SecureByWord) {
  EXPECT_EQ(session_cookie("oidc_session_cookie_secure on", false).name, "__Host-s");
  EXPECT_TRUE(session_cookie("oidc_session_cookie_secure on", false).secure);
  EXPECT_TRUE(session_cookie("oidc_session_cookie_secure off", true).secure);
}

TEST(ConfCookie, SameSiteNoneOnlyWithSecure) {
  EXPECT_EQ(session_cookie("oidc_session_cookie_same_site none", true).same_site, SameSite::none);
  EXPECT_EQ(session_cookie("oidc_session_cookie_same_site none", false).same_site, SameSite::lax);
  EXPECT_EQ(session_cookie("oidc_session_cookie_same_site default", true).same_site,
            SameSite::omitted);
}

TEST(ConfCookie, PendingLoginsHaveAPrefix) {
  const Built built = build("oidc_authorization_cookie_name login");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_EQ(built.settings->authorization.cookie.on(true, SameSite::none).name, "__Host-login_");
  EXPECT_EQ(built.settings->authorization.cookie.on(true, SameSite::none).same_site,
            SameSite::none);
}

}  // namespace
}  // namespace oidc
