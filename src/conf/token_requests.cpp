// What requests to the token endpoint carry besides the protocol's own parameters.
#include <algorithm>

#include "oidc/authorization.h"
#include "oidc/presented_grant.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

template <std::size_t N>
bool is_among(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// The grants' own, beside those of the authorization request.
bool is_grant_parameter(std::string_view name) {
  constexpr std::string_view kNames[] = {"username", "password", "refresh_token", "assertion",
                                         "device_code", "auth_req_id", "requested_token_type"};
  return is_among(kNames, name) || name.starts_with("subject_token") ||
         name.starts_with("actor_token");
}

// The operator may say what a token is for; a client may not.
bool is_for_operators(std::string_view name) {
  constexpr std::string_view kNames[] = {"audience", "resource", "claims"};
  return is_among(kNames, name);
}

Result<void> check_argument(std::string_view name, bool by_client) {
  if (name.empty() || !is_visible(name) || name == "off") {
    return bad_value(name, "the name of an argument is expected");
  }
  if (!by_client && is_for_operators(name)) return {};
  if (!is_protocol_parameter(name) && !is_grant_parameter(name)) return {};
  return bad_value(name, by_client ? "the protocol sets this argument: no client may"
                                   : "the protocol sets this argument");
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

Result<void> check_header(std::string_view name) {
  if (!is_header_name(name)) {
    return bad_value(name, "the name of a header is expected: letters, digits and \"-\"");
  }
  constexpr std::string_view kOwn[] = {"accept", "authorization", "connection", "cookie", "dpop",
                                       "expect", "host", "keep-alive", "te", "trailer", "upgrade"};
  if (is_among(kOwn, name) || name.starts_with("content-") || name.starts_with("proxy-") ||
      name.starts_with("transfer-")) {
    return bad_value(name, "the protocol sets this header");
  }
  return {};
}

using Pairs = std::vector<std::pair<std::string, Value>>;

Result<void> add_pair(Pairs& pairs, std::string name, const DirectiveUse& use) {
  for (const auto& [other, value] : pairs) {
    if (other == name) return bad_value(name, "it is there twice");
  }
  pairs.emplace_back(std::move(name), Value{use.words[1], nullptr});
  return {};
}

Result<void> post_arg(SettingsDraft& draft, const DirectiveUse& use) {
  Pairs& args = draft.settings.token.post_args;
  if (is_off(use.words)) {
    args.clear();
    return {};
  }
  if (use.words.size() != 2) return bad_value(use.words[0], "a name and a value are expected");
  Result<void> checked = check_argument(use.words[0], false);
  if (!checked) return checked;
  return add_pair(args, use.words[0], use);
}

Result<void> header(SettingsDraft& draft, const DirectiveUse& use) {
  Pairs& headers = draft.settings.token.headers;
  if (is_off(use.words)) {
    headers.clear();
    return {};
  }
  if (use.words.size() != 2) return bad_value(use.words[0], "a name and a value are expected");
  std::string name = lower_case(use.words[0]);
  Result<void> checked = check_header(name);
  if (!checked) return checked;
  return add_pair(headers, std::move(name), use);
}

template <class Check>
Result<void> add_names(std::vector<std::string>& names, const DirectiveUse& use, Check&& check) {
  names.clear();
  if (is_off(use.words)) return {};
  for (const std::string& word : use.words) {
    Result<std::string> name = check(word);
    if (!name) return std::move(name).error();
    if (std::find(names.begin(), names.end(), *name) != names.end()) {
      return bad_value(word, "it is there twice");
    }
    names.push_back(std::move(*name));
  }
  return {};
}

Result<void> post_args_client(SettingsDraft& draft, const DirectiveUse& use) {
  const auto check = [](const std::string& word) -> Result<std::string> {
    Result<void> checked = check_argument(word, true);
    if (!checked) return std::move(checked).error();
    // The argument may come as a header.
    constexpr std::string_view kNever[] = {"authorization", "cookie", "dpop"};
    if (is_among(kNever, header_name_of(word))) {
      return bad_value(word, "this header is not the provider's business");
    }
    return word;
  };
  return add_names(draft.settings.token.post_args_client, use, check);
}

Result<void> headers_client(SettingsDraft& draft, const DirectiveUse& use) {
  const auto check = [](const std::string& word) -> Result<std::string> {
    std::string name = lower_case(word);
    Result<void> checked = check_header(name);
    if (!checked) return std::move(checked).error();
    return name;
  };
  return add_names(draft.settings.token.headers_client, use, check);
}

// What the client must not be told by somebody else than this server and its application.
Result<void> check_replayed(std::string_view name) {
  Result<void> checked = check_header(name);
  if (!checked) return checked;
  constexpr std::string_view kOwn[] = {
      "age", "alt-svc", "cache-control", "clear-site-data", "date", "etag", "expires",
      "last-modified", "link", "location", "nel", "permissions-policy", "pragma",
      "referrer-policy", "refresh", "report-to", "reporting-endpoints", "server",
      "service-worker-allowed", "set-cookie", "set-cookie2", "speculation-rules",
      "timing-allow-origin", "vary", "www-authenticate", "x-content-type-options",
      "x-frame-options"};
  if (is_among(kOwn, name) || name.starts_with("access-control-") ||
      name.starts_with("cross-origin-") || name.starts_with("sec-") ||
      name.starts_with("strict-transport-") || name.starts_with("x-accel-")) {
    return bad_value(name, "this header is about the answer that it came with");
  }
  return {};
}

Result<void> headers_replay(SettingsDraft& draft, const DirectiveUse& use) {
  const auto check = [](const std::string& word) -> Result<std::string> {
    std::string name = lower_case(word);
    Result<void> checked = check_replayed(name);
    if (!checked) return std::move(checked).error();
    return name;
  };
  return add_names(draft.settings.token.headers_replay, use, check);
}

constexpr Directive kDirectives[] = {
    {"oidc_token_post_arg", 1, 2, Contexts::all, true, "", post_arg},
    {"oidc_token_post_args_client", 1, kManyWords, Contexts::all, false, "off", post_args_client},
    {"oidc_token_header", 1, 2, Contexts::all, true, "", header},
    {"oidc_token_headers_client", 1, kManyWords, Contexts::all, false, "off", headers_client},
    {"oidc_token_headers_replay", 1, kManyWords, Contexts::all, false, "off", headers_replay},
};

Result<void> check_apart(SettingsDraft& draft, std::string_view directive, const Pairs& fixed,
                         const std::vector<std::string>& copied) {
  for (const std::string& name : copied) {
    for (const auto& [configured, value] : fixed) {
      if (name != configured) continue;
      return draft.conflict(directive, "\"" + name + "\" has a value of the configuration already");
    }
  }
  return {};
}

}  // namespace

std::span<const Directive> token_request_directives() {
  return kDirectives;
}

Result<void> finish_token_requests(SettingsDraft& draft) {
  const TokenSettings& token = draft.settings.token;
  Result<void> args = check_apart(draft, "oidc_token_post_args_client", token.post_args,
                                  token.post_args_client);
  if (!args) return args;
  return check_apart(draft, "oidc_token_headers_client", token.headers, token.headers_client);
}

}  // namespace oidc
