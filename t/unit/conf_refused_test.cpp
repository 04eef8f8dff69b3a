// What nginx -t must refuse: each line over a configuration that is right without it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf_lines.h"

namespace oidc {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Refused {
  const char* lines;
  const char* why;
};

class ConfRefused : public ::testing::TestWithParam<Refused> {};

TEST_P(ConfRefused, SaysWhy) {
  const Built built = build(GetParam().lines);
  ASSERT_EQ(built.settings, nullptr) << GetParam().lines;
  EXPECT_THAT(built.error, StartsWith("oidc")) << "the directive is named";
  EXPECT_THAT(built.error, HasSubstr(GetParam().why));
}

constexpr Refused kRefused[] = {
    {"oidc maybe", "\"maybe\": it must be on or off"},
    {"oidc_auth_methods session", "session authorization_code"},
    {"oidc_auth_methods authorization_code", "sessions"},
    {"oidc_auth_methods session bearer", "belong together"},
    {"oidc_auth_methods telepathy",
     "refresh_token, password or client_credentials"},
    {"oidc_auth_methods userinfo", "oidc_audience_required must name"},
    {"oidc_auth_methods userinfo\noidc_audience_required api", "it must be any"},
    {"oidc_auth_methods bearer userinfo\noidc_audience_required api", "it must be any"},
    {"oidc_auth_methods userinfo\noidc_audience_required any\noidc_using_pseudo_issuer on\n",
     "oidc_userinfo_endpoint must be set"},
    {"oidc_auth_methods userinfo\noidc_audience_required any\noidc_userinfo login",
     "no login without authorization_code"},
    {"oidc_userinfo always", "it must be off, missing or login"},
    {"oidc_userinfo_accept text/html", "application/json or application/jwt"},
    {"oidc_userinfo_endpoint http://id.example.com/userinfo", "must be https"},
    {"oidc_userinfo login\noidc_using_pseudo_issuer on\n"
     "oidc_authorization_endpoint https://a.test\noidc_token_endpoint https://a.test\n"
     "oidc_jwks_endpoint https://a.test",
     "oidc_userinfo_endpoint must be set"},
    {"oidc_cache_user_info 1", "on or off"},
    {"oidc_upstream_user_info_header X-Userinfo", "nobody asks for it"},
    {"oidc_userinfo login\noidc_upstream_user_info_header authorization:bearer", "no bearer token"},
    {"oidc_auth_methods bearer", "oidc_audience_required must name"},
    {"oidc_auth_methods introspection\noidc_client_secret off\noidc_audience_required api",
     "oidc_client_secret must be set"},
    {"oidc_auth_methods session introspection authorization_code", "oidc_audience_required"},
    {"oidc_auth_methods bearer\noidc_audience_required api\noidc_unauthenticated redirect",
     "no login without authorization_code"},
    {"oidc_bearer_token_param_type fragment", "header, query, body or cookie"},
    {"oidc_bearer_token_param_type header header", "twice"},
    {"oidc_auth_methods bearer\noidc_audience_required api\noidc_bearer_token_param_type cookie",
     "oidc_bearer_token_cookie_name must say"},
    {"oidc_auth_methods bearer\noidc_audience_required api\noidc_bearer_token_param_type body",
     "oidc_hide_credentials off"},
    {"oidc_auth_methods bearer\noidc_audience_required api\noidc_bearer_token_cookie_name t",
     "no effect without cookie"},
    {"oidc_auth_methods bearer\noidc_audience_required api\noidc_bearer_token_param_type query\n"
     "oidc_bearer_token_header_name X-T",
     "no effect without header"},
    {"oidc_bearer_token_cookie_name \"a b\"", "cookie's name"},
    {"oidc_bearer_token_header_name \"a b\"", "header that may hold a token"},
    {"oidc_bearer_token_header_name Cookie", "header that may hold a token"},
    {"oidc_hide_credentials maybe", "on or off"},
    {"oidc_access_token_signing_algs none", "RFC 7518"},
    {"oidc_enable_hs_signatures on\noidc_access_token_signing_algs HS256", "could make access tokens"},
    {"oidc_access_token_typ \"at jwt\"", "at+jwt"},
    {"oidc_issuers_allowed issuer", "absolute"},
    {"oidc_issuers_allowed https://a.test https://a.test", "twice"},
    {"oidc_extra_jwks_uris http://keys.example.com/jwks", "must be https"},
    {"oidc_proof_of_possession maybe", "refuse or ignore"},
    {"oidc_resource_metadata_uri /metadata", "absolute"},
    {"oidc_cache_tokens 0", "on, off or a number"},
    {"oidc_introspection_endpoint http://id.example.com/introspect", "must be https"},
    {"oidc_introspection_hint \"\"", "printable"},
    {"oidc_introspection_accept application/jwt", "application/json"},
    {"oidc_introspection_post_arg token x", "further argument"},
    {"oidc_introspection_post_arg a $arg_b", "variables are not possible"},
    {"oidc_introspect_jwt_tokens 1", "on or off"},
    {"oidc_introspection_check_active 1", "on or off"},
    {"oidc_cache_introspection 1", "on or off"},
    {"oidc_auth_methods session session", "twice"},
    {"oidc_unauthenticated never", "auto, redirect, deny or pass"},
    {"oidc_run_on_preflight yes", "on or off"},
    {"oidc_base_url example.com", "scheme, host"},
    {"oidc_base_url https://app.example.com/app", "scheme, host"},
    {"oidc_base_url https://app.example.com?x", "scheme, host"},
    {"oidc_base_url https://user@app.example.com", "scheme, host"},
    {"oidc_navigation_dest iframe", "document must be among"},
    {"oidc_navigation_dest document frame", "\"frame\""},
    {"oidc_issuer id.example.com", "absolute http or https URL"},
    {"oidc_issuer ftp://id.example.com", "absolute"},
    {"oidc_issuer https://id.example.com/?tenant=1", "no query"},
    {"oidc_issuer https://id.example.com/#x", "fragment"},
    {"oidc_issuer https://user:pw@id.example.com/", "user information"},
    {"oidc_issuer HTTPS://id.example.com", "lower case"},
    {"oidc_using_pseudo_issuer on", "oidc_authorization_endpoint must be set"},
    {"oidc_token_endpoint http://id.example.com/token", "must be https"},
    {"oidc_jwks_endpoint /jwks", "absolute"},
    {"oidc_end_session_endpoint http://id.example.com/logout", "must be https"},
    {"oidc_rediscovery_lifetime 0", "between 1s"},
    {"oidc_cache_ttl forever", "whole seconds"},
    {"oidc_cache_ttl 100d", "between"},
    {"oidc_timeout 10000", "between 100ms and 1m"},
    {"oidc_timeout 50ms", "between"},
    {"oidc_keepalive 5", "on or off"},
    {"oidc_http_proxy https://proxy.example.com", "http://[user:password@]host"},
    {"oidc_https_proxy proxy.example.com:3128", "http://"},
    {"oidc_no_proxy localhost off", "off alone"},
    {"oidc_ssl_verify of", "on or off"},
    {"oidc_ssl_trusted_certificate /nowhere/ca.pem", "cannot find \"/nowhere/ca.pem\""},
    {"oidc_ssl_crl nowhere.crl", "cannot find \"/etc/nginx/nowhere.crl\""},
    {"oidc_ssl_trusted_certificate /", "directory"},
    {"oidc_client_secret file:/nowhere/secret", "cannot open \"/nowhere/secret\""},
    {"oidc_client_secret env:OIDC_NOT_THERE", "OIDC_NOT_THERE"},
    {"oidc_client_auth private_key_jwt", "oidc_client_jwk must be set"},
    {"oidc_client_auth none", "used for nothing"},
    {"oidc_redirect_uri request", "path or an absolute"},
    {"oidc_redirect_uri /oidc/callback?x=1", "no query"},
    {"oidc_redirect_uri /$server_name", "before the path only"},
    {"oidc_redirect_uri https://other.example.com/cb\noidc_base_url https://app.example.com",
     "not below oidc_base_url"},
    {"oidc_scopes profile email", "openid must be among"},
    {"oidc_scopes \"openid profile\"", "one scope a word"},
    {"oidc_scopes openid openid", "twice"},
    {"oidc_audience \"a b\"", "without spaces"},
    {"oidc_response_mode fragment", "query or form_post"},
    {"oidc_require_proof_key_for_code_exchange yes", "auto, on or off"},
    {"oidc_require_proof_key_for_code_exchange off\noidc_client_secret off", "must not be off"},
    {"oidc_require_iss auto", "on or off"},
    {"oidc_authorization_query_arg state x", "\"state\""},
    {"oidc_authorization_query_arg code_challenge x", "\"code_challenge\""},
    {"oidc_authorization_query_arg max_age 5", "use oidc_max_age"},
    {"oidc_authorization_query_arg prompt", "name and a value"},
    {"oidc_authorization_query_arg prompt a\noidc_authorization_query_arg prompt b", "twice"},
    {"oidc_authorization_query_args_client login_hint redirect_uri", "\"redirect_uri\""},
    {"oidc_authorization_query_args_client client_assertion_type", "no client may"},
    {"oidc_authorization_query_args_client prompt\noidc_authorization_query_arg prompt login",
     "set by oidc_authorization_query_arg"},
    {"oidc_max_age soon", "whole seconds"},
    {"oidc_acr_values off gold", "off alone"},
    {"oidc_authorization_cookie_name \"a b\"", "name of a cookie"},
    {"oidc_authorization_cookie_name __Host-", "name of a cookie"},
    {"oidc_authorization_cookie_path oidc", "begins with /"},
    {"oidc_authorization_cookie_path /app", "not send the cookie to the callback"},
    {"oidc_authorization_cookie_path /oid", "not send the cookie to the callback"},
    {"oidc_authorization_cookie_domain \"ex;ample\"", "domain"},
    {"oidc_authorization_cookie_same_site Loose", "auto, lax, strict, none or default"},
    {"oidc_authorization_cookie_same_site Strict", "never send a Strict cookie"},
    {"oidc_authorization_cookie_http_only maybe", "on or off"},
    {"oidc_authorization_cookie_secure maybe", "auto, on or off"},
    {"oidc_authorization_rolling_timeout 5s", "between 30s"},
    {"oidc_session_remember yes", "on or off"},
    {"oidc_session_remember_cookie_name \"a b\"", "name of a cookie"},
    {"oidc_session_remember_cookie_name __Host-", "name of a cookie"},
    {"oidc_session_cookie_name s\noidc_session_remember_cookie_name s", "another cookie"},
    {"oidc_authorization_cookie_name l\noidc_session_remember_cookie_name l_x", "another cookie"},
    {"oidc_session_remember_rolling_timeout long", "whole seconds"},
    {"oidc_session_remember_rolling_timeout 2y", "between"},
    {"oidc_session_remember_absolute_timeout -1", "whole seconds"},
    {"oidc_session_remember_absolute_timeout 400d", "between"},
    {"oidc_session_remember on\noidc_session_remember_rolling_timeout 0\n"
     "oidc_session_remember_absolute_timeout 0",
     "a stolen cookie would serve for ever"},
    {"oidc_authorization_max_pending 0", "between 1 and 20"},
    {"oidc_preserve_query_args maybe", "on or off"},
    {"oidc_login_methods password", "authorization_code or off"},
    {"oidc_login_action none", "redirect, upstream or response"},
    {"oidc_login_action response", "must say what"},
    {"oidc_login_tokens introspection", "id_token, access_token, refresh_token or tokens"},
    {"oidc_login_tokens id_token\noidc_login_redirect_mode query", "tokens in a query"},
    {"oidc_login_redirect_mode form", "fragment or query"},
    {"oidc_login_redirect_uri $arg_next", "what the client says"},
    {"oidc_login_redirect_uri https://evil.example/x\noidc_login_tokens id_token", "another site"},
    {"oidc_logout_uri_suffix /", "end of a path"},
    {"oidc_logout_uri_suffix /bye?x", "end of a path"},
    {"oidc_logout_uri_suffix callback", "ends like that"},
    {"oidc_logout_query_arg \"a b\"", "without spaces"},
    {"oidc_logout_methods PUT", "get, post or delete"},
    {"oidc_logout_redirect_uri goodbye", "a path is expected"},
    {"oidc_logout_post_arg \"a b\"", "without spaces"},
    {"oidc_logout_from anybody", "same-origin, same-site or any"},
    {"oidc_post_logout_uri https://app.example.com/bye", "a path of this server"},
    {"oidc_post_logout_uri /bye?x=1", "its path must be one such as"},
    {"oidc_post_logout_uri /a/../b", "its path must be one such as"},
    {"oidc_post_logout_uri /oidc/callback", "is that of oidc_redirect_uri"},
    {"oidc_post_logout_uri /signed/out\noidc_logout_uri_suffix /out", "ends like that"},
    {"oidc_revocation_endpoint http://id.example.com/revoke", "must be https"},
    {"oidc_revocation_endpoint /revoke", "absolute"},
    {"oidc_logout_revoke maybe", "on or off"},
    {"oidc_logout_revoke on\noidc_logout_revoke_access_token off\n"
     "oidc_logout_revoke_refresh_token off", "no token left"},
    {"oidc_logout_revoke on\noidc_using_pseudo_issuer on\n"
     "oidc_authorization_endpoint https://id.example.com/a\n"
     "oidc_token_endpoint https://id.example.com/t\noidc_jwks_endpoint https://id.example.com/j",
     "oidc_revocation_endpoint must be set"},
    {"oidc_session_storage memcached", "shm, shm:NAME of an oidc_session_zone, redis or cookie"},
    {"oidc_session_storage shm:", "shm:NAME"},
    {"oidc_session_storage redis", "oidc_session_secret: it must be set"},
    {"oidc_session_secret short", "at least 32 random bytes"},
    {"oidc_session_secret 0123456789abcdef0123456789abcdef 0123456789abcdef0123456789abcdef",
     "twice"},
    {"oidc_session_absolute_timeout 0\noidc_session_idling_timeout 0\n"
     "oidc_session_rolling_timeout 0",
     "never end"},
    {"oidc_session_bind cookie", "it must be ip, scheme or user-agent"},
    {"oidc_session_bind ip off", "it must be ip, scheme or user-agent"},
    {"oidc_session_rolling_timeout 2y", "oidc_session_rolling_timeout"},
    {"oidc_session_request_headers name", "it must be id, audience, subject"},
    {"oidc_session_response_headers id id", "twice"},
    {"oidc_session_request_headers id\noidc_upstream_header session_id sub", "another directive"},
    {"oidc_session_idling_timeout 1x", "whole seconds"},
    {"oidc_session_audience \"\"", "printable"},
    {"oidc_session_cache 1k", "oidc_session_cache"},
    {"oidc_session_cache 16m max=1s", "only max_age=TIME"},
    {"oidc_session_cache 16m max_age=0", "oidc_session_cache"},
    {"oidc_session_outage sometimes", "deny or cached=TIME"},
    {"oidc_session_outage cached=2h", "oidc_session_outage"},
    {"oidc_session_storage redis\noidc_session_secret 0123456789abcdef0123456789abcdef\n"
     "oidc_session_cache off\noidc_session_outage cached=5m", "oidc_session_cache is off"},
    {"oidc_session_cookie_name oidc_login_x\noidc_authorization_cookie_name oidc_login",
     "begins as"},
    {"oidc_session_cookie_name __Host-s\noidc_session_cookie_domain example.com",
     "__Host- allows no domain"},
    {"oidc_session_cookie_name __Host-s\noidc_session_cookie_path /app", "no path but /"},
    {"oidc_session_cookie_name __Secure-s\noidc_session_cookie_secure off", "must not be off"},
    {"oidc_session_cookie_same_site None\noidc_session_cookie_secure off", "None without Secure"},
    {"oidc_session_cookie_domain other.example", "browsers refuse \"other.example\""},
    {"oidc_session_cookie_domain le.com", "browsers refuse"},
    {"oidc_redis_host 10.0.0.1:6379", "without port"},
    {"oidc_redis_port 70000", "between 1 and 65535"},
    {"oidc_redis_socket redis.sock", "absolute path"},
    {"oidc_redis_database -1", "whole number"},
    {"oidc_redis_connect_timeout 5m", "between 10ms and 1m"},
    {"oidc_redis_keepalive_pool_size 0", "between 1 and 256"},
    {"oidc_session_storage redis\noidc_session_secret "
     "0123456789abcdef0123456789abcdef\noidc_redis_username u",
     "oidc_redis_password must be set"},
    {"oidc_session_storage redis\noidc_session_secret "
     "0123456789abcdef0123456789abcdef\noidc_redis_socket /run/r.sock\noidc_redis_host h",
     "together with oidc_redis_host"},
    {"oidc_session_storage redis\noidc_session_secret "
     "0123456789abcdef0123456789abcdef\noidc_redis_socket /run/r.sock\noidc_redis_ssl on",
     "no TLS over"},
    {"oidc_session_storage redis\noidc_session_secret "
     "0123456789abcdef0123456789abcdef\noidc_redis_ssl on\noidc_redis_ssl_certificate /etc/passwd",
     "go together"},
    {"oidc_leeway 2h", "between 0 and 1h"},
    {"oidc_signing_algs none", "\"none\""},
    {"oidc_signing_algs RS256 HS256", "needs oidc_enable_hs_signatures on"},
    {"oidc_signing_algs HS512\noidc_enable_hs_signatures on", "64 bytes"},
    {"oidc_id_token_signing_algs rs256", "\"rs256\""},
    {"oidc_enable_hs_signatures on\noidc_client_secret short", "32 bytes"},
    {"oidc_refresh_tokens maybe", "on or off"},
    {"oidc_refresh_before 2d", "between 0 and 1d"},
    {"oidc_upstream_access_token_header \"x y\"", "name of a header"},
    {"oidc_upstream_access_token_header ---", "name of a header"},
    {"oidc_upstream_id_token_header Transfer-Encoding", "server itself"},
    {"oidc_upstream_id_token_header Cookie", "server itself"},
    {"oidc_upstream_id_token_header content_length", "server itself"},
    {"oidc_upstream_session_id_header x-session:bearer", "no bearer token"},
    {"oidc_upstream_id_token_header authorization", "two directives set"},
    {"oidc_upstream_header x-user", "path of a claim"},
    {"oidc_upstream_header x-user a..b", "\"a..b\""},
    {"oidc_upstream_header x-user sub base64", "plain, base64url or percent"},
    {"oidc_upstream_header x-user sub\noidc_upstream_header X_User email", "two directives set"},
    {"oidc_clear_headers maybe", "on or off"},
};

INSTANTIATE_TEST_SUITE_P(Table, ConfRefused, ::testing::ValuesIn(kRefused));

TEST(ConfRefusedWhere, TheLineIsNamed) {
  EXPECT_THAT(build("oidc_timeout never").error, HasSubstr("in test.conf:5"));
  EXPECT_THAT(build("oidc_client_auth none").error, HasSubstr("in test.conf:5"));
}

TEST(ConfRefusedWhere, NoSecretIsShown) {
  const std::string secret = "hunter2hunter2";
  for (const std::string& line :
       {"oidc_session_secret " + secret, "oidc_http_proxy https://u:" + secret + "@proxy:1/x",
        "oidc_issuer https://u:" + secret + "@id.example.com",
        "oidc_base_url https://u:" + secret + "@a/",
        "oidc_client_secret " + secret + "\noidc_enable_hs_signatures on"}) {
    const Built built = build(line);
    ASSERT_EQ(built.settings, nullptr) << line;
    EXPECT_THAT(built.error, Not(HasSubstr(secret)));
  }
}

TEST(ConfRefusedMissing, WhatIsRequired) {
  const auto error_of = [](const char* text) {
    const ConfLines lines(text);
    std::vector<std::string> warnings;
    return build_settings(lines.words(), test_facts(), warnings).error().detail;
  };
  EXPECT_THAT(error_of("oidc on"), HasSubstr("oidc_issuer: it must be set"));
  EXPECT_THAT(error_of("oidc on\noidc_issuer https://id.example.com"),
              HasSubstr("oidc_client_id: it must be set"));
}

TEST(ConfRefusedNames, HostMustBeTrustworthy) {
  for (const char* const name : {"", "_", "*.example.com", "www.*", ".example.com", "~^app"}) {
    const BuildFacts facts{"/etc/nginx/", {"app.example.com", name}};
    EXPECT_THAT(build("", facts).error, HasSubstr("oidc_base_url: it must be set")) << name;
    EXPECT_THAT(build("oidc_redirect_uri https://$host/cb", facts).error,
                HasSubstr("oidc_base_url"))
        << name;
    EXPECT_NE(build("oidc_base_url https://app.example.com", facts).settings, nullptr) << name;
    EXPECT_NE(build("oidc_redirect_uri https://app.example.com/cb", facts).settings, nullptr)
        << name;
  }
  EXPECT_THAT(build("", {"/", {}}).error, HasSubstr("literal names in server_name"));
}

}  // namespace
}  // namespace oidc
