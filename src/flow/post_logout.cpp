#include "oidc/post_logout.h"

#include "access_token_flow.h"
#include "answers.h"
#include "oidc/crypto.h"
#include "oidc/form.h"
#include "oidc/pending_login.h"
#include "oidc/presented_grant.h"
#include "steps.h"

namespace oidc {
namespace {

// The state of the provider's answer; empty: none, or more than one.
std::string sent_state(const RequestFacts& facts) {
  if (facts.method != "GET") return {};
  const Result<Form> query = Form::parse(facts.query);
  if (!query || query->count("state") != 1) return {};
  return std::string(*query->get("state"));
}

// This browser's logout with that state.
std::optional<PendingLogout> find_pending(const Services& services, const RequestFacts& facts,
                                          std::string_view state) {
  const Settings& settings = services.settings;
  const CookieAttributes cookie =
      pending_logout_cookie(settings, own_origin_is_https(settings, facts));
  for (const std::string& header : facts.cookie_headers) {
    CookieReader reader(header);
    while (const auto pair = reader.next()) {
      if (pair->name != cookie.name) continue;
      auto pending =
          open_pending_logout(pair->value, services.keys, cookie.name, settings.identity);
      if (!pending || !constant_time_equal(pending->state, state)) continue;
      if (services.loop.now() - pending->created <= kPendingLogoutLife) return pending;
    }
  }
  return std::nullopt;
}

}  // namespace

Task<Outcome> post_logout_flow(Owners owners, Facts facts) {
  const std::string state = sent_state(*facts);
  Services* owner = nullptr;
  for (Services* services : owners) {
    if (state.empty()) break;
    const auto pending = find_pending(*services, *facts, state);
    if (!pending) continue;
    const bool exact = pending->settings == settings_name(services->settings);
    if (owner == nullptr || exact) owner = services;
    if (exact) break;
  }
  if (owner == nullptr) {
    co_return deny(*owners.front(), *facts, Error{Errc::logout_state_invalid, {}});
  }
  const Settings& settings = owner->settings;
  Result<void> host = check_host(settings, *facts);
  if (!host) co_return deny(*owner, *facts, std::move(host).error());
  std::string target = evaluated_target(*owner, *facts, settings.logout.redirect_uri);
  Outcome outcome = target.empty() ? logged_out_page(*owner)
                                   : redirect(*owner, *facts, std::move(target));
  const bool https = own_origin_is_https(settings, *facts);
  outcome.set_cookies.push_back(delete_cookie(pending_logout_cookie(settings, https)));
  co_return outcome;
}

Task<Outcome> access_flow_with_form(Services& services, Facts facts, BodyReader& body) {
  const Result<Secret> text = co_await body.read(kMaxLogoutBody);
  if (!text) co_return deny(services, *facts, text.error());
  PresentedToken presented = presented_token(services.settings, *facts, text->view());
  if (presented.present()) {
    co_return co_await access_token_flow(services, facts, std::move(presented));
  }
  if (grants_in_body(services.settings.credentials)) {
    auto with_body = std::make_shared<RequestFacts>(*facts);
    with_body->body = std::make_shared<const Secret>(text->view());
    facts = with_body;
  }
  const bool may_log_out =
      services.settings.credentials.session && !services.settings.logout.post_arg.empty() &&
      services.settings.logout.post && facts->method == "POST";
  if (!may_log_out) co_return co_await access_flow(services, facts);
  // What is no form is no logout, and none of our business.
  const Result<Form> form = Form::parse(text->view(), 1024);
  if (form && form->count(services.settings.logout.post_arg) > 0) {
    co_return co_await logout_flow(services, facts);
  }
  co_return co_await access_flow(services, facts);
}

}  // namespace oidc
