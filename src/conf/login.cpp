// What happens after a login.
#include <algorithm>

#include "redirects.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr auto kLogin = &Settings::login;
constexpr Choices<LoginAction, 3> kActions = {{
    {"redirect", LoginAction::redirect},
    {"upstream", LoginAction::upstream},
    {"response", LoginAction::response},
}};
constexpr Choices<LoginRedirectMode, 2> kRedirectModes = {{
    {"fragment", LoginRedirectMode::fragment},
    {"query", LoginRedirectMode::query},
}};
constexpr Choices<bool LoginTokens::*, 4> kTokens = {{
    {"id_token", &LoginTokens::id_token},
    {"access_token", &LoginTokens::access_token},
    {"refresh_token", &LoginTokens::refresh_token},
    {"tokens", &LoginTokens::tokens},
}};
constexpr Choices<bool, 2> kMethods = {{{"authorization_code", true}, {"off", false}}};

Result<void> methods(SettingsDraft& draft, const DirectiveUse& use) {
  return assign(draft.login_acts, choose(kMethods, use.words[0]));
}

Result<void> tokens(SettingsDraft& draft, const DirectiveUse& use) {
  LoginTokens& target = draft.settings.login.tokens;
  target = {};
  if (is_off(use.words)) return {};
  for (const std::string& word : use.words) {
    Result<bool LoginTokens::*> token = choose(kTokens, word);
    if (!token) return std::move(token).error();
    target.*(*token) = true;
  }
  return {};
}

Result<void> redirect_uri(SettingsDraft& draft, const DirectiveUse& use) {
  draft.settings.login.redirect_uri = {};
  if (is_off(use.words)) return {};
  Result<void> checked = check_redirect_target(use.words[0]);
  if (!checked) return checked;
  draft.settings.login.redirect_uri = {use.words[0], nullptr};
  return {};
}

constexpr Directive kDirectives[] = {
    {"oidc_login_methods", 1, 1, Contexts::all, false, "authorization_code", methods},
    {"oidc_login_action", 1, 1, Contexts::all, false, "redirect",
     choice<kActions, kLogin, &LoginSettings::action>},
    {"oidc_login_tokens", 1, 4, Contexts::all, false, "off", tokens},
    {"oidc_login_redirect_mode", 1, 1, Contexts::all, false, "fragment",
     choice<kRedirectModes, kLogin, &LoginSettings::redirect_mode>},
    {"oidc_login_redirect_uri", 1, 1, Contexts::all, false, "off", redirect_uri},
};

bool is_foreign(const Settings& settings, const std::string& target) {
  const std::string origin = literal_origin(target);
  if (origin.empty()) return false;
  if (!settings.base_url.empty()) return origin != settings.base_url;
  const Result<Url> url = parse_url(origin);
  const auto& names = settings.server_names;
  return !url || std::find(names.begin(), names.end(), url->host) == names.end();
}

}  // namespace

std::span<const Directive> login_directives() {
  return kDirectives;
}

Result<void> finish_login(SettingsDraft& draft) {
  if (!draft.login_acts) {
    // No action: the browser goes where it was going, and gets no tokens.
    for (const std::string_view name : {"oidc_login_action", "oidc_login_tokens"}) {
      if (draft.is_set(name)) draft.warn(name, "no effect with oidc_login_methods off");
    }
    draft.settings.login = {};
    return {};
  }
  const Settings& settings = draft.settings;
  const LoginSettings& login = settings.login;
  const bool redirects = login.action == LoginAction::redirect;
  if (redirects && login.tokens.any()) {
    if (login.redirect_mode == LoginRedirectMode::query) {
      return draft.conflict("oidc_login_tokens",
                            "tokens in a query end in logs and in Referer: use "
                            "oidc_login_redirect_mode fragment, or oidc_login_action response");
    }
    if (is_foreign(settings, login.redirect_uri.text)) {
      return draft.conflict("oidc_login_redirect_uri",
                            "it is another site, and oidc_login_tokens would give it tokens");
    }
  }
  if (login.action == LoginAction::response && !login.tokens.any()) {
    return draft.conflict("oidc_login_action",
                          "response: oidc_login_tokens must say what the response holds");
  }
  if (login.action == LoginAction::upstream) {
    if (login.tokens.any()) {
      draft.warn("oidc_login_tokens", "no effect with oidc_login_action upstream");
    }
    if (settings.authorization.response_mode == ResponseMode::query) {
      draft.warn("oidc_login_action",
                 "upstream: with oidc_response_mode query the browser keeps "
                 "the code in its address bar and history");
    }
  }
  if (!redirects && !login.redirect_uri.empty()) {
    draft.warn("oidc_login_redirect_uri", "no effect without oidc_login_action redirect");
  }
  return {};
}

}  // namespace oidc
