// The authorization request and its callback.
#include <algorithm>

#include "oidc/authorization.h"
#include "oidc/client_auth.h"
#include "redirects.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr auto kAuthorization = &Settings::authorization;
constexpr Choices<ResponseMode, 2> kResponseModes = {{
    {"query", ResponseMode::query},
    {"form_post", ResponseMode::form_post},
}};
constexpr Choices<Toggle, 3> kToggles = {{
    {"auto", Toggle::automatic},
    {"on", Toggle::on},
    {"off", Toggle::off},
}};

Result<void> redirect_uri(SettingsDraft& draft, const DirectiveUse& use) {
  AuthorizationSettings& authorization = draft.settings.authorization;
  Result<std::string> path = callback_path(use.words[0]);
  if (!path) return std::move(path).error();
  authorization.redirect_uri = {use.words[0], nullptr};
  authorization.callback_path = std::move(*path);
  return {};
}

Result<void> scopes(SettingsDraft& draft, const DirectiveUse& use) {
  std::vector<std::string>& target = draft.settings.authorization.scopes;
  target.clear();
  for (const std::string& word : use.words) {
    if (!is_scope_token(word)) return bad_value(word, "one scope a word is expected");
    if (std::find(target.begin(), target.end(), word) != target.end()) {
      return bad_value(word, "it is there twice");
    }
    target.push_back(word);
  }
  if (std::find(target.begin(), target.end(), "openid") == target.end()) {
    return bad_value(target.front(), "openid must be among the scopes");
  }
  return {};
}

bool is_argument_name(std::string_view name) {
  return !name.empty() && is_visible(name);
}

Result<void> query_arg(SettingsDraft& draft, const DirectiveUse& use) {
  auto& args = draft.settings.authorization.query_args;
  if (is_off(use.words)) {
    args.clear();
    return {};
  }
  if (use.words.size() != 2) return bad_value(use.words[0], "a name and a value are expected");
  const std::string& name = use.words[0];
  if (!is_argument_name(name)) return bad_value(name, "the name of an argument is expected");
  if (is_protocol_parameter(name)) {
    return bad_value(name, "the protocol sets this argument; see the directive of that name");
  }
  if (name == "max_age" || name == "acr_values") {
    return bad_value(name, "use oidc_" + name + ": what comes back is checked then");
  }
  for (const auto& [other, value] : args) {
    if (other == name) return bad_value(name, "it is there twice");
  }
  args.emplace_back(name, Value{use.words[1], nullptr});
  return {};
}

Result<void> query_args_client(SettingsDraft& draft, const DirectiveUse& use) {
  auto& names = draft.settings.authorization.query_args_client;
  names.clear();
  if (is_off(use.words)) return {};
  for (const std::string& name : use.words) {
    if (!is_argument_name(name) || name == "off") {
      return bad_value(name, "names of arguments are expected, or off alone");
    }
    if (is_protocol_parameter(name)) {
      return bad_value(name, "the protocol sets this argument: no client may");
    }
    names.push_back(name);
  }
  return {};
}

constexpr Directive kDirectives[] = {
    {"oidc_redirect_uri", 1, 1, Contexts::all, false, "/oidc/callback", redirect_uri},
    {"oidc_scopes", 1, kManyWords, Contexts::all, false, "openid", scopes},
    {"oidc_audience", 1, kManyWords, Contexts::all, false, "off",
     texts_or_off<kAuthorization, &AuthorizationSettings::audience>},
    {"oidc_response_mode", 1, 1, Contexts::all, false, "query",
     choice<kResponseModes, kAuthorization, &AuthorizationSettings::response_mode>},
    {"oidc_require_proof_key_for_code_exchange", 1, 1, Contexts::all, false, "auto",
     choice<kToggles, kAuthorization, &AuthorizationSettings::pkce>},
    {"oidc_require_iss", 1, 1, Contexts::all, false, "off",
     flag<kAuthorization, &AuthorizationSettings::require_iss>},
    {"oidc_authorization_query_arg", 1, 2, Contexts::all, true, "", query_arg},
    {"oidc_authorization_query_args_client", 1, kManyWords, Contexts::all, false, "off",
     query_args_client},
    {"oidc_max_age", 1, 1, Contexts::all, false, "off",
     seconds_or_off<0, kYear, kAuthorization, &AuthorizationSettings::max_age>},
    {"oidc_acr_values", 1, kManyWords, Contexts::all, false, "off",
     texts_or_off<kAuthorization, &AuthorizationSettings::acr_values>},
    {"oidc_authorization_rolling_timeout", 1, 1, Contexts::all, false, "10m",
     seconds<30, kDay, kAuthorization, &AuthorizationSettings::rolling_timeout>},
    {"oidc_authorization_max_pending", 1, 1, Contexts::all, false, "5",
     number<1, 20, kAuthorization, &AuthorizationSettings::max_pending>},
    {"oidc_preserve_query_args", 1, 1, Contexts::all, false, "on",
     flag<kAuthorization, &AuthorizationSettings::preserve_query_args>},
};

}  // namespace

std::span<const Directive> authorization_directives() {
  return kDirectives;
}

Result<void> finish_authorization(SettingsDraft& draft) {
  Settings& settings = draft.settings;
  AuthorizationSettings& authorization = settings.authorization;
  const bool public_client = is_public(settings.client);
  if (authorization.pkce == Toggle::off) {
    if (public_client || !settings.provider.discover) {
      return draft.conflict("oidc_require_proof_key_for_code_exchange",
                            "it must not be off for a client without a secret or a pseudo issuer");
    }
    draft.warn("oidc_require_proof_key_for_code_exchange",
               "off: a stolen code is then kept from use by the nonce alone");
  }
  for (const std::string& name : authorization.query_args_client) {
    for (const auto& [configured, value] : authorization.query_args) {
      if (name != configured) continue;
      return draft.conflict("oidc_authorization_query_args_client",
                            "\"" + name + "\" is set by oidc_authorization_query_arg already");
    }
  }
  return {};
}

}  // namespace oidc
