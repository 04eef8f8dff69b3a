// What the upstream's request and the response say of the user.
#include <algorithm>

#include "header_words.h"
#include "oidc/header_names.h"
#include "oidc/session_facts.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;
using Source = IdentityHeader::Source;
using Encoding = IdentityHeader::Encoding;
using Headers = std::vector<IdentityHeader>;
using List = Headers HeaderSettings::*;
constexpr List kUp = &HeaderSettings::upstream;
constexpr List kDown = &HeaderSettings::downstream;

constexpr Choices<Encoding, 3> kEncodings = {{
    {"plain", Encoding::plain},
    {"base64url", Encoding::base64url},
    {"percent", Encoding::percent},
}};

void remove_source(Headers& headers, Source source) {
  std::erase_if(headers, [source](const IdentityHeader& header) { return header.source == source; });
}

// What cannot follow "Bearer "; empty: it can.
constexpr std::string_view why_no_bearer(Source source) {
  switch (source) {
    case Source::session_id:
      return "a session's name is no bearer token";
    case Source::user_info:
      return "userinfo is no bearer token";
    case Source::introspection:
      return "what the provider said of a token is no bearer token";
    case Source::access_token_jwk:
    case Source::id_token_jwk:
      return "a key is no bearer token";
    default:
      return {};
  }
}

template <List Where, Source Kind>
Result<void> token_header(SettingsDraft& draft, const DirectiveUse& use) {
  Headers& headers = draft.settings.headers.*Where;
  remove_source(headers, Kind);
  if (is_off(use.words)) return {};
  IdentityHeader header;
  header.source = Kind;
  std::string_view word = use.words[0];
  if (word.ends_with(kBearer)) {
    constexpr std::string_view kWhy = why_no_bearer(Kind);
    if (!kWhy.empty()) return bad_value(word, kWhy);
    header.bearer = true;
    word.remove_suffix(kBearer.size());
  }
  Result<std::string> name = parse_header_name(Where == kUp, word);
  if (!name) return std::move(name).error();
  header.name = std::move(*name);
  headers.push_back(std::move(header));
  return {};
}

template <List Where>
Result<void> claim_header(SettingsDraft& draft, const DirectiveUse& use) {
  Headers& headers = draft.settings.headers.*Where;
  if (is_off(use.words)) {
    remove_source(headers, Source::claim);
    return {};
  }
  if (use.words.size() < 2) {
    return bad_value(use.words[0], "the name of a header and the path of a claim are expected");
  }
  Result<std::string> name = parse_header_name(Where == kUp, use.words[0]);
  if (!name) return std::move(name).error();
  Result<ClaimPath> path = ClaimPath::parse(use.words[1]);
  if (!path) {
    return bad_value(use.words[1],
                     "the path of a claim such as email or realm_access.roles is "
                     "expected");
  }
  IdentityHeader header;
  header.name = std::move(*name);
  header.path = std::move(*path);
  if (use.words.size() == 3) {
    Result<Encoding> encoding = choose(kEncodings, use.words[2]);
    if (!encoding) return std::move(encoding).error();
    header.encoding = *encoding;
  }
  headers.push_back(std::move(header));
  return {};
}

Result<void> headers_size(SettingsDraft& draft, const DirectiveUse& use) {
  constexpr std::size_t kLeast = 1024;
  constexpr std::size_t kMost = 1024 * 1024;
  return assign(draft.settings.headers.most_bytes, parse_size(use.words[0], kLeast, kMost));
}

template <List Where, Source Kind>
constexpr Directive token_directive(std::string_view name, std::string_view otherwise = "off") {
  return {name, 1, 1, Contexts::all, false, otherwise, token_header<Where, Kind>};
}

constexpr Directive kDirectives[] = {
    token_directive<kUp, Source::access_token>("oidc_upstream_access_token_header",
                                               "authorization:bearer"),
    token_directive<kUp, Source::access_token_jwk>("oidc_upstream_access_token_jwk_header"),
    token_directive<kUp, Source::id_token>("oidc_upstream_id_token_header"),
    token_directive<kUp, Source::id_token_jwk>("oidc_upstream_id_token_jwk_header"),
    token_directive<kUp, Source::refresh_token>("oidc_upstream_refresh_token_header"),
    token_directive<kUp, Source::session_id>("oidc_upstream_session_id_header"),
    token_directive<kUp, Source::user_info>("oidc_upstream_user_info_header"),
    token_directive<kUp, Source::user_info_jwt>("oidc_upstream_user_info_jwt_header"),
    token_directive<kUp, Source::introspection>("oidc_upstream_introspection_header"),
    token_directive<kUp, Source::introspection_jwt>("oidc_upstream_introspection_jwt_header"),
    {"oidc_upstream_header", 1, 3, Contexts::all, true, "", claim_header<kUp>},
    {"oidc_upstream_jwt", 1, kManyWords, Contexts::all, true, "", apply_upstream_jwt},
    token_directive<kDown, Source::access_token>("oidc_downstream_access_token_header"),
    token_directive<kDown, Source::access_token_jwk>("oidc_downstream_access_token_jwk_header"),
    token_directive<kDown, Source::id_token>("oidc_downstream_id_token_header"),
    token_directive<kDown, Source::id_token_jwk>("oidc_downstream_id_token_jwk_header"),
    token_directive<kDown, Source::refresh_token>("oidc_downstream_refresh_token_header"),
    token_directive<kDown, Source::session_id>("oidc_downstream_session_id_header"),
    token_directive<kDown, Source::user_info>("oidc_downstream_user_info_header"),
    token_directive<kDown, Source::user_info_jwt>("oidc_downstream_user_info_jwt_header"),
    token_directive<kDown, Source::introspection>("oidc_downstream_introspection_header"),
    token_directive<kDown, Source::introspection_jwt>("oidc_downstream_introspection_jwt_header"),
    {"oidc_downstream_header", 1, 3, Contexts::all, true, "", claim_header<kDown>},
    {"oidc_headers_size", 1, 1, Contexts::all, false, "16k", headers_size},
    {"oidc_clear_headers", 1, 1, Contexts::all, false, "on", flag_only},
};

