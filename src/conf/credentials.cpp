// Which credentials are accepted, where they are looked for, and what an access token must be.
#include <algorithm>

#include "oidc/cookie.h"
#include "oidc/header_names.h"
#include "oidc/introspection.h"
#include "oidc/rules.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr auto kCredentials = &Settings::credentials;
constexpr auto kAccessToken = &Settings::access_token;
constexpr auto kIntrospection = &Settings::introspection;
constexpr std::size_t kMostTokens = 1'000'000;

using Places = CredentialSettings::Places;
constexpr Choices<bool Places::*, 4> kPlaces = {{
    {"header", &Places::header},
    {"query", &Places::query},
    {"body", &Places::body},
    {"cookie", &Places::cookie},
}};
using Credentials = CredentialSettings;
constexpr Choices<bool Credentials::*, 8> kMethods = {{
    {"session", &Credentials::session},
    {"authorization_code", &Credentials::authorization_code},
    {"bearer", &Credentials::bearer},
    {"introspection", &Credentials::introspection},
    {"userinfo", &Credentials::userinfo},
    {"refresh_token", &Credentials::refresh_token},
    {"password", &Credentials::password},
    {"client_credentials", &Credentials::client_credentials},
}};
constexpr Choices<std::string_view, 3> kUserinfo = {
    {{"off", "off"}, {"missing", "missing"}, {"login", "login"}}};
constexpr Choices<std::string_view, 2> kUserinfoAccept = {
    {{"application/json", "application/json"}, {"application/jwt", "application/jwt"}}};
constexpr Choices<bool, 2> kConfirmation = {{{"refuse", false}, {"ignore", true}}};
constexpr Choices<std::string_view, 2> kAccept = {
    {{"application/json", "application/json"}, {kSignedIntrospection, kSignedIntrospection}}};

// Sets the members that the words name and clears the others.
template <class Object, std::size_t N>
Result<void> set_named(Object& object, const Choices<bool Object::*, N>& choices,
                    const std::vector<std::string>& words) {
  for (const auto& [name, member] : choices) object.*member = false;
  for (const std::string& word : words) {
    Result<bool Object::*> member = choose(choices, word);
    if (!member) return std::move(member).error();
    if (object.**member) return bad_value(word, "it is there twice");
    object.**member = true;
  }
  return {};
}

Result<void> auth_methods(SettingsDraft& draft, const DirectiveUse& use) {
  CredentialSettings& credentials = draft.settings.credentials;
  Result<void> selected = set_named(credentials, kMethods, use.words);
  if (!selected) return selected;
  if (credentials.session != credentials.authorization_code) {
    return bad_value(use.words[0],
                     "\"session authorization_code\" belong together: a location accepts sessions "
                     "that its own methods make, and without them each request would be a login");
  }
  return {};
}

Result<void> param_type(SettingsDraft& draft, const DirectiveUse& use) {
  return set_named(draft.settings.credentials.bearer_places, kPlaces, use.words);
}

Result<void> jwt_session_cookie(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& name = draft.settings.access_token.session_cookie;
  name.clear();
  if (is_off(use.words)) return {};
  if (!is_cookie_name(use.words[0])) return bad_value(use.words[0], "a cookie's name is expected");
  name = use.words[0];
  return {};
}

Result<void> jwt_session_claim(SettingsDraft& draft, const DirectiveUse& use) {
  Result<ClaimPath> path = ClaimPath::parse(use.words[0]);
  if (!path || !is_one_line(use.words[0])) {
    return bad_value(use.words[0], "the path of a claim is expected");
  }
  draft.settings.access_token.session_claim = std::move(*path);
  return {};
}

// oidc_userinfo off | missing | login, with refresh=T.
Result<void> userinfo(SettingsDraft& draft, const DirectiveUse& use) {
  UserinfoSettings& settings = draft.settings.userinfo;
  settings.at_login = settings.missing = false;
  settings.refresh = 0;
  Result<std::string_view> mode = choose(kUserinfo, use.words[0]);
  if (!mode) return std::move(mode).error();
  settings.at_login = *mode == "login";
  settings.missing = *mode == "missing";
  if (use.words.size() == 1) return {};
  constexpr std::string_view kRefresh = "refresh=";
  if (*mode == "off" || !use.words[1].starts_with(kRefresh)) {
    return bad_value(use.words[1], "refresh=TIME is expected after login or missing, and nothing "
                                   "else");
  }
  Result<Seconds> time =
      parse_seconds(std::string_view(use.words[1]).substr(kRefresh.size()), 10, kYear);
  if (!time) return std::move(time).error();
  settings.refresh = *time;
  return {};
}

