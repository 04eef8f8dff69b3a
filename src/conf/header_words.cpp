#include "header_words.h"

#include <algorithm>

#include "oidc/header_names.h"
#include "values.h"

namespace oidc {
namespace {

// Normalised: what frames or routes the request, or carries credentials that are not ours.
constexpr std::string_view kForbiddenUpstream[] = {
    "host",        "connection", "keepalive", "transferencoding", "contentlength",
    "contenttype", "te",         "trailer",   "upgrade",          "expect",
    "cookie",      "range",      "origin",    "contentencoding"};
// And what frames the response, says how long it may be kept, or what a browser may do with it.
constexpr std::string_view kForbiddenDownstream[] = {
    "server",          "date",          "connection",     "keepalive",
    "contentlength",   "contenttype",   "contentencoding", "contentrange",
    "contentlocation", "contentdisposition", "transferencoding", "trailer",
    "upgrade",         "location",      "refresh",        "lastmodified",
    "etag",            "acceptranges",  "wwwauthenticate", "setcookie",
    "cachecontrol",    "expires",       "pragma",         "age",
    "vary",            "link",          "allow",          "retryafter",
    "altsvc",          "clearsitedata", "referrerpolicy", "stricttransportsecurity",
    "xcontenttypeoptions", "xframeoptions", "contentsecuritypolicy", "permissionspolicy"};
constexpr std::string_view kForbiddenDownstreamPrefixes[] = {"proxy", "accesscontrol", "xaccel",
                                                             "crossorigin"};
bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_forbidden_downstream(std::string_view normalised) {
  return std::find(std::begin(kForbiddenDownstream), std::end(kForbiddenDownstream), normalised) !=
             std::end(kForbiddenDownstream) ||
         std::any_of(std::begin(kForbiddenDownstreamPrefixes),
                     std::end(kForbiddenDownstreamPrefixes),
                     [normalised](std::string_view prefix) { return normalised.starts_with(prefix); });
}

bool is_forbidden_upstream(std::string_view normalised) {
  return std::find(std::begin(kForbiddenUpstream), std::end(kForbiddenUpstream), normalised) !=
             std::end(kForbiddenUpstream) ||
         normalised.starts_with("proxy");
}

}  // namespace

Result<std::string> parse_header_name(bool upstream, std::string_view word) {
  std::string name = lower_case(word);
  const std::string normalised = normalised_header_name(name);
  if (normalised.empty() || !std::all_of(name.begin(), name.end(), is_token_character)) {
    return bad_value(word, "the name of a header is expected");
  }
  const bool forbidden =
      upstream ? is_forbidden_upstream(normalised) : is_forbidden_downstream(normalised);
  if (!forbidden) return name;
  return bad_value(word, upstream ? "the server itself needs this header"
                                      : "the server or the browser needs this header");
}

}  // namespace oidc