struct Direction {
  List list;
  std::string_view tokens, claims, facts;  // directives, to name one
  std::vector<SessionFact> SessionSettings::*session;
};
constexpr Direction kDirections[] = {
    {kUp, "oidc_upstream_access_token_header", "oidc_upstream_header",
     "oidc_session_request_headers", &SessionSettings::request_headers},
    {kDown, "oidc_downstream_access_token_header", "oidc_downstream_header",
     "oidc_session_response_headers", &SessionSettings::response_headers},
};

std::string_view directive_of(const Direction& direction, Source source) {
  if (source == Source::gateway_jwt) return "oidc_upstream_jwt";
  return source == Source::claim ? direction.claims : direction.tokens;
}

Result<void> check_names(const SettingsDraft& draft, const Direction& direction) {
  HeaderNameSet seen;
  for (const IdentityHeader& header : draft.settings.headers.*direction.list) {
    if (seen.contains(header.name)) {
      return draft.conflict(directive_of(direction, header.source),
                            "two directives set the header \"" + header.name +
                                "\", or names that upstreams take for it");
    }
    seen.add(header.name);
  }
  for (const SessionFact fact : draft.settings.session.*direction.session) {
    if (!seen.contains(header_of(fact))) continue;
    return draft.conflict(direction.facts,
                          "another directive sets the header \"" + std::string(header_of(fact)) +
                              "\", or a name that upstreams take for it");
  }
  return {};
}

bool sends(const Headers& headers, Source source) {
  return std::any_of(headers.begin(), headers.end(),
                     [source](const IdentityHeader& each) { return each.source == source; });
}

// What nobody ever has.
Result<void> check_sources(SettingsDraft& draft, const Direction& direction) {
  const Settings& settings = draft.settings;
  const Headers& headers = settings.headers.*direction.list;
  const std::string start = direction.list == kUp ? "oidc_upstream_" : "oidc_downstream_";
  const bool userinfo = settings.userinfo.at_login || settings.credentials.userinfo;
  for (const auto& [source, name] : {std::pair(Source::user_info, "user_info_header"),
                                     std::pair(Source::user_info_jwt, "user_info_jwt_header")}) {
    if (userinfo || !sends(headers, source)) continue;
    return draft.conflict(start + name, "nobody asks for it: \"oidc_userinfo login\", or userinfo in "
                                        "oidc_auth_methods");
  }
  for (const auto& [source, name] :
       {std::pair(Source::introspection, "introspection_header"),
        std::pair(Source::introspection_jwt, "introspection_jwt_header")}) {
    if (settings.credentials.introspection || !sends(headers, source)) continue;
    return draft.conflict(start + name, "nobody asks for it: introspection in oidc_auth_methods");
  }
  if (sends(headers, Source::access_token_jwk) && !settings.credentials.bearer) {
    draft.warn(start + "access_token_jwk_header",
               "it is there for access tokens that are verified here alone: bearer in "
               "oidc_auth_methods");
  }
  if (direction.list == kDown && sends(headers, Source::refresh_token)) {
    draft.warn("oidc_downstream_refresh_token_header",
               "whatever runs in the browser can read it and log in with it");
  }
  return {};
}

std::uint64_t next_id() noexcept {
  static std::uint64_t last = 0;
  return ++last;
}

}  // namespace

std::span<const Directive> header_directives() {
  return kDirectives;
}

Result<void> finish_headers(SettingsDraft& draft) {
  HeaderSettings& headers = draft.settings.headers;
  for (const Direction& direction : kDirections) {
    Result<void> names = check_names(draft, direction);
    if (!names) return names;
    Result<void> sources = check_sources(draft, direction);
    if (!sources) return sources;
    headers.prepared = headers.prepared ||
                       std::any_of((headers.*direction.list).begin(),
                                   (headers.*direction.list).end(), [](const IdentityHeader& each) {
                                     return each.source != Source::access_token;
                                   });
  }
  headers.id = next_id();
  return finish_upstream_jwts(draft);
}

}  // namespace oidc
