#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "conf_lines.h"
#include "oidc/base64url.h"

namespace oidc {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

TEST(ConfDirectives, TableIsSound) {
  std::set<std::string_view> names;
  for (const Directive& directive : directives()) {
    EXPECT_TRUE(names.insert(directive.name).second) << directive.name;
    EXPECT_TRUE(directive.name == "oidc" || directive.name.starts_with("oidc_")) << directive.name;
    EXPECT_GE(directive.min_words, 1U);
    EXPECT_LE(directive.min_words, directive.max_words);
  }
  EXPECT_GT(names.size(), 90U);
}

TEST(ConfDirectives, DefaultsAreAccepted) {
  const BuildFacts facts = test_facts();
  for (std::size_t i = 0; i < directives().size(); ++i) {
    const Directive& directive = directives()[i];
    if (directive.default_text.empty()) continue;
    DirectiveUse use;
    use.words = split_words(std::string(directive.default_text));
    const Result<void> checked = check_directive(i, use, facts);
    EXPECT_TRUE(checked) << directive.name;
  }
}

// The defaults that Settings have without a configuration (unit tests of flows use them) are those
// of the directives.
TEST(ConfSettings, MinimalHasTheDocumentedDefaults) {
  const Built built = build("");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_THAT(built.warnings, IsEmpty());
  const Settings& settings = *built.settings;
  const Settings plain;
  EXPECT_EQ(settings.unauthenticated, plain.unauthenticated);
  EXPECT_EQ(settings.base_url, "");
  EXPECT_THAT(settings.server_names, ElementsAre("app.example.com"));
  EXPECT_FALSE(settings.navigation_iframe);

  EXPECT_EQ(settings.provider.issuer, "https://id.example.com/realms/demo");
  EXPECT_EQ(settings.provider.discovery_url,
            "https://id.example.com/realms/demo/.well-known/openid-configuration");
  ProviderSettings provider = settings.provider;
  provider.issuer.clear();
  provider.discovery_url.clear();
  EXPECT_EQ(provider, plain.provider);

  EXPECT_EQ(settings.client.id, "gateway");
  EXPECT_EQ(settings.client.secret.view(), "0123456789abcdef0123456789abcdef");
  EXPECT_FALSE(settings.client.auth.has_value());

  const AuthorizationSettings& authorization = settings.authorization;
  EXPECT_EQ(authorization.redirect_uri.text, "/oidc/callback");
  EXPECT_EQ(authorization.callback_path, "/oidc/callback");
  EXPECT_THAT(authorization.scopes, ElementsAre("openid"));
  EXPECT_EQ(authorization.response_mode, plain.authorization.response_mode);
  EXPECT_EQ(authorization.pkce, Toggle::automatic);
  EXPECT_FALSE(authorization.require_iss);
  EXPECT_FALSE(authorization.max_age.has_value());
  EXPECT_EQ(authorization.rolling_timeout, plain.authorization.rolling_timeout);
  EXPECT_EQ(authorization.max_pending, plain.authorization.max_pending);
  EXPECT_TRUE(authorization.preserve_query_args);
  EXPECT_THAT(authorization.cookie.name, MatchesRegex("oidc_login_[0-9a-f]{6}_"));
  EXPECT_FALSE(authorization.cookie.same_site.has_value());

  EXPECT_EQ(settings.login.action, LoginAction::redirect);
  EXPECT_FALSE(settings.login.tokens.any());
  EXPECT_TRUE(settings.login.redirect_uri.empty());
  EXPECT_TRUE(settings.logout.uri_suffix.empty());
  EXPECT_FALSE(settings.logout.get);
  EXPECT_TRUE(settings.logout.post && settings.logout.del);

  const SessionSettings& session = settings.session;
  EXPECT_EQ(session.storage, StorageKind::shm);
  EXPECT_EQ(session.zone, plain.session.zone);
  EXPECT_THAT(session.secrets, IsEmpty());
  EXPECT_EQ(session.absolute_timeout, plain.session.absolute_timeout);
  EXPECT_EQ(session.idling_timeout, plain.session.idling_timeout);
  EXPECT_EQ(session.audience, plain.session.audience);
  EXPECT_TRUE(same_store(session, plain.session));
  EXPECT_THAT(session.cookie.name, MatchesRegex("oidc_session_[0-9a-f]{6}"));

  EXPECT_EQ(settings.token.leeway, plain.token.leeway);
  EXPECT_TRUE(settings.token.refresh);
  EXPECT_EQ(settings.token.refresh_before, plain.token.refresh_before);
  EXPECT_TRUE(settings.token.id_token_algs.has(Alg::RS256));
  EXPECT_TRUE(settings.token.id_token_algs.has(Alg::EdDSA));
  EXPECT_TRUE(settings.token.id_token_algs.has(Alg::Ed25519));
  EXPECT_FALSE(settings.token.id_token_algs.has(Alg::HS256));

  ASSERT_EQ(settings.headers.upstream.size(), 1U);
  EXPECT_EQ(settings.headers.upstream[0].name, "authorization");
  EXPECT_TRUE(settings.headers.upstream[0].bearer);
  EXPECT_EQ(settings.headers.upstream[0].source, IdentityHeader::Source::access_token);
  EXPECT_EQ(settings.identity.size(), 32U);
  EXPECT_EQ(settings.fingerprint.size(), 32U);
}

TEST(ConfSettings, IssuerMayBeTheDiscoveryDocument) {
  const Built built =
      build("oidc_issuer https://id.example.com/x/.well-known/openid-configuration");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_EQ(built.settings->provider.issuer, "https://id.example.com/x");
  EXPECT_EQ(built.settings->provider.discovery_url,
            "https://id.example.com/x/.well-known/openid-configuration");
}

TEST(ConfSettings, IssuerKeepsItsSlash) {
  const Built built = build("oidc_issuer https://tenant.example.com/");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_EQ(built.settings->provider.issuer, "https://tenant.example.com/");
  EXPECT_EQ(built.settings->provider.discovery_url,
            "https://tenant.example.com/.well-known/openid-configuration");
}

TEST(ConfSettings, PseudoIssuerNeedsNoDiscovery) {
  const Built built = build(
      "oidc_using_pseudo_issuer on\n"
      "oidc_authorization_endpoint https://id.example.com/authorize\n"
      "oidc_token_endpoint https://id.example.com/token\n"
      "oidc_jwks_endpoint https://id.example.com/jwks\n");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_FALSE(built.settings->provider.discover);
  EXPECT_EQ(built.settings->provider.token_endpoint, "https://id.example.com/token");
}

TEST(ConfSettings, AbsoluteRedirectUriSaysTheBaseUrl) {
  const Built built = build("oidc_redirect_uri HTTPS://App.example.com:443/cb");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_EQ(built.settings->base_url, "https://app.example.com");
  EXPECT_EQ(built.settings->authorization.callback_path, "/cb");
  EXPECT_EQ(build("oidc_redirect_uri https://$host/cb").settings->base_url, "");
}

TEST(ConfSettings, BaseUrlIsCanonical) {
  EXPECT_EQ(build("oidc_base_url HTTP://App.Example.com:80/").settings->base_url,
            "http://app.example.com");
  EXPECT_EQ(build("oidc_base_url https://app.example.com:8443").settings->base_url,
            "https://app.example.com:8443");
}

TEST(ConfSettings, ClientWithoutSecretIsPublic) {
  const Built built = build("oidc_client_secret off");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_EQ(built.settings->client.auth, ClientAuth::none);
}

TEST(ConfSettings, ListsReplaceLists) {
  ConfLines lines(kMinimalConf);
  lines.add(
      "oidc_scopes openid profile email\n"
      "oidc_upstream_header x-user sub\n"
      "oidc_upstream_header x-mail email plain\n"
      "oidc_authorization_query_arg prompt login\n");
  lines.add(
      "oidc_scopes openid\n"
      "oidc_upstream_header x-roles realm_access.roles base64url\n");
  std::vector<std::string> warnings;
  const auto built = build_settings(lines.words(), test_facts(), warnings);
  ASSERT_TRUE(built) << built.error().detail;
  EXPECT_THAT((*built)->authorization.scopes, ElementsAre("openid"));
  ASSERT_EQ((*built)->headers.upstream.size(), 2U);
  const IdentityHeader& roles = (*built)->headers.upstream[1];
  EXPECT_EQ(roles.name, "x-roles");
  EXPECT_THAT(roles.path.names(), ElementsAre("realm_access", "roles"));
  EXPECT_EQ(roles.encoding, IdentityHeader::Encoding::base64url);
  EXPECT_EQ((*built)->authorization.query_args.size(), 1U);
}

TEST(ConfSettings, OffClearsAnInheritedList) {
  ConfLines lines(kMinimalConf);
  lines.add(
      "oidc_audience a b\noidc_upstream_header x-user sub\noidc_max_age 5m\n"
      "oidc_authorization_query_arg prompt login\noidc_acr_values gold\n");
  lines.add(
      "oidc_audience off\noidc_upstream_header off\noidc_max_age off\n"
      "oidc_authorization_query_arg off\noidc_acr_values off\n"
      "oidc_upstream_access_token_header off");
  std::vector<std::string> warnings;
  const auto built = build_settings(lines.words(), test_facts(), warnings);
  ASSERT_TRUE(built) << built.error().detail;
  EXPECT_THAT((*built)->authorization.audience, IsEmpty());
  EXPECT_THAT((*built)->authorization.query_args, IsEmpty());
  EXPECT_THAT((*built)->authorization.acr_values, IsEmpty());
  EXPECT_FALSE((*built)->authorization.max_age.has_value());
  EXPECT_THAT((*built)->headers.upstream, IsEmpty());
}

TEST(ConfSettings, HmacAlgorithmsAreThoseThatTheSecretBears) {
  const Built built = build("oidc_enable_hs_signatures on");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_TRUE(built.settings->token.id_token_algs.has(Alg::HS256));
  EXPECT_FALSE(built.settings->token.id_token_algs.has(Alg::HS384));
  EXPECT_TRUE(built.settings->token.id_token_algs.has(Alg::RS256));

  const Built pinned = build("oidc_signing_algs RS256 HS256\noidc_id_token_signing_algs ES256\n");
  ASSERT_NE(pinned.settings, nullptr) << pinned.error;
  EXPECT_TRUE(pinned.settings->token.id_token_algs.has(Alg::ES256));
  EXPECT_FALSE(pinned.settings->token.id_token_algs.has(Alg::RS256));
}

TEST(ConfSettings, WithoutLoginMethodsNoActionIsDone) {
  const Built built = build(
      "oidc_login_methods off\noidc_login_action response\n"
      "oidc_login_tokens tokens\noidc_login_redirect_uri /home");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_EQ(built.settings->login.action, LoginAction::redirect);
  EXPECT_FALSE(built.settings->login.tokens.any());
  EXPECT_TRUE(built.settings->login.redirect_uri.empty());
}

TEST(ConfSettings, EnumerationsTakeKongsSpelling) {
  const Built built = build("oidc_session_cookie_same_site None\noidc_logout_methods GET post");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_EQ(built.settings->session.cookie.same_site, SameSite::none);
  EXPECT_TRUE(built.settings->logout.get);
  EXPECT_FALSE(built.settings->logout.del);
}

TEST(ConfSettings, Redis) {
  const Built built = build(
      "oidc_session_storage redis\n"
      "oidc_session_secret 0123456789abcdef0123456789abcdef\n"
      "oidc_redis_host [::1]\noidc_redis_port 6380\noidc_redis_prefix app:\n"
      "oidc_redis_database 3\noidc_redis_username u\n"
      "oidc_redis_password pw\noidc_redis_read_timeout 500ms\n"
      "oidc_redis_keepalive_pool_size 4\n");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_THAT(built.warnings, IsEmpty());
  const RedisSettings& redis = built.settings->session.redis;
  EXPECT_EQ(built.settings->session.storage, StorageKind::redis);
  EXPECT_EQ(redis.host, "::1");
  EXPECT_EQ(redis.port, 6380);
  EXPECT_EQ(redis.prefix, "app:");
  EXPECT_EQ(redis.database, 3U);
  EXPECT_EQ(redis.password.view(), "pw");
  EXPECT_EQ(redis.read_timeout_ms, 500);
  EXPECT_EQ(redis.connections, 4U);
  EXPECT_EQ(built.settings->session.secrets.size(), 1U);
}

TEST(ConfSettings, CacheOfSessions) {
  const auto session = [](const std::string& lines) {
    const Built built = build("oidc_session_storage redis\n"
                              "oidc_session_secret 0123456789abcdef0123456789abcdef\n" + lines);
    EXPECT_NE(built.settings, nullptr) << built.error;
    const SessionSettings& made = built.settings->session;
    return std::array<std::int64_t, 3>{static_cast<std::int64_t>(made.cache_size),
                                       made.cache_max_age, made.outage_cached};
  };
  EXPECT_EQ(session(""), (std::array<std::int64_t, 3>{16 << 20, 60, 0}));
  EXPECT_EQ(session("oidc_session_cache 1m max_age=5s\noidc_session_outage cached=5m"),
            (std::array<std::int64_t, 3>{1 << 20, 5, 300}));
  EXPECT_EQ(session("oidc_session_cache off\noidc_session_outage deny"),
            (std::array<std::int64_t, 3>{0, 60, 0}));
}

TEST(ConfSettings, ValuesWithVariablesAreListed) {
  Built built = build(
      "oidc_redirect_uri https://$host/cb\noidc_logout_redirect_uri /bye\n"
      "oidc_authorization_query_arg ui_locales $lang\n");
  ASSERT_NE(built.settings, nullptr) << built.error;
  std::vector<std::string> texts;
  for (const Value* value : variable_values(*built.settings)) texts.push_back(value->text);
  EXPECT_THAT(texts, ElementsAre("https://$host/cb", "", "/bye", "$lang"));
}

TEST(ConfIdentity, DependsOnIssuerClientAndAudienceAlone) {
  const std::string base = build("").settings->identity;
  EXPECT_EQ(build("oidc_timeout 5s\noidc_scopes openid email").settings->identity, base);
  EXPECT_NE(build("oidc_client_id other").settings->identity, base);
  EXPECT_NE(build("oidc_issuer https://other.example.com").settings->identity, base);
  EXPECT_NE(build("oidc_session_audience other").settings->identity, base);
  EXPECT_NE(build("oidc_client_id other").settings->session.cookie.name,
            build("").settings->session.cookie.name);
}

TEST(ConfIdentity, FingerprintDependsOnAllButTheSwitch) {
  const auto of = [](const char* text) {
    ConfLines lines(kMinimalConf);
    lines.add(text);
    return fingerprint(lines.words());
  };
  const std::string base = of("");
  EXPECT_EQ(of("oidc off"), base);
  EXPECT_EQ(of("oidc_clear_headers off"), base);
  EXPECT_NE(of("oidc_timeout 5s"), base);
  EXPECT_NE(of("oidc_scopes openid email"), of("oidc_scopes openidemail"));
}

struct Warned {
  const char* lines;
  const char* warning;
};
class ConfWarnings : public ::testing::TestWithParam<Warned> {};

TEST_P(ConfWarnings, AreGiven) {
  const Built built = build(GetParam().lines);
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_THAT(built.warnings, Contains(HasSubstr(GetParam().warning)));
  EXPECT_THAT(built.warnings, Contains(HasSubstr("in test.conf:")));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ConfWarnings,
    ::testing::Values(
        Warned{"oidc_issuer http://id.example.com",
               "oidc_issuer: \"http://id.example.com\" is not"},
        Warned{"oidc_ssl_verify off", "oidc_ssl_verify: off"},
        Warned{"oidc_require_proof_key_for_code_exchange off", "code_exchange: off"},
        Warned{"oidc_session_cookie_domain example.com", "oidc_session_cookie_domain: the cookie"},
        Warned{"oidc_session_cookie_path /app", "oidc_session_cookie_path: the cookie"},
        Warned{"oidc_session_cookie_same_site Strict", "oidc_session_cookie_same_site: Strict"},
        Warned{"oidc_session_cookie_secure off", "oidc_session_cookie_secure: off"},
        Warned{"oidc_session_cookie_http_only off", "oidc_session_cookie_http_only: off"},
        Warned{"oidc_login_action upstream", "address bar"},
        Warned{"oidc_login_action upstream\noidc_login_tokens id_token", "oidc_login_tokens: no"},
        Warned{"oidc_login_action upstream\noidc_response_mode form_post\n"
               "oidc_login_redirect_uri /home",
               "oidc_login_redirect_uri: no effect"},
        Warned{"oidc_login_methods off\noidc_login_tokens id_token",
               "oidc_login_tokens: no effect with oidc_login_methods off"},
        Warned{"oidc_session_idling_timeout 48h", "oidc_session_idling_timeout: it is longer"},
        Warned{"oidc_redis_host redis.example.com", "no effect without oidc_session_storage"},
        Warned{"oidc_session_outage cached=5m", "no effect without oidc_session_storage redis"},
        Warned{"oidc_session_storage redis\noidc_redis_ssl on\noidc_redis_ssl_verify off\n"
               "oidc_session_secret 0123456789abcdef0123456789abcdef",
               "oidc_redis_ssl_verify: off"},
        Warned{"oidc_session_storage redis\noidc_redis_server_name r.example.com\n"
               "oidc_session_secret 0123456789abcdef0123456789abcdef",
               "no effect without oidc_redis_ssl on"}));

TEST(ConfWarnings, NotForLoopback) {
  for (const char* line : {"oidc_issuer http://localhost:8180/realms/demo",
                           "oidc_issuer http://127.0.0.1:8180", "oidc_issuer http://[::1]:8180"}) {
    const Built built = build(line);
    ASSERT_NE(built.settings, nullptr) << built.error;
    EXPECT_THAT(built.warnings, IsEmpty()) << line;
  }
}

TEST(ConfZones, DefaultAndDeclared) {
  const auto zones = build_zones(ConfLines("").words());
  ASSERT_TRUE(zones);
  ASSERT_EQ(zones->size(), 3U);
  EXPECT_EQ((*zones)[0].name, "oidc");
  EXPECT_EQ((*zones)[0].size, 16U * 1024 * 1024);
  EXPECT_EQ((*zones)[1].name, "oidc_states");
  EXPECT_EQ((*zones)[1].size, 8U * 1024 * 1024);
  EXPECT_EQ((*zones)[2].name, "oidc_cookies");
  EXPECT_EQ((*zones)[2].size, 16U * 1024 * 1024);

  const ConfLines lines(
      "oidc_session_zone oidc 32m\noidc_session_zone other 1m\noidc_authorization_zone 2m");
  const auto declared = build_zones(lines.words());
  ASSERT_TRUE(declared);
  ASSERT_EQ(declared->size(), 4U);
  EXPECT_EQ((*declared)[0].size, 32U * 1024 * 1024);
  EXPECT_EQ((*declared)[1].name, "other");
  EXPECT_EQ((*declared)[2].name, "oidc_states");
  EXPECT_EQ((*declared)[2].size, 2U * 1024 * 1024);
  EXPECT_EQ((*declared)[3].name, "oidc_cookies");
}

TEST(ConfZones, Refused) {
  for (const char* text :
       {"oidc_session_zone a 1m\noidc_session_zone a 2m", "oidc_session_zone a 1k",
        "oidc_session_zone a big", "oidc_session_zone a:b 1m", "oidc_session_zone oidc_shared 1m",
        "oidc_session_zone oidc_secret 1m", "oidc_session_zone oidc_states 1m",
        "oidc_authorization_zone 1k", "oidc_authorization_zone many"}) {
    const ConfLines lines(text);
    const auto zones = build_zones(lines.words());
    ASSERT_FALSE(zones) << text;
    const std::string directive(text, std::string_view(text).find(' '));
    EXPECT_THAT(zones.error().detail, StartsWith(directive + ": "));
  }
}

}  // namespace
}  // namespace oidc
