#include <algorithm>
#include <vector>

#include "answers.h"
#include "oidc/authorization.h"
#include "oidc/base64url.h"
#include "oidc/crypto.h"
#include "oidc/form.h"
#include "oidc/provider.h"
#include "steps.h"

namespace oidc {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kMaxCookieBytes = 4096;  // of all pending logins together
constexpr std::size_t kMaxClientValue = 512;

struct PendingCookie {
  std::string id;
  std::size_t bytes;
};

// The pending logins that this browser carries, oldest first.
std::vector<PendingCookie> pending_cookies(const RequestFacts& facts, std::string_view prefix) {
  std::vector<PendingCookie> found;
  for (const std::string& header : facts.cookie_headers) {
    CookieReader reader(header);
    while (const auto pair = reader.next()) {
      if (!pair->name.starts_with(prefix)) continue;
      found.push_back({std::string(pair->name.substr(prefix.size())),
                       pair->name.size() + pair->value.size() + 3});
    }
  }
  std::sort(found.begin(), found.end(), [](const PendingCookie& a, const PendingCookie& b) {
    return login_id_time(a.id) < login_id_time(b.id);
  });
  return found;
}

// Makes room for one more of `bytes`: too many cookies would lock the browser out of nginx itself.
void evict(Outcome& outcome, const Settings& settings, bool https, const RequestFacts& facts,
           std::size_t bytes) {
  const std::string prefix = login_cookie_attributes(settings, https, {}).name;
  const std::vector<PendingCookie> pending = pending_cookies(facts, prefix);
  std::size_t total = bytes;
  for (const PendingCookie& cookie : pending) total += cookie.bytes;
  std::size_t left = pending.size() + 1;
  for (const PendingCookie& cookie : pending) {
    if (left <= settings.authorization.max_pending && total <= kMaxCookieBytes) break;
    if (is_cookie_name(prefix + cookie.id)) {
      outcome.set_cookies.push_back(
          delete_cookie(login_cookie_attributes(settings, https, cookie.id)));
    }
    total -= cookie.bytes;
    --left;
  }
}

Parameters extra_parameters(const Settings& settings, const RequestFacts& facts) {
  Parameters extra;
  for (const auto& [name, value] : settings.authorization.query_args) {
    std::string text = facts.evaluator->evaluate(value);
    if (!text.empty()) extra.emplace_back(name, std::move(text));
  }
  if (settings.authorization.query_args_client.empty()) return extra;
  const Result<Form> query = Form::parse(facts.query, 1024);
  if (!query) return extra;
  for (const std::string& name : settings.authorization.query_args_client) {
    const auto value = query->get(name);
    if (value && value->size() <= kMaxClientValue) extra.emplace_back(name, *value);
  }
  return extra;
}

bool has_prompt_none(const Parameters& extra) {
  return std::any_of(extra.begin(), extra.end(), [](const auto& parameter) {
    return parameter.first == "prompt" && parameter.second.find("none") != std::string::npos;
  });
}

std::string without_query(const std::string& target) { return target.substr(0, target.find('?')); }

// The target inside the state; a target that does not fit becomes its path, then the root.
std::string make_state(Services& services, const LoginStart& start, const std::string& login_id,
                       Seconds now) {
  LoginState state{login_id, now, start.restarts, settings_name(services.settings), start.target};
  if (!services.settings.authorization.preserve_query_args) {
    state.target = without_query(state.target);
  }
  const std::string& identity = services.settings.identity;
  if (auto sealed = seal_state(state, services.keys, identity)) return *sealed;
  services.log.write(LogLevel::warn, Errc::too_large,
                     "the return target does not fit into state: its path is kept");
  state.target = without_query(state.target);
  if (auto sealed = seal_state(state, services.keys, identity)) return *sealed;
  state.target = "/";
  return seal_state(state, services.keys, identity).value();
}

// oidc_require_proof_key_for_code_exchange auto, and the provider does not advertise PKCE.
void warn_without_pkce(Services& services) {
  const Settings& settings = services.settings;
  if (settings.authorization.pkce != Toggle::automatic) return;
  const Sha256 hash = sha256(settings.identity);
  const std::string name = "warned:pkce:" + base64url_encode(as_view(hash).substr(0, 12));
  if (!services.shared.put_if_absent(name, "1", Milliseconds(86400LL * 1000))) return;
  services.log.write(LogLevel::warn, Errc::pkce_unsupported,
                     "logins go without PKCE; set oidc_require_proof_key_for_code_exchange on "
                     "if the provider understands it");
}

// What the browser keeps until the answer comes, and what the provider is asked.
struct PreparedLogin {
  AuthorizationRequest request;
  PendingLogin pending;
};

PreparedLogin prepare(Services& services, const RequestFacts& facts, const LoginStart& start,
                      const std::string& login_id, bool pkce) {
  const Settings& settings = services.settings;
  const Seconds now = services.loop.now();
  PreparedLogin login;
  AuthorizationRequest& request = login.request;
  request.redirect_uri = redirect_uri(settings, facts);
  request.state = make_state(services, start, login_id, now);
  request.nonce = make_nonce();
  request.extra = extra_parameters(settings, facts);
  PendingLogin& pending = login.pending;
  pending.created = now;
  pending.nonce = request.nonce;
  if (pkce) {
    pending.code_verifier = make_code_verifier();
    request.code_challenge = code_challenge_s256(pending.code_verifier);
  }
  const Sha256 state_hash = sha256(request.state);
  pending.state_hash = as_view(state_hash);
  pending.redirect_uri = request.redirect_uri;
  pending.replaces = present_session_key(services, facts);
  pending.prompt_none = has_prompt_none(request.extra);
  pending.restarts = start.restarts;
  return login;
}

}  // namespace

std::string present_session_key(Services& services, const RequestFacts& facts) {
  const CookieLookup found = session_cookie_of(services, facts);
  if (found.conflict || !found.cookie) return {};
  return std::string(store_key(found.cookie->sid_view()).view());
}

Task<Outcome> start_login(Services& services, Facts facts, LoginStart start) {
  const Settings& settings = services.settings;
  Result<void> host = check_host(settings, *facts);
  if (!host) co_return deny(services, *facts, std::move(host).error());
  auto metadata = co_await services.provider.metadata();
  if (!metadata) co_return deny(services, *facts, std::move(metadata).error());
  const Result<bool> pkce = use_pkce(settings, **metadata);
  if (!pkce) co_return deny(services, *facts, pkce.error());
  if (!*pkce) warn_without_pkce(services);

  const bool https = own_origin_is_https(settings, *facts);
  const std::string login_id = make_login_id(services.loop.now());
  const PreparedLogin login = prepare(services, *facts, start, login_id, *pkce);
  Outcome outcome =
      redirect(services, *facts, authorization_url(settings, **metadata, login.request));
  const CookieAttributes cookie = login_cookie_attributes(settings, https, login_id);
  const std::string sealed =
      seal_pending_login(login.pending, services.keys, cookie.name, settings.identity);
  evict(outcome, settings, https, *facts, cookie.name.size() + sealed.size() + 3);
  outcome.set_cookies.push_back(set_cookie(cookie, sealed, settings.authorization.rolling_timeout));
  co_return outcome;
}

}  // namespace oidc
