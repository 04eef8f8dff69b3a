#include "oidc/outage.h"

#include <optional>

#include "oidc/crypto.h"

namespace oidc {
namespace {

// Logouts that one machine may owe one store; a further one is refused (503).
constexpr int kPlaces = 1024;
constexpr std::string_view kTombstone = "1";

std::string tombstone_of(std::string_view key) {
  return std::string("logged_out:").append(key);
}

// Where the replay finds them: shared memory knows no lists.
std::string place_of(std::string_view store, int number) {
  return std::string("unsent_logout:").append(store).append(":").append(std::to_string(number));
}

// Holds another value after each new one, so that whoever found all places empty forgets no late one.
std::string notice_of(std::string_view store) {
  return std::string("unsent_logouts:").append(store);
}

}  // namespace

std::string store_name(const SessionSettings& session) {
  const RedisSettings& redis = session.redis;
  std::string name(redis.socket.empty() ? redis.host : redis.socket);
  name.append(":").append(std::to_string(redis.port));
  name.append("/").append(std::to_string(redis.database));
  name.append("/").append(redis.prefix);
  name.append("/").append(redis.sentinel_master);
  for (const auto* nodes : {&redis.sentinel_nodes, &redis.cluster_nodes}) {
    for (const auto& node : *nodes) {
      name.append("/").append(node.host).append(":").append(std::to_string(node.port));
    }
  }
  return name;
}

bool remember_logout(Services& services, const StoreKey& key) {
  if (was_logged_out(services.shared, key)) return true;  // and owed since then
  const Milliseconds life =
      store_ttl(0, services.settings.session.absolute_timeout, services.loop.now());
  const std::string name = store_name(services.settings.session);
  for (int i = 0; i < kPlaces; ++i) {
    const std::string place = place_of(name, i);
    if (!services.shared.put_if_absent(place, key.view(), life)) {
      if (services.shared.get(place)) continue;
      return false;
    }
    // The tombstone last: where it is, all of it is.
    if (services.shared.put(notice_of(name), random_string(16), life) &&
        services.shared.put(tombstone_of(key.view()), kTombstone, life)) {
      return true;
    }
    services.shared.erase_if_equal(place, key.view());
    return false;
  }
  return false;
}

void note_logout(Services& services, const StoreKey& key) {
  const Seconds cached = services.settings.session.outage_cached;
  if (cached == 0) return;
  services.shared.put_if_absent(tombstone_of(key.view()), kTombstone, Milliseconds(cached * 1000));
}

bool was_logged_out(SharedMemory& shared, const StoreKey& key) {
  return shared.get(tombstone_of(key.view())).has_value();
}

Task<void> replay_logouts(SharedMemory& shared, SessionStore& store, std::string name,
                          Milliseconds longer) {
  const std::optional<std::string> notice = shared.get(notice_of(name));
  if (!notice) co_return;
  bool all = true;
  for (int i = 0; i < kPlaces; ++i) {
    const std::string place = place_of(name, i);
    const std::optional<std::string> owed = shared.get(place);
    StoreKey key;
    if (!owed || owed->size() != key.text.size()) continue;
    owed->copy(key.text.data(), key.text.size());
    const StoreWrite erased = co_await store.erase(key);
    if (erased.status == StoreStatus::error) {
      all = false;  // another node of a cluster may well answer
      continue;
    }
    shared.put(tombstone_of(key.view()), kTombstone, longer);
    shared.erase_if_equal(place, *owed);
  }
  if (all) shared.erase_if_equal(notice_of(name), *notice);
}

}  // namespace oidc
