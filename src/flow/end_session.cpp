#include "end_session.h"

#include <algorithm>

#include "cookie_session.h"
#include "in_worker.h"
#include "oidc/outage.h"
#include "remember.h"
#include "revocation.h"
#include "session_index.h"
#include "steps.h"

namespace oidc {
namespace {

bool remember_logouts(Services& services, const std::vector<StoreKey>& keys,
                      const NamedSession& named) {
  if (services.settings.session.outage_cached == 0) return false;
  OwedLogout owed;
  Seconds created = 0;
  if (named.session) {
    const SessionRecord& record = named.session->record();
    created = record.created;
    owed.sets = sets_of(services.settings, membership_of(named.session->key(), record));
  }
  return std::all_of(keys.begin(), keys.end(), [&](const StoreKey& key) {
    owed.key = key;
    owed.created = named.session && key == named.session->key() ? created : 0;
    return remember_logout(services, owed);
  });
}

// The remember cookie's record that goes with the session, or that the request names.
std::vector<StoreKey> remembered_keys(Services& services, const RequestFacts& facts,
                                      const NamedSession& named) {
  std::vector<StoreKey> keys;
  const auto cookie = remember_cookie_of(services, facts);
  if (cookie) keys.push_back(store_key(cookie->sid_view()));
  if (named.session && !named.session->record().remember_sid.empty()) {
    keys.push_back(store_key(named.session->record().remember_sid));
  }
  return keys;
}

}  // namespace

Task<Result<void>> end_session(Services& services, NamedSession named) {
  std::vector<StoreKey> keys;
  Membership of = named.of;
  if (named.session) {
    keys = keys_of(*named.session);
    of = membership_of(named.session->key(), named.session->record());
  }
  keys.push_back(named.key);
  Result<void> erased = co_await erase_members(services, keys, of);
  if (!erased && !remember_logouts(services, keys, named)) co_return erased;
  if (!named.session) co_return Result<void>();
  const SessionRecord& record = named.session->record();
  revoke_tokens(services, std::string(record.access_token), record.refresh_token.text());
  co_return Result<void>();
}

Task<std::vector<std::string>> destroy_session(Services& services, Facts facts,
                                               NamedSession named) {
  const Settings& settings = services.settings;
  std::vector<std::string> cookies;
  Result<void> ended = co_await in_worker(services, end_session(services, named));
  Membership of;  // most likely
  if (named.session) of = membership_of(named.session->key(), named.session->record());
  const std::vector<StoreKey> remembered = remembered_keys(services, *facts, named);
  for (const StoreKey& key : remembered) {
    if (!ended) break;
    const NamedSession forgotten{key, nullptr, of};
    ended = co_await in_worker(services, end_session(services, forgotten));
  }
  if (!ended) {
    services.log.write(LogLevel::warn, ended.error().code, ended.error().detail);
    co_return cookies;
  }
  const bool https = own_origin_is_https(settings, *facts);
  append_session_deletion(services, *facts, cookies);
  if (!remembered.empty()) {
    cookies.push_back(delete_cookie(remember_cookie_attributes(settings, https)));
  }
  co_return cookies;
}

Task<std::vector<std::string>> destroy_present_session(Services& services, Facts facts) {
  std::vector<std::string> cookies;
  const CookieLookup found = session_cookie_of(services, *facts);
  if (found.conflict) co_return cookies;  // whose is whose is not known
  if (found.cookie) {
    const SessionLookup lookup = co_await read_sent_session(services, facts, *found.cookie);
    if (lookup.kind == SessionLookup::Kind::error) co_return cookies;
    const NamedSession named{store_key(found.cookie->sid_view()), lookup.session, {}};
    co_return co_await destroy_session(services, facts, named);
  }
  if (!found.invalid) co_return cookies;
  append_session_deletion(services, *facts, cookies);
  co_return cookies;
}

}  // namespace oidc
