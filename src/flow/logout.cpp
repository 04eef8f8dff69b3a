#include "answers.h"
#include "oidc/base64url.h"
#include "oidc/crypto.h"
#include "oidc/form.h"
#include "oidc/html.h"
#include "oidc/logout.h"
#include "oidc/outage.h"
#include "oidc/provider.h"
#include "oidc/url.h"
#include "session_index.h"
#include "steps.h"

namespace oidc {
namespace {

constexpr std::string_view kConfirmation = "oidc_logout_confirmation";

constexpr std::string_view kLoggedOutPage =
    "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Signed out</title>"
    "</head><body><main><h1>Signed out</h1></main></body></html>\n";

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
    html.append("\"><button type=\"submit\">Sign out</button></form>");
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
                                 const SessionLookup& lookup) {
  if (initiator(services.settings, facts) == Initiator::ours) return std::nullopt;
  if (!lookup.session) return deny(services, facts, Error{Errc::logout_cross_site, {}});
  const std::optional<std::string> token = sent_confirmation(facts);
  if (!token) return confirmation_page(services, facts, *lookup.session);
  if (constant_time_equal(*token, confirmation_token(services, *lookup.session))) {
    return std::nullopt;
  }
  return deny(services, facts, Error{Errc::logout_cross_site, "a confirmation of another session"});
}

// Where the browser goes: to the provider's end_session, to the configured address, or nowhere.
// The provider may be down: the local logout never depends on it.
Task<std::string> after_logout(Services& services, Facts facts, std::string id_token) {
  const Settings& settings = services.settings;
  std::string target = evaluated_target(services, *facts, settings.logout.redirect_uri);
  auto metadata = co_await services.provider.metadata();
  if (!metadata) {
    services.log.write(LogLevel::warn, metadata.error().code, metadata.error().detail);
    co_return target;
  }
  if ((*metadata)->end_session_endpoint.empty()) co_return target;
  co_return end_session_url((*metadata)->end_session_endpoint, settings.client.id, id_token,
                            target);
}

}  // namespace

Task<Outcome> logout_flow(Services& services, Facts facts) {
  const Settings& settings = services.settings;
  Result<void> host = check_host(settings, *facts);
  if (!host) co_return deny(services, *facts, std::move(host).error());
  if (initiator(settings, *facts) == Initiator::foreign) {
    co_return deny(services, *facts, Error{Errc::logout_cross_site, {}});
  }
  const SessionLookup lookup = co_await find_session(services, facts);
  // With sessions that outlive an outage, a logout does as well.
  const Seconds outage = services.settings.session.outage_cached;
  if (lookup.kind == SessionLookup::Kind::error && outage == 0) {
    co_return deny(services, *facts, lookup.why);
  }
  if (auto asked = ask_first(services, *facts, lookup)) co_return std::move(*asked);
  std::string id_token;
  if (lookup.session) id_token = lookup.session->record().id_token.text();
  // By the cookie's name for it: a session that is too old or too weak here ends as well.
  const std::string present = present_session_key(services, *facts);
  StoreKey key;
  if (present.size() == key.text.size()) {
    present.copy(key.text.data(), key.text.size());
    const StoreWrite erased = co_await services.store.erase(key);
    const bool ended = erased.status != StoreStatus::error ||
                       (outage != 0 && remember_logout(services, key));
    if (!ended) {
      co_return deny(services, *facts, Error{Errc::store_unavailable, erased.detail});
    }
  }
  if (lookup.session) {
    const Membership who = membership_of(lookup.session->key(), lookup.session->record());
    co_await unindex_session(services, who);
  }
  std::string location = co_await after_logout(services, facts, std::move(id_token));
  Outcome outcome = location.empty() ? page(services, std::string(kLoggedOutPage), {})
                                     : redirect(services, *facts, std::move(location));
  const bool https = own_origin_is_https(settings, *facts);
  outcome.set_cookies.push_back(delete_cookie(session_cookie_attributes(settings, https)));
  co_return outcome;
}

}  // namespace oidc
