// What the upstream's request carries.
#include <algorithm>

#include "oidc/header_names.h"
#include "oidc/session_facts.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;
using Source = UpstreamHeader::Source;
using Encoding = UpstreamHeader::Encoding;

constexpr std::string_view kBearer = ":bearer";
// Normalised: what frames or routes the request, or carries credentials that are not ours.
constexpr std::string_view kForbidden[] = {
    "host",        "connection", "keepalive", "transferencoding", "contentlength",
    "contenttype", "te",         "trailer",   "upgrade",          "expect",
    "cookie",      "range",      "origin",    "contentencoding"};
constexpr Choices<Encoding, 3> kEncodings = {{
    {"plain", Encoding::plain},
    {"base64url", Encoding::base64url},
    {"percent", Encoding::percent},
}};

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

Result<std::string> header_name(std::string_view word) {
  std::string name = lower_case(word);
  const std::string normalised = normalised_header_name(name);
  if (normalised.empty() || !std::all_of(name.begin(), name.end(), is_token_character)) {
    return bad_value(word, "the name of a header is expected");
  }
  if (std::find(std::begin(kForbidden), std::end(kForbidden), normalised) != std::end(kForbidden) ||
      normalised.starts_with("proxy")) {
    return bad_value(word, "the server itself needs this header");
  }
  return name;
}

void remove_source(Settings& settings, Source source) {
  std::erase_if(settings.upstream_headers,
                [source](const UpstreamHeader& header) { return header.source == source; });
}

template <Source Kind>
Result<void> token_header(SettingsDraft& draft, const DirectiveUse& use) {
  remove_source(draft.settings, Kind);
  if (is_off(use.words)) return {};
  UpstreamHeader header;
  header.source = Kind;
  header.encoding = Kind == Source::user_info ? Encoding::base64url : Encoding::plain;
  std::string_view word = use.words[0];
  if (word.ends_with(kBearer)) {
    if (Kind == Source::session_id) return bad_value(word, "a session's name is no bearer token");
    if (Kind == Source::user_info) return bad_value(word, "userinfo is no bearer token");
    header.bearer = true;
    word.remove_suffix(kBearer.size());
  }
  Result<std::string> name = header_name(word);
  if (!name) return std::move(name).error();
  header.name = std::move(*name);
  draft.settings.upstream_headers.push_back(std::move(header));
  return {};
}

Result<void> claim_header(SettingsDraft& draft, const DirectiveUse& use) {
  if (is_off(use.words)) {
    remove_source(draft.settings, Source::claim);
    return {};
  }
  if (use.words.size() < 2) {
    return bad_value(use.words[0], "the name of a header and the path of a claim are expected");
  }
  Result<std::string> name = header_name(use.words[0]);
  if (!name) return std::move(name).error();
  Result<ClaimPath> path = ClaimPath::parse(use.words[1]);
  if (!path) {
    return bad_value(use.words[1],
                     "the path of a claim such as email or realm_access.roles is "
                     "expected");
  }
  UpstreamHeader header;
  header.name = std::move(*name);
  header.path = std::move(*path);
  if (use.words.size() == 3) {
    Result<Encoding> encoding = choose(kEncodings, use.words[2]);
    if (!encoding) return std::move(encoding).error();
    header.encoding = *encoding;
  }
  draft.settings.upstream_headers.push_back(std::move(header));
  return {};
}

constexpr Directive kDirectives[] = {
    {"oidc_upstream_access_token_header", 1, 1, Contexts::all, false, "authorization:bearer",
     token_header<Source::access_token>},
    {"oidc_upstream_id_token_header", 1, 1, Contexts::all, false, "off",
     token_header<Source::id_token>},
    {"oidc_upstream_refresh_token_header", 1, 1, Contexts::all, false, "off",
     token_header<Source::refresh_token>},
    {"oidc_upstream_session_id_header", 1, 1, Contexts::all, false, "off",
     token_header<Source::session_id>},
    {"oidc_upstream_user_info_header", 1, 1, Contexts::all, false, "off",
     token_header<Source::user_info>},
    {"oidc_upstream_header", 1, 3, Contexts::all, true, "", claim_header},
    {"oidc_clear_headers", 1, 1, Contexts::all, false, "on", flag_only},
};

}  // namespace

std::span<const Directive> header_directives() {
  return kDirectives;
}

Result<void> finish_headers(SettingsDraft& draft) {
  HeaderNameSet seen;
  for (const UpstreamHeader& header : draft.settings.upstream_headers) {
    if (seen.contains(header.name)) {
      return draft.conflict(header.source == Source::claim ? "oidc_upstream_header"
                                                           : "oidc_upstream_access_token_header",
                            "two directives set the header \"" + header.name +
                                "\", or names that upstreams take for it");
    }
    seen.add(header.name);
  }
  for (const SessionFact fact : draft.settings.session.request_headers) {
    if (!seen.contains(header_of(fact))) continue;
    return draft.conflict("oidc_session_request_headers",
                          "another directive sets the header \"" + std::string(header_of(fact)) +
                              "\", or a name that upstreams take for it");
  }
  return {};
}

}  // namespace oidc
