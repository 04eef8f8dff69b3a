#include "answers.h"
#include "oidc/logout.h"
#include "oidc/provider.h"
#include "steps.h"

namespace oidc {
namespace {

constexpr std::string_view kLoggedOutPage =
    "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Signed out</title>"
    "<style>body{font:1rem/1.5 sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}</style>"
    "</head><body><main><h1>Signed out</h1></main></body></html>\n";

// Where the browser goes: to the provider's end_session, to the configured address, or nowhere.
// The provider may be down: the local logout never depends on it.
Task<std::string> after_logout(Services& services, Facts facts, std::string id_token) {
  const Settings& settings = services.settings;
  std::string target = facts->evaluator->evaluate(settings.logout.redirect_uri);
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
  if (!is_same_origin(settings, *facts)) {
    co_return deny(services, *facts, Error{Errc::logout_cross_site, {}});
  }
  const SessionLookup lookup = co_await find_session(services, facts);
  if (lookup.kind == SessionLookup::Kind::error) co_return deny(services, *facts, lookup.why);
  std::string id_token;
  if (lookup.session) {
    id_token = lookup.session->record().id_token;
    const StoreWrite erased = co_await services.store.erase(lookup.session->key());
    if (erased.status == StoreStatus::error) {
      co_return deny(services, *facts, Error{Errc::store_unavailable, erased.detail});
    }
  }
  std::string location = co_await after_logout(services, facts, std::move(id_token));
  Outcome outcome = location.empty() ? page(services, std::string(kLoggedOutPage), {})
                                     : redirect(services, *facts, std::move(location));
  const bool https = own_origin_is_https(settings, *facts);
  outcome.set_cookies.push_back(delete_cookie(session_cookie_attributes(settings, https)));
  co_return outcome;
}

}  // namespace oidc
