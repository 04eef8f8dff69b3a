#include "answers.h"
#include "form_body.h"
#include "oidc/authorization.h"
#include "oidc/base64url.h"
#include "oidc/crypto.h"
#include "oidc/provider.h"
#include "oidc/url.h"
#include "remember.h"
#include "repost_page.h"
#include "steps.h"

namespace oidc {
namespace {

// What came to the callback, read and attributed to one of its owners.
struct Callback {
  Services* services = nullptr;
  Form form;
  AuthorizationResponse response;
  LoginState state;
};

Task<Result<Form>> read_form(Facts facts, BodyReader& reader) {
  if (facts->method == "GET") co_return Form::parse(facts->query);
  if (facts->method != "POST") co_return Errc::callback_method;
  co_return co_await read_form_body(facts, reader);
}

// Several locations may share the path: the state says whose it is, by opening, and among those of
// one identity by the settings that it names. After a reload that changed them any of these will
// do.
Result<Callback> attribute(const Owners& owners, Form form) {
  Result<AuthorizationResponse> response = read_authorization_response(form);
  if (!response) return std::move(response).error();
  Services* owner = nullptr;
  std::optional<LoginState> opened;
  for (Services* services : owners) {
    auto state = open_state(response->state, services->keys, services->settings.identity);
    if (!state) continue;
    const bool exact = state->settings == settings_name(services->settings);
    if (owner == nullptr || exact) owner = services;
    opened = std::move(state);
    if (exact) break;
  }
  if (owner == nullptr) return Errc::state_invalid;
  return Callback{owner, std::move(form), std::move(*response), std::move(*opened)};
}

std::optional<PendingLogin> find_pending(const Callback& callback, const RequestFacts& facts,
                                         const CookieAttributes& cookie) {
  for (const std::string& header : facts.cookie_headers) {
    CookieReader reader(header);
    while (const auto pair = reader.next()) {
      if (pair->name != cookie.name) continue;
      auto pending = open_pending_login(pair->value, callback.services->keys, cookie.name,
                                        callback.services->settings.identity);
      if (pending) return pending;
    }
  }
  return std::nullopt;
}

// A late or repeated answer: a browser with a session goes where it wanted to go, never further.
Task<Outcome> go_home_or_deny(Services& services, Facts facts, std::string target, Errc why) {
  Result<void> host = check_host(services.settings, *facts);
  if (!host) co_return deny(services, *facts, std::move(host).error());
  const std::string url = absolute(services, *facts, target);
  const SessionLookup lookup = co_await find_session(services, facts);
  if (lookup.kind == SessionLookup::Kind::found) co_return redirect(services, *facts, url);
  co_return deny_with_retry(services, *facts, Error{why, {}}, url);
}

Result<void> check_arrival(const Callback& callback, const RequestFacts& facts,
                           const PendingLogin& pending) {
  const Settings& settings = callback.services->settings;
  const Sha256 hash = sha256(callback.response.state);
  if (!constant_time_equal(as_view(hash), pending.state_hash)) return Errc::state_mismatch;
  const std::string arrived = own_origin(settings, facts) + facts.path;
  const Result<Url> sent = parse_url(pending.redirect_uri);
  const Result<Url> here = parse_url(arrived);
  if (!sent || !here || sent->origin() != here->origin() || sent->path != here->path) {
    return Errc::redirect_uri_mismatch;
  }
  const bool post = facts.method == "POST";
  if (post != (settings.authorization.response_mode == ResponseMode::form_post)) {
    return Errc::response_mode_mismatch;
  }
  return {};
}

// One use of a state for each code; remembered until it expires. No room to remember: refused.
Errc use_once(Services& services, const Callback& callback) {
  const Sha256 hash = sha256(callback.response.state);
  const std::string name = "state:" + base64url_encode(as_view(hash));
  const Seconds left = callback.state.created +
                       services.settings.authorization.rolling_timeout - services.loop.now();
  SharedMemory& used = services.used_states;
  if (used.put_if_absent(name, "1", Milliseconds((left + 1) * 1000))) return Errc::none;
  return used.get(name) ? Errc::state_replayed : Errc::store_full;
}

Task<Outcome> refused(Services& services, Facts facts, Callback callback, PendingLogin pending) {
  const Errc reason = authorization_error(callback.response.error);
  if (reason == Errc::login_required && !pending.prompt_none && pending.restarts == 0) {
    LoginStart start;
    start.target = callback.state.target;
    start.restarts = 1;
    co_return co_await start_login(services, facts, std::move(start));
  }
  const bool again = reason == Errc::login_required && pending.restarts > 0;
  const Error why{again ? Errc::login_loop : reason, {}};
  const std::string retry = absolute(services, *facts, callback.state.target);
  co_return deny_with_retry(services, *facts, why, retry);
}

// An error answer is judged; a code uses the state up and is redeemed.
Task<Outcome> consume(Services& services, Facts facts, Callback callback, PendingLogin pending) {
  // An error answer changes nothing, so it uses nothing up: strangers could fill the memory.
  if (!callback.response.error.empty()) {
    co_return co_await refused(services, facts, callback, pending);
  }
  if (callback.response.code.empty()) {
    co_return deny(services, *facts, Error{Errc::parameter_missing, "code"});
  }
  const Errc used = use_once(services, callback);
  if (used == Errc::store_full) co_return deny(services, *facts, Error{used, "used states"});
  if (used != Errc::none) {
    co_return co_await go_home_or_deny(services, facts, callback.state.target, used);
  }
  CodeExchange exchange{callback.response.code, pending, present_session_key(services, *facts),
                        facts, remember_cookie_of(services, *facts)};
  const auto login = co_await exchange_code(services, std::move(exchange));
  if (!login) {
    const std::string retry = absolute(services, *facts, callback.state.target);
    co_return deny_with_retry(services, *facts, login.error(), retry);
  }
  co_return logged_in(services, *facts, callback.state.target, **login);
}

Task<Outcome> decide(Facts facts, Callback callback) {
  Services& services = *callback.services;
  const Settings& settings = services.settings;
  // A wrong iss is refused before anything else is believed (RFC 9207 section 2.4).
  if (callback.response.iss && *callback.response.iss != settings.provider.issuer) {
    co_return deny(services, *facts, Error{Errc::iss_mismatch, {}});
  }
  const CookieAttributes cookie = login_cookie_attributes(
      settings, own_origin_is_https(settings, *facts), callback.state.login_id);
  const std::optional<PendingLogin> pending = find_pending(callback, *facts, cookie);
  // Of a POST that crossed sites nothing is judged before its cookies are visible, late or not.
  const bool may_repost = facts->method == "POST" && callback.form.count(kRepostMarker) == 0;
  if (!pending && may_repost) co_return repost_page(services, *facts, callback.form);
  const Seconds age = services.loop.now() - callback.state.created;
  if (age > settings.authorization.rolling_timeout) {
    co_return co_await go_home_or_deny(services, facts, callback.state.target, Errc::state_expired);
  }
  if (!pending) {
    co_return co_await go_home_or_deny(services, facts, callback.state.target,
                                       Errc::login_cookie_missing);
  }
  Result<void> arrival = check_arrival(callback, *facts, *pending);
  if (!arrival) co_return deny(services, *facts, std::move(arrival).error());
  auto metadata = co_await services.provider.metadata();
  if (!metadata) co_return deny(services, *facts, std::move(metadata).error());
  Result<void> iss = check_response_iss(callback.response, settings, **metadata);
  if (!iss) co_return deny(services, *facts, std::move(iss).error());
  Outcome outcome = co_await consume(services, facts, callback, *pending);
  outcome.set_cookies.push_back(delete_cookie(cookie));
  co_return outcome;
}

}  // namespace

Task<Outcome> callback_flow(Owners owners, Facts facts, BodyReader& body) {
  Result<Form> form = co_await read_form(facts, body);
  if (!form) {
    Error why = std::move(form).error();
    if (why.code == Errc::malformed || why.code == Errc::too_large) {
      why.code = Errc::parameter_malformed;
    }
    co_return deny(*owners.front(), *facts, std::move(why));
  }
  Result<Callback> callback = attribute(owners, std::move(*form));
  if (!callback) co_return deny(*owners.front(), *facts, std::move(callback).error());
  co_return co_await decide(facts, std::move(*callback));
}

}  // namespace oidc
