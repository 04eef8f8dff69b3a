// What a finished login answers: oidc_login_action, oidc_login_tokens, oidc_login_redirect_mode.
#include <nlohmann/json.hpp>

#include "answers.h"
#include "cookie_session.h"
#include "oidc/form.h"
#include "oidc/rules.h"
#include "oidc/url.h"
#include "remember.h"
#include "steps.h"

namespace oidc {
namespace {

// oidc_login_tokens as members, in the order in which they are asked for.
Form asked_tokens(const LoginTokens& wanted, const Login& login) {
  Form form;
  if (wanted.id_token || wanted.tokens) form.add("id_token", login.tokens.id_token);
  if (wanted.access_token || wanted.tokens) form.add("access_token", login.tokens.access_token);
  if ((wanted.refresh_token || wanted.tokens) && !login.tokens.refresh_token.empty()) {
    form.add("refresh_token", login.tokens.refresh_token);
  }
  return form;
}

Outcome token_response(Services& services, const Login& login) {
  Json body = Json::object();
  const Form tokens = asked_tokens(services.settings.login.tokens, login);
  for (const FormField& field : tokens.fields()) body[field.name] = field.value;
  Outcome outcome = page(services, body.dump() + "\n", {});
  outcome.content_type = "application/json";
  return outcome;
}

Outcome redirect_home(Services& services, const RequestFacts& facts, const std::string& target,
                      const Login& login) {
  const LoginSettings& settings = services.settings.login;
  std::string url = evaluated_target(services, facts, settings.redirect_uri);
  if (url.empty()) url = absolute(services, facts, target);
  if (!settings.tokens.any()) return redirect(services, facts, std::move(url));
  const std::string tokens = asked_tokens(settings.tokens, login).encode();
  if (settings.redirect_mode == LoginRedirectMode::query) {
    return redirect(services, facts, append_query(url, tokens));
  }
  return redirect(services, facts, url.substr(0, url.find('#')) + "#" + tokens);
}

}  // namespace

Outcome logged_in(Services& services, const RequestFacts& facts, const std::string& target,
                  const Login& login) {
  const Settings& settings = services.settings;
  std::vector<std::string> cookies;
  if (!append_session_cookies(services, facts, *login.session, cookies)) {
    return deny(services, facts, Error{Errc::session_too_large, {}});
  }
  Outcome outcome;
  // Whom the rules refuse gets no tokens: the target says so.
  const bool refused = judge(settings, *login.session) != Errc::none;
  switch (refused ? LoginAction::redirect : settings.login.action) {
    case LoginAction::redirect:
      outcome = refused ? redirect(services, facts, absolute(services, facts, target))
                        : redirect_home(services, facts, target, login);
      break;
    case LoginAction::response:
      outcome = token_response(services, login);
      break;
    case LoginAction::upstream:
      outcome = pass(services, login.session);
      outcome.kind = Outcome::Kind::reroute;
      outcome.target = target;
      break;
  }
  outcome.session = login.session;
  outcome.headers.insert(outcome.headers.end(), login.tokens.replay.begin(),
                         login.tokens.replay.end());
  outcome.set_cookies = std::move(cookies);
  if (login.remember) {
    outcome.set_cookies.push_back(remember_set_cookie(services, facts, *login.remember));
  }
  return outcome;
}

}  // namespace oidc
