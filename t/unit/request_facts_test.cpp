// What the request's own data says: whose origin it is, what kind of request, which cookies.
#include <gtest/gtest.h>

#include <string>

#include "browser.h"
#include "oidc/flow.h"
#include "result_code.h"
#include "sample_settings.h"

namespace oidc {
namespace {

using test::Browser;
using test::code_of;
using test::sample_settings;

std::shared_ptr<RequestFacts> navigation() {
  return Browser().navigate("/a?b=c");
}

TEST(OwnOrigin, IsTheConfiguredOrTheRequests) {
  Settings settings = sample_settings();
  const auto facts = navigation();
  EXPECT_EQ(own_origin(settings, *facts), "https://app.example.org");
  EXPECT_TRUE(own_origin_is_https(settings, *facts));
  facts->host_port = ":8443";
  EXPECT_EQ(own_origin(settings, *facts), "https://app.example.org:8443");
  facts->https = false;
  EXPECT_EQ(own_origin(settings, *facts), "http://app.example.org:8443");
  EXPECT_FALSE(own_origin_is_https(settings, *facts));
  settings.base_url = "https://public.example";
  EXPECT_EQ(own_origin(settings, *facts), "https://public.example");
  EXPECT_TRUE(own_origin_is_https(settings, *facts));
}

TEST(CheckHost, OnlyLiteralNamesOfTheServer) {
  Settings settings = sample_settings();
  const auto facts = navigation();
  EXPECT_EQ(code_of(check_host(settings, *facts)), Errc::none);
  for (const char* host : {"evil.example", "app.example.org.evil.example", "", "app.example.or"}) {
    facts->host = host;
    EXPECT_EQ(code_of(check_host(settings, *facts)), Errc::misdirected) << host;
  }
  settings.base_url = "https://public.example";
  EXPECT_EQ(code_of(check_host(settings, *facts)), Errc::none);
}

TEST(RedirectUri, IsAbsolute) {
  Settings settings = sample_settings();
  const auto facts = navigation();
  EXPECT_EQ(redirect_uri(settings, *facts), "https://app.example.org/callback");
  settings.base_url = "https://public.example:444";
  EXPECT_EQ(redirect_uri(settings, *facts), "https://public.example:444/callback");
  settings.authorization.redirect_uri.text = "https://third.example/cb";
  EXPECT_EQ(redirect_uri(settings, *facts), "https://third.example/cb");
}

TEST(CookieNames, FollowTheScheme) {
  const Settings settings = sample_settings();
  EXPECT_EQ(session_cookie_attributes(settings, true).name, "__Host-session");
  EXPECT_EQ(session_cookie_attributes(settings, false).name, "session");
  EXPECT_EQ(login_cookie_attributes(settings, true, "id").name, "__Host-login_id");
  EXPECT_EQ(login_cookie_attributes(settings, false, "id").name, "login_id");
  EXPECT_TRUE(session_cookie_attributes(settings, true).secure);
  EXPECT_FALSE(session_cookie_attributes(settings, false).secure);
}

TEST(CookieNames, OnlyAFormPostLoginOnHttpsCrossesSites) {
  Settings settings = sample_settings();
  EXPECT_EQ(login_cookie_attributes(settings, true, "id").same_site, SameSite::lax);
  settings.authorization.response_mode = ResponseMode::form_post;
  EXPECT_EQ(login_cookie_attributes(settings, true, "id").same_site, SameSite::none);
  EXPECT_EQ(login_cookie_attributes(settings, false, "id").same_site, SameSite::lax);
  EXPECT_EQ(session_cookie_attributes(settings, true).same_site, SameSite::lax);
}

TEST(Navigation, BySecFetch) {
  Settings settings = sample_settings();
  EXPECT_TRUE(is_navigation(settings, *navigation()));
  EXPECT_FALSE(is_navigation(settings, *Browser().fetch("/")));
  const auto frame = navigation();
  frame->sec_fetch_dest = "iframe";
  EXPECT_FALSE(is_navigation(settings, *frame));
  settings.navigation_iframe = true;
  EXPECT_TRUE(is_navigation(settings, *frame));
  for (const char* destination : {"image", "script", "empty", "embed", ""}) {
    frame->sec_fetch_dest = destination;
    EXPECT_FALSE(is_navigation(settings, *frame)) << destination;
  }
}

TEST(Navigation, OnlyGetAndHeadAndNoPrefetch) {
  const Settings settings = sample_settings();
  const auto facts = navigation();
  facts->method = "HEAD";
  EXPECT_TRUE(is_navigation(settings, *facts));
  for (const char* method : {"POST", "PUT", "OPTIONS", "get", ""}) {
    facts->method = method;
    EXPECT_FALSE(is_navigation(settings, *facts)) << method;
  }
  facts->method = "GET";
  facts->sec_purpose = "prefetch";
  EXPECT_FALSE(is_navigation(settings, *facts));
  facts->sec_purpose = "";
  facts->upgrade = "websocket";
  EXPECT_FALSE(is_navigation(settings, *facts));
}

TEST(Navigation, ByAcceptWhereThereIsNoSecFetch) {
  const Settings settings = sample_settings();
  const auto facts = navigation();
  facts->sec_fetch_mode = facts->sec_fetch_dest = "";
  EXPECT_TRUE(is_navigation(settings, *facts));
  facts->x_requested_with = "XMLHttpRequest";
  EXPECT_FALSE(is_navigation(settings, *facts));
  facts->x_requested_with = "";
  for (const char* accept : {"", "*/*", "application/json", "image/webp"}) {
    facts->accept = accept;
    EXPECT_FALSE(is_navigation(settings, *facts)) << accept;
  }
}

TEST(WhoAsks, BySecFetchSite) {
  const Settings settings = sample_settings();
  const auto facts = navigation();
  facts->origin = "https://evil.example";  // Sec-Fetch-Site comes first
  for (const char* site : {"same-origin", "none"}) {
    facts->sec_fetch_site = site;
    EXPECT_EQ(initiator(settings, *facts), Initiator::ours) << site;
  }
  facts->origin = "https://app.example.org";
  for (const char* site : {"same-site", "cross-site", "SAME-ORIGIN", "x"}) {
    facts->sec_fetch_site = site;
    EXPECT_EQ(initiator(settings, *facts), Initiator::foreign) << site;
  }
}

TEST(WhoAsks, ElseByOrigin) {
  const Settings settings = sample_settings();
  const auto facts = navigation();
  facts->sec_fetch_site = "";
  facts->origin = "https://app.example.org";
  EXPECT_EQ(initiator(settings, *facts), Initiator::ours);
  facts->referer = "https://app.example.org/page";  // Origin comes first
  for (const char* origin : {"http://app.example.org", "https://app.example.org:8443",
                             "https://app.example.org.evil.example", "https://APP.example.org/"}) {
    facts->origin = origin;
    EXPECT_EQ(initiator(settings, *facts), Initiator::foreign) << origin;
  }
}

TEST(WhoAsks, ElseByReferer) {
  const Settings settings = sample_settings();
  const auto facts = navigation();
  facts->sec_fetch_site = "";
  for (const char* origin : {"", "null"}) {
    facts->origin = origin;
    for (const char* referer : {"https://app.example.org/page", "https://app.example.org",
                                "https://app.example.org?x", "https://app.example.org#x"}) {
      facts->referer = referer;
      EXPECT_EQ(initiator(settings, *facts), Initiator::ours) << referer;
    }
    for (const char* referer :
         {"https://evil.example/?https://app.example.org/", "app.example.org",
          "https://app.example.org@evil.example/", "https://app.example.orgx/"}) {
      facts->referer = referer;
      EXPECT_EQ(initiator(settings, *facts), Initiator::foreign) << referer;
    }
  }
}

TEST(WhoAsks, NobodySays) {
  const Settings settings = sample_settings();
  const auto facts = navigation();
  facts->sec_fetch_site = "";
  EXPECT_EQ(initiator(settings, *facts), Initiator::unknown);
  facts->origin = "null";
  EXPECT_EQ(initiator(settings, *facts), Initiator::unknown);
}

TEST(WhoAsks, APrefetchIsNobodysHand) {
  const Settings settings = sample_settings();
  const auto facts = navigation();
  facts->sec_purpose = "prefetch;prerender";
  EXPECT_EQ(initiator(settings, *facts), Initiator::foreign);
}

TEST(LogoutRequest, BySuffixAndMethod) {
  Settings settings = sample_settings();
  settings.logout.uri_suffix = "/logout";
  const auto facts = Browser().post("/app/logout?x=1");
  EXPECT_TRUE(is_logout_request(settings, *facts));
  facts->method = "DELETE";
  EXPECT_TRUE(is_logout_request(settings, *facts));
  facts->method = "GET";
  EXPECT_FALSE(is_logout_request(settings, *facts));
  settings.logout.get = true;
  EXPECT_TRUE(is_logout_request(settings, *facts));
  facts->method = "HEAD";
  EXPECT_FALSE(is_logout_request(settings, *facts));
  facts->method = "POST";
  facts->path = "/app/logout/";
  EXPECT_FALSE(is_logout_request(settings, *facts));
  settings.logout.post = false;
  facts->path = "/logout";
  EXPECT_FALSE(is_logout_request(settings, *facts));
}

TEST(LogoutRequest, ByQueryArgument) {
  Settings settings = sample_settings();
  settings.logout.query_arg = "logout";
  const std::pair<const char*, bool> cases[] = {
      {"/?logout", true},     {"/?logout=", true},    {"/?a=b&logout=1", true},
      {"/?log%6Fut=1", true}, {"/?logoutx=1", false}, {"/?a=logout", false},
      {"/logout", false},     {"/", false},           {"/?logout=%zz", false}};
  for (const auto& [target, expected] : cases) {
    EXPECT_EQ(is_logout_request(settings, *Browser().post(target)), expected) << target;
  }
}

TEST(LogoutRequest, IsNothingUnlessConfigured) {
  const Settings settings = sample_settings();
  EXPECT_FALSE(is_logout_request(settings, *Browser().post("/logout?logout=1")));
}

}  // namespace
}  // namespace oidc
