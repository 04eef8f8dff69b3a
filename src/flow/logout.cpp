#include <algorithm>

#include "answers.h"
#include "cookie_session.h"
#include "end_session.h"
#include "oidc/base64url.h"
#include "oidc/crypto.h"
#include "oidc/form.h"
#include "oidc/html.h"
#include "oidc/logout.h"
#include "oidc/post_logout.h"
#include "oidc/provider.h"
#include "oidc/url.h"
#include "in_worker.h"
#include "remember.h"
#include "steps.h"

namespace oidc {
namespace {

constexpr std::string_view kConfirmation = "oidc_logout_confirmation";

using Session = std::shared_ptr<const OpenSession>;

using NamedSessions = std::vector<NamedSession>;

// Of all cookies that verify: two of them are a conflict elsewhere, and a logout ends both.
std::vector<SessionCookie> session_cookies(const Services& services, const RequestFacts& facts) {
  const Settings& settings = services.settings;
  const std::string name =
      session_cookie_attributes(settings, own_origin_is_https(settings, facts)).name;
  const CookieIdentity identity(settings, facts);
  std::vector<SessionCookie> found;
  for (const std::string& header : facts.cookie_headers) {
    CookieReader reader(header);
    while (const auto pair = reader.next()) {
      if (pair->name != name) continue;
      SessionCookieFinder finder(services.keys, name, identity.view(), services.loop.now());
      std::string alone(pair->name);
      finder.look_at(alone.append("=").append(pair->value));
      const auto& cookie = finder.result().cookie;
      const bool known = cookie && std::any_of(found.begin(), found.end(), [&](const auto& other) {
        return other.sid == cookie->sid;
      });
      if (cookie && !known) found.push_back(*cookie);
    }
  }
  return found;
}

// By the cookies' names for them: a session that is too old or too weak here ends as well.
Task<Result<NamedSessions>> named_sessions(Services& services, Facts facts) {
  const std::vector<SessionCookie> cookies = session_cookies(services, *facts);
  // With sessions that outlive an outage, a logout does as well.
  const bool may_outlive = services.settings.session.outage_cached != 0;
  NamedSessions found;
  if (cookies.size() == 1) {
    const SessionLookup lookup = co_await find_session(services, facts);
    if (lookup.kind == SessionLookup::Kind::error && !may_outlive) co_return lookup.why;
    found.push_back({store_key(cookies.front().sid_view()), lookup.session, {}});
    co_return found;
  }
  for (const SessionCookie& cookie : cookies) {
    NamedSession named{store_key(cookie.sid_view()), nullptr, {}};
    const SessionLookup lookup = co_await read_sent_session(services, facts, cookie);
    if (lookup.kind == SessionLookup::Kind::error && !may_outlive) co_return lookup.why;
    named.session = lookup.session;
    found.push_back(std::move(named));
  }
  co_return found;
}

Session first_of(const NamedSessions& sessions) {
  for (const NamedSession& named : sessions) {
    if (named.session) return named.session;
  }
  return nullptr;
}

// oidc_logout_from.
Initiator who_asks(const Settings& settings, const RequestFacts& facts) {
  const LogoutFrom from = settings.logout.from;
  if (!facts.sec_purpose.empty()) return Initiator::foreign;
  if (from == LogoutFrom::any) return Initiator::ours;
  if (from == LogoutFrom::same_site && facts.sec_fetch_site == "same-site") return Initiator::ours;
  return initiator(settings, facts);
}

// Proves that the confirmation page was shown to this very session.
std::string confirmation_token(const Services& services, const OpenSession& session) {
  std::string fields;
  append_field(fields, kConfirmation);
  append_field(fields, services.settings.identity);
  append_field(fields, session.cookie().sid_view());
  const Sha256 mac = services.keys.sealing().cookie_mac().sign(fields);
  return base64url_encode(as_view(mac).substr(0, 16));
}

// Nothing says who made the request: the user is asked. A form for POST, a link where GET alone
// logs out; where neither does, no browser page can ask.
Outcome confirmation_page(Services& services, const RequestFacts& facts,
                          const OpenSession& session) {
  const LogoutSettings& logout = services.settings.logout;
  if (!logout.post && !logout.get) return deny(services, facts, Error{Errc::logout_cross_site, {}});
  const std::string argument =
      std::string(kConfirmation) + "=" + confirmation_token(services, session);
  const std::string url =
      html_escape(append_query(absolute(services, facts, facts.target), argument));
  std::string html = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                     "<title>Sign out?</title></head><body><main><h1>Sign out?</h1>";
  if (logout.post) {
    html.append("<form method=\"post\" action=\"").append(url);
    html.append("\">");
    if (!logout.post_arg.empty()) {
      html.append("<input type=\"hidden\" name=\"").append(html_escape(logout.post_arg));
      html.append("\" value=\"1\">");
    }
    html.append("<button type=\"submit\">Sign out</button></form>");
  } else {
    html.append("<p><a href=\"").append(url).append("\">Sign out</a></p>");
  }
  return page(services, html.append("</main></body></html>\n"), {});
}

// The token of the confirmation page; nullopt when none came.
std::optional<std::string> sent_confirmation(const RequestFacts& facts) {
  const Result<Form> query = Form::parse(facts.query, 1024);
  if (!query) return std::nullopt;
  const auto value = query->get(kConfirmation);
  if (!value) return std::nullopt;
  return std::string(*value);
}

// nullopt: the logout goes on.
std::optional<Outcome> ask_first(Services& services, const RequestFacts& facts,
                                 const NamedSessions& sessions) {
  if (who_asks(services.settings, facts) == Initiator::ours) return std::nullopt;
  const Session first = first_of(sessions);
  if (!first) return deny(services, facts, Error{Errc::logout_cross_site, {}});
  const std::optional<std::string> token = sent_confirmation(facts);
  if (!token) return confirmation_page(services, facts, *first);
  if (constant_time_equal(*token, confirmation_token(services, *first))) return std::nullopt;
  return deny(services, facts, Error{Errc::logout_cross_site, "a confirmation of another session"});
}

// Where the browser goes, and the cookie that it takes along.
struct Farewell {
  std::string location;    // empty: nowhere
  std::string set_cookie;  // empty: none
};

// To the provider, which sends the browser to oidc_post_logout_uri: the state says that it comes
// from this very logout.
Farewell by_provider_and_back(Services& services, const RequestFacts& facts,
                              const std::string& endpoint, const std::string& id_token) {
  const Settings& settings = services.settings;
  const CookieAttributes cookie =
      pending_logout_cookie(settings, own_origin_is_https(settings, facts));
  PendingLogout pending;
  pending.created = services.loop.now();
  pending.state = base64url_encode(random_string(16));
  pending.settings = settings_name(settings);
  Farewell farewell;
  farewell.location =
      end_session_url(endpoint, settings.client.id, id_token,
                      absolute(services, facts, settings.logout.post_logout_uri), pending.state);
  farewell.set_cookie = set_cookie(
      cookie, seal_pending_logout(pending, services.keys, cookie.name, settings.identity),
      kPendingLogoutLife);
  return farewell;
}

// To the provider's end_session, to the configured address, or nowhere. The provider may be down:
// the local logout never depends on it.
Task<Farewell> farewell_of(Services& services, Facts facts, std::string id_token) {
  const Settings& settings = services.settings;
  Farewell farewell;
  auto metadata = co_await services.provider.metadata();
  if (!metadata) {
    services.log.write(LogLevel::warn, metadata.error().code, metadata.error().detail);
  }
  const std::string endpoint = metadata ? (*metadata)->end_session_endpoint : std::string();
  if (!endpoint.empty() && !settings.logout.post_logout_uri.empty()) {
    co_return by_provider_and_back(services, *facts, endpoint, id_token);
  }
  farewell.location = evaluated_target(services, *facts, settings.logout.redirect_uri);
  if (!endpoint.empty()) {
    farewell.location =
        end_session_url(endpoint, settings.client.id, id_token, farewell.location);
  }
  co_return farewell;
}

}  // namespace

Task<Outcome> logout_flow(Services& services, Facts facts) {
  const Settings& settings = services.settings;
  Result<void> host = check_host(settings, *facts);
  if (!host) co_return deny(services, *facts, std::move(host).error());
  if (who_asks(settings, *facts) == Initiator::foreign) {
    co_return deny(services, *facts, Error{Errc::logout_cross_site, {}});
  }
  const Result<NamedSessions> sessions = co_await named_sessions(services, facts);
  if (!sessions) co_return deny(services, *facts, sessions.error());
  if (auto asked = ask_first(services, *facts, *sessions)) co_return std::move(*asked);
  std::string id_token;
  if (const Session first = first_of(*sessions)) id_token = first->record().id_token.text();
  for (const NamedSession& named : *sessions) {
    const Result<void> ended = co_await in_worker(services, end_session(services, named));
    if (!ended) co_return deny(services, *facts, ended.error());
  }
  const auto remembered = remember_cookie_of(services, *facts);
  if (remembered) {
    const SessionCookie cookie = *remembered;
    const Membership of = co_await remembered_membership(services, cookie);
    const NamedSession forgotten{store_key(cookie.sid_view()), nullptr, of};
    const Result<void> ended = co_await in_worker(services, end_session(services, forgotten));
    if (!ended) co_return deny(services, *facts, ended.error());
  }
  Farewell farewell = co_await farewell_of(services, facts, std::move(id_token));
  Outcome outcome = farewell.location.empty()
                        ? logged_out_page(services)
                        : redirect(services, *facts, std::move(farewell.location));
  const bool https = own_origin_is_https(settings, *facts);
  append_session_deletion(services, *facts, outcome.set_cookies);
  if (remembered || settings.session.remember.on) {
    outcome.set_cookies.push_back(delete_cookie(remember_cookie_attributes(settings, https)));
  }
  if (!farewell.set_cookie.empty()) outcome.set_cookies.push_back(farewell.set_cookie);
  co_return outcome;
}

}  // namespace oidc