Result<void> cookie_name(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& name = draft.settings.credentials.bearer_cookie;
  name.clear();
  if (is_off(use.words)) return {};
  if (!is_cookie_name(use.words[0])) return bad_value(use.words[0], "a cookie's name is expected");
  name = use.words[0];
  return {};
}

Result<void> header_name(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& name = draft.settings.credentials.bearer_header;
  name.clear();
  if (is_off(use.words)) return {};
  const std::string word = lower_case(use.words[0]);
  const bool token = std::all_of(word.begin(), word.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  constexpr std::string_view kOthers[] = {"cookie", "host", "connection", "content-length",
                                          "transfer-encoding", "content-type"};
  const bool taken = std::find(std::begin(kOthers), std::end(kOthers), word) != std::end(kOthers);
  if (!token || taken || normalised_header_name(word).empty()) {
    return bad_value(use.words[0], "the name of a header that may hold a token is expected: "
                                   "letters, digits and \"-\"");
  }
  name = word;
  return {};
}

Result<void> token_type(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& typ = draft.settings.access_token.typ;
  typ.clear();
  if (use.words[0] == "any") return {};
  constexpr std::string_view kApplication = "application/";
  std::string word = lower_case(use.words[0]);
  if (word.starts_with(kApplication)) word.erase(0, kApplication.size());
  if (word.empty() || !is_visible(word) || word.find('/') != std::string::npos) {
    return bad_value(use.words[0], "a media type such as at+jwt is expected, or any");
  }
  typ = std::move(word);
  return {};
}

Result<void> urls(std::vector<std::string>& target, const DirectiveUse& use) {
  target.clear();
  if (is_off(use.words)) return {};
  for (const std::string& word : use.words) {
    Result<Url> url = parse_http_url(word);
    if (!url) return std::move(url).error();
    if (std::find(target.begin(), target.end(), word) != target.end()) {
      return bad_value(word, "it is there twice");
    }
    target.push_back(word);
  }
  return {};
}

Result<void> issuers_allowed(SettingsDraft& draft, const DirectiveUse& use) {
  return urls(draft.settings.access_token.issuers, use);
}

Result<void> extra_jwks_uris(SettingsDraft& draft, const DirectiveUse& use) {
  return urls(draft.settings.provider.extra_jwks_uris, use);
}

Result<void> resource_metadata(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& target = draft.settings.credentials.resource_metadata;
  target.clear();
  if (is_off(use.words)) return {};
  Result<Url> url = parse_http_url(use.words[0]);
  if (!url) return std::move(url).error();
  // It stands in a quoted string of a header.
  if (!is_visible(use.words[0]) || use.words[0].find_first_of("\"\\") != std::string::npos) {
    return bad_value(use.words[0], "a URL without quotes and backslashes is expected");
  }
  target = use.words[0];
  return {};
}

// The resource's identifier (RFC 9728 section 1.2).
Result<void> protected_resource(SettingsDraft&, const DirectiveUse& use) {
  if (is_off(use.words)) return {};
  Result<Url> url = parse_http_url(use.words[0]);
  if (!url) return std::move(url).error();
  if (url->scheme != "https" && !url->is_loopback()) {
    return bad_value(use.words[0], "it must be https: clients find it by its address");
  }
  if (url->has_query) return bad_value(use.words[0], "a URL without a query is expected");
  return {};
}

Result<void> cache_tokens(SettingsDraft& draft, const DirectiveUse& use) {
  std::size_t& size = draft.settings.access_token.cache_size;
  size = AccessTokenSettings{}.cache_size;
  if (use.words[0] == "on") return {};
  size = 0;
  if (is_off(use.words)) return {};
  Result<std::uint64_t> number = parse_number(use.words[0], 1, kMostTokens);
  if (!number) return bad_value(use.words[0], "it must be on, off or a number of tokens");
  size = static_cast<std::size_t>(*number);
  return {};
}

Result<void> introspection_hint(SettingsDraft& draft, const DirectiveUse& use) {
  return text_or_off<kIntrospection, &IntrospectionSettings::hint>(draft, use);
}

Result<void> introspection_accept(SettingsDraft& draft, const DirectiveUse& use) {
  return assign(draft.settings.introspection.accept, choose(kAccept, use.words[0]));
}

Result<void> userinfo_accept(SettingsDraft& draft, const DirectiveUse& use) {
  return assign(draft.settings.userinfo.accept, choose(kUserinfoAccept, use.words[0]));
}

Result<void> introspection_post_arg(SettingsDraft& draft, const DirectiveUse& use) {
  auto& args = draft.settings.introspection.post_args;
  if (is_off(use.words)) {
    args.clear();
    return {};
  }
  if (use.words.size() != 2) return bad_value(use.words[0], "a name and a value are expected");
  const std::string& name = use.words[0];
  constexpr std::string_view kOwn[] = {"token", "token_type_hint", "client_id", "client_secret",
                                       "client_assertion", "client_assertion_type"};
  if (name.empty() || !is_visible(name) ||
      std::find(std::begin(kOwn), std::end(kOwn), name) != std::end(kOwn)) {
    return bad_value(name, "the name of a further argument is expected");
  }
  // What differs from request to request would be asked once and kept for all.
  if (use.words[1].find('$') != std::string::npos) {
    return bad_value(use.words[1], "variables are not possible: answers are kept by the token");
  }
  for (const auto& [other, value] : args) {
    if (other == name) return bad_value(name, "it is there twice");
  }
  args.emplace_back(name, Value{use.words[1], nullptr});
  return {};
}

constexpr Directive kDirectives[] = {
    {"oidc_auth_methods", 1, kManyWords, Contexts::all, false, "session authorization_code",
     auth_methods},
    {"oidc_bearer_token_param_type", 1, 4, Contexts::all, false, "header", param_type},
    {"oidc_bearer_token_cookie_name", 1, 1, Contexts::all, false, "off", cookie_name},
    {"oidc_bearer_token_header_name", 1, 1, Contexts::all, false, "off", header_name},
    {"oidc_hide_credentials", 1, 1, Contexts::all, false, "on",
     flag<kCredentials, &CredentialSettings::hide>},
    {"oidc_access_token_typ", 1, 1, Contexts::all, false, "any", token_type},
    {"oidc_issuers_allowed", 1, kManyWords, Contexts::all, false, "off", issuers_allowed},
    {"oidc_extra_jwks_uris", 1, kManyWords, Contexts::all, false, "off", extra_jwks_uris},
    {"oidc_proof_of_possession", 1, 1, Contexts::all, false, "refuse",
     choice<kConfirmation, kAccessToken, &AccessTokenSettings::ignore_confirmation>},
    {"oidc_resource_metadata_uri", 1, 1, Contexts::all, false, "off", resource_metadata},
    {"oidc_resource_metadata", 1, 1, Contexts::location, false, "off", protected_resource},
    {"oidc_cache_tokens", 1, 1, Contexts::all, false, "on", cache_tokens},
    {"oidc_introspect_jwt_tokens", 1, 1, Contexts::all, false, "off",
     flag<kIntrospection, &IntrospectionSettings::jwts>},
    {"oidc_introspection_hint", 1, 1, Contexts::all, false, "access_token", introspection_hint},
    {"oidc_introspection_accept", 1, 1, Contexts::all, false, "application/json",
     introspection_accept},
    {"oidc_introspection_check_active", 1, 1, Contexts::all, false, "on",
     flag<kIntrospection, &IntrospectionSettings::check_active>},
    {"oidc_introspection_post_arg", 1, 2, Contexts::all, true, "", introspection_post_arg},
    {"oidc_cache_introspection", 1, 1, Contexts::all, false, "on",
     flag<kIntrospection, &IntrospectionSettings::cache>},
    {"oidc_userinfo", 1, 2, Contexts::all, false, "off", userinfo},
    {"oidc_jwt_session_cookie", 1, 1, Contexts::all, false, "off", jwt_session_cookie},
    {"oidc_jwt_session_claim", 1, 1, Contexts::all, false, "sid", jwt_session_claim},
    {"oidc_userinfo_accept", 1, 1, Contexts::all, false, "application/json", userinfo_accept},
    {"oidc_cache_user_info", 1, 1, Contexts::all, false, "on",
     flag<&Settings::userinfo, &UserinfoSettings::cache>},
};

Result<void> check_places(SettingsDraft& draft) {
  const CredentialSettings& credentials = draft.settings.credentials;
  const Places& places = credentials.bearer_places;
  if (places.cookie && credentials.bearer_cookie.empty()) {
    return draft.conflict("oidc_bearer_token_param_type",
                          "cookie: oidc_bearer_token_cookie_name must say which");
  }
  if (!places.cookie && !credentials.bearer_cookie.empty()) {
    return draft.conflict("oidc_bearer_token_cookie_name",
                          "no effect without cookie in oidc_bearer_token_param_type");
  }
  if (!places.header && !credentials.bearer_header.empty()) {
    return draft.conflict("oidc_bearer_token_header_name",
                          "no effect without header in oidc_bearer_token_param_type");
  }
  if (places.body && credentials.hide) {
    return draft.conflict("oidc_bearer_token_param_type",
                          "body: a token in a body cannot be hidden from the upstream; set "
                          "oidc_hide_credentials off");
  }
  if (places.query) {
    draft.warn("oidc_bearer_token_param_type",
               "query: URLs are written to logs and histories, and the token with them");
  }
  return {};
}

Result<void> check_introspection(SettingsDraft& draft) {
  const ClientSettings& client = draft.settings.client;
  if (client.secret.empty() && !client.key && draft.settings.provider.client_certificate.empty()) {
    return draft.conflict("oidc_auth_methods",
                          "introspection: oidc_client_secret must be set, or another way for the "
                          "client to say who it is; endpoints ask for it");
  }
  if (!draft.settings.introspection.check_active) {
    draft.warn("oidc_introspection_check_active",
               "off: an answer that does not say whether the token is active counts as a yes");
  }
  return {};
}

Result<void> check_userinfo(SettingsDraft& draft) {
  const Settings& settings = draft.settings;
  const bool at_login = settings.userinfo.at_login || settings.userinfo.missing;
  if (at_login && !settings.credentials.authorization_code) {
    return draft.conflict("oidc_userinfo", "there is no login without authorization_code in "
                                           "oidc_auth_methods");
  }
  if (at_login && !settings.provider.discover && settings.provider.userinfo_endpoint.empty()) {
    return draft.conflict("oidc_using_pseudo_issuer",
                          "oidc_userinfo_endpoint must be set when it is on");
  }
  return {};
}

}  // namespace

