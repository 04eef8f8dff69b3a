// The configuration as the request's code sees it: built when nginx reads its files, complete after
// postconfiguration, never written again.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/curl_http_client.h"
#include "io/redis_options.h"
#include "io/shm_counters.h"
#include "io/shm_zone.h"
#include "oidc/header_names.h"
#include "oidc/settings.h"
#include "oidc/status_report.h"

namespace oidc::ngx {

// A merged location (or server level) with `oidc on`. To act as it: r->loc_conf = loc_conf, then
// ngx_http_update_location_config(r).
struct Owner {
  const Settings* settings;
  void** loc_conf;
};

struct LocationConf {
  bool enabled = false;                // oidc on
  const Settings* settings = nullptr;  // null unless enabled, or the content's
  std::string document;                // of document_handler
  StatusFormat status_format = StatusFormat::html;  // of status_handler
  // Whether the client's copies of the server's identity headers are dropped here. Always where
  // enabled; elsewhere oidc_clear_headers.
  bool clear_headers = true;
};

// A path of the module's own, matched exactly and for the whole server.
struct ServerPath {
  enum class Kind : std::uint8_t { callback, post_logout, backchannel_logout, frontchannel_logout };
  Kind kind = Kind::callback;
  std::vector<Owner> owners;  // in the order of the configuration
};

struct ServerConf {
  // What this r->uri is; null: nothing of ours.
  [[nodiscard]] const ServerPath* path(std::string_view uri) const noexcept;

  // Each Settings of the server once, in the order of the configuration. For logout paths.
  std::vector<Owner> owners;
  // The names of headers that some location of the server may set; null: none does.
  const HeaderNameSet* clear = nullptr;

  std::map<std::string, ServerPath, std::less<>> paths;
  HeaderNameSet clear_names;
};

// What Settings::provider_index points to: providers with equal settings and resolver are one.
struct ProviderConf {
  const ProviderSettings* settings = nullptr;
  HttpClientOptions http;
};

// What Settings::store_index points to: one zone, or one Redis.
struct StoreConf {
  const SessionSettings* settings = nullptr;
  ShmZone* zone = nullptr;                    // of shm
  std::shared_ptr<const RedisOptions> redis;  // of redis
};

// What Settings::keys_index points to: equal lists of secrets are one key ring.
struct KeysConf {
  const SessionSettings* settings = nullptr;  // secrets empty: the generated one, in secret_zone
};

struct MainConf {
  bool used = false;                      // some location has `oidc on`
  std::vector<const Settings*> settings;  // [Settings::index]
  std::vector<ProviderConf> providers;    // [Settings::provider_index]
  std::vector<StoreConf> stores;          // [Settings::store_index]
  std::vector<KeysConf> keys;             // [Settings::keys_index]
  ShmZone* shared_zone = nullptr;         // discovery, key sets, throttles, leases; null: unused
  ShmZone* states_zone = nullptr;         // used states; null: unused
  ShmZone* secret_zone = nullptr;         // null unless some store has no configured secret
  ShmCounters* counters = nullptr;        // null: nobody asks for them (oidc_status)
};

[[nodiscard]] const LocationConf& location_conf(const ngx_http_request_t* r) noexcept;
[[nodiscard]] const ServerConf& server_conf(const ngx_http_request_t* r) noexcept;
[[nodiscard]] const MainConf& main_conf(const ngx_http_request_t* r) noexcept;
// Null when the configuration has no http block.
[[nodiscard]] const MainConf* main_conf(const ngx_cycle_t* cycle) noexcept;

}  // namespace oidc::ngx