std::span<const Directive> credential_directives() {
  return kDirectives;
}

Result<void> finish_credentials(SettingsDraft& draft) {
  const HeaderSettings& headers = draft.settings.headers;
  std::vector<ClaimPath>& wanted = draft.settings.userinfo.wanted;
  for (const auto* list : {&headers.upstream, &headers.downstream}) {
    for (const IdentityHeader& header : *list) {
      if (header.source == IdentityHeader::Source::claim) wanted.push_back(header.path);
    }
  }
  for (const GatewayJwt& jwt : headers.jwts) {
    for (const auto& [name, path] : jwt.claims) wanted.push_back(path);
  }
  const CredentialSettings& credentials = draft.settings.credentials;
  if (!credentials.authorization_code &&
      draft.settings.unauthenticated == Unauthenticated::redirect) {
    return draft.conflict("oidc_unauthenticated",
                          "redirect: there is no login without authorization_code in "
                          "oidc_auth_methods");
  }
  const ProviderSettings& provider = draft.settings.provider;
  for (const std::string& url : provider.extra_jwks_uris) {
    if (provider.issuer.starts_with("https:") && !url.starts_with("https:")) {
      return draft.conflict("oidc_extra_jwks_uris",
                            "\"" + url + "\" must be https, as the issuer is");
    }
  }
  Result<void> userinfo = check_userinfo(draft);
  if (!userinfo) return userinfo;
  if (!credentials.bearer && !credentials.introspection && !credentials.userinfo) return {};
  const Rules* rules = draft.settings.rules.get();
  if (rules == nullptr || !rules->has_audience()) {
    return draft.conflict("oidc_auth_methods",
                          "bearer, introspection and userinfo: oidc_audience_required must name "
                          "what the tokens are for, or say any: else a token for another service "
                          "would do here");
  }
  if (credentials.userinfo && !rules->any_audience()) {
    return draft.conflict("oidc_audience_required",
                          "userinfo in oidc_auth_methods: it must be any, since the provider does "
                          "not say there what a token is for");
  }
  if (rules->any_audience()) {
    draft.warn("oidc_audience_required",
               "any: a token that was made for another service opens this one too");
  }
  Result<void> places = check_places(draft);
  if (!places) return places;
  return credentials.introspection ? check_introspection(draft) : Result<void>();
}

}  // namespace oidc
