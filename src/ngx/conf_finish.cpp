// What only the whole configuration shows: conflicts inside a server, the names of headers that it
// clears, and the shared memory that is needed.
#include <algorithm>

#include "ngx/conf_objects.h"
#include "ngx/status.h"
#include "oidc/logout_flows.h"
#include "oidc/session_facts.h"

namespace oidc::ngx {
namespace {

constexpr std::size_t kSharedZoneSize = 16 * 1024 * 1024;

void log_error(ngx_conf_t* cf, const std::string& text) {
  ngx_str_t view = to_ngx_str(text);
  ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%V", &view);
}

// The Cookie header is one line, and other cookies want some of it.
void check_header_buffers(ngx_conf_t* cf, const ngx_http_core_srv_conf_t& core,
                          const std::vector<const Settings*>& settings) {
  constexpr std::size_t kOthers = 2048;
  std::size_t largest = 0;
  for (const Settings* each : settings) {
    if (each->session.storage != StorageKind::cookie) continue;
    largest = std::max(largest, each->session.cookie_size);
  }
  const std::size_t buffer = core.large_client_header_buffers.size;
  if (largest == 0 || largest + kOthers <= buffer) return;
  std::string text("oidc_session_storage: a session in cookies may take ");
  text.append(std::to_string(largest)).append(" bytes of a Cookie header, and ");
  text.append("large_client_header_buffers of server \"").append(to_view(core.server_name));
  text.append("\" have ").append(std::to_string(buffer));
  text.append(" for all of it: nginx would answer 400; they want ");
  text.append(std::to_string((largest + kOthers + 1023) / 1024)).append("k, or size= less");
  ngx_str_t view = to_ngx_str(text);
  ngx_log_error(NGX_LOG_WARN, cf->log, 0, "%V", &view);
}

bool finish_server(ngx_conf_t* cf, const ngx_http_core_srv_conf_t& core) {
  auto& server =
      *static_cast<ServerObject*>(core.ctx->srv_conf[ngx_http_openid_connect_module.ctx_index]);
  Result<void> checked = check_server(server.settings);
  if (!checked) {
    std::string text = checked.error().detail + " (for server \"";
    text.append(to_view(core.server_name)).append("\", ");
    text.append(reinterpret_cast<const char*>(core.file_name));
    log_error(cf, text.append(":").append(std::to_string(core.line)).append(")"));
    return false;
  }
  check_header_buffers(cf, core, server.settings);
  for (const Settings* settings : server.settings) {
    for (const IdentityHeader& header : settings->headers.upstream) {
      server.view.clear_names.add(header.name);
    }
    for (const SessionFact fact : settings->session.request_headers) {
      server.view.clear_names.add(header_of(fact));
    }
  }
  if (!server.view.clear_names.empty()) server.view.clear = &server.view.clear_names;
  return true;
}

// Locations of one identity end each other's sessions, on whatever servers they are.
bool check_identities(ngx_conf_t* cf, const MainObject& main) {
  const std::vector<const Settings*>& all = main.view.settings;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t k = i + 1; k < all.size(); ++k) {
      const Result<void> checked = check_index(*all[i], *all[k]);
      if (checked) continue;
      std::string text = checked.error().detail;
      text.append(" (for ").append(main.places[i]).append(", and ").append(main.places[k]);
      log_error(cf, text.append(")"));
      return false;
    }
  }
  return true;
}

// Locations of one identity use each other's sessions: what one of them sends, the others' logins keep.
void find_kept(MainObject& main) {
  using Source = IdentityHeader::Source;
  for (const auto& wants : main.settings) {
    bool jwk = false, jwt = false;
    for (const auto* list : {&wants->headers.upstream, &wants->headers.downstream}) {
      for (const IdentityHeader& header : *list) {
        jwk = jwk || header.source == Source::access_token_jwk ||
              header.source == Source::id_token_jwk;
        jwt = jwt || header.source == Source::user_info_jwt ||
              header.source == Source::introspection_jwt;
      }
    }
    if (!jwk && !jwt) continue;
    for (const auto& keeps : main.settings) {
      if (keeps->identity != wants->identity) continue;
      keeps->headers.keep_jwk = keeps->headers.keep_jwk || jwk;
      keeps->headers.keep_jwt = keeps->headers.keep_jwt || jwt;
    }
  }
}

void find_longest_flights(MainObject& main) {
  std::map<std::string_view, std::int64_t> longest;  // by identity
  for (const auto& settings : main.settings) {
    std::int64_t& known = longest[settings->identity];
    known = std::max<std::int64_t>(known, flight_of(*settings).count());
  }
  for (const auto& settings : main.settings) {
    settings->longest_flight_ms = longest[settings->identity];
  }
}

bool check_guarded(ngx_conf_t* cf, const MainObject& main) {
  for (const GuardedLocation& location : main.guarded) {
    if (has_access_control(cf, location.loc_conf)) continue;
    log_error(cf, "oidc_session_admin: everybody could end sessions here: the location needs allow "
                  "and deny, auth_basic, internal or \"oidc on\"; \"oidc_session_admin public\" "
                  "means that something else guards it (for " + location.description + ")");
    return false;
  }
  return true;
}

std::size_t size_of(const MainObject& main, std::string_view zone) {
  const auto found = std::find_if(main.zones.begin(), main.zones.end(),
                                  [&](const ZoneSettings& each) { return each.name == zone; });
  return found->size;
}

bool declare_zones(ngx_conf_t* cf, MainObject& main) {
  main.view.shared_zone = ShmZone::declare(cf, kSharedZoneName, kSharedZoneSize, kSharedZone);
  if (main.view.shared_zone == nullptr) return false;
  main.view.states_zone =
      ShmZone::declare(cf, kStatesZoneName, size_of(main, kStatesZoneName), kStatesZone);
  if (main.view.states_zone == nullptr) return false;
  // Stores differ in their zones, so each zone is declared once.
  for (StoreConf& store : main.view.stores) {
    const bool cookies = store.settings->storage == StorageKind::cookie;
    if (store.settings->storage == StorageKind::redis || store.settings->deny_in_redis) continue;
    const std::string& name = store.settings->zone;
    const bool elsewhere = std::any_of(
        main.view.stores.data(), &store, [&](const StoreConf& other) {
          return other.zone != nullptr && other.zone->name() == name;
        });
    if (elsewhere) {
      std::string text("oidc_session_storage: the zone \"");
      text.append(name).append("\" cannot be that of shm and of cookie: one forgets what was not ");
      log_error(cf, text.append("used for long, the other must not; declare another "
                                "oidc_session_zone"));
      return false;
    }
    store.zone = ShmZone::declare(cf, name, size_of(main, name),
                                  cookies ? kCookieZone : kSessionZone);
    if (store.zone == nullptr) return false;
  }
  const bool generates =
      std::any_of(main.view.keys.begin(), main.view.keys.end(),
                  [](const KeysConf& keys) { return keys.settings->secrets.empty(); });
  if (!generates) return true;
  main.view.secret_zone = ShmZone::declare(cf, kSecretZoneName, ShmZone::least_size(), kSecretZone);
  return main.view.secret_zone != nullptr;
}

}  // namespace

bool finish_configuration(ngx_conf_t* cf) {
  const auto& core = *static_cast<ngx_http_core_main_conf_t*>(
      ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
  auto& main = *static_cast<MainObject*>(
      ngx_http_conf_get_module_main_conf(cf, ngx_http_openid_connect_module));
  if (!main.view.used) return true;
  auto* const* servers = static_cast<ngx_http_core_srv_conf_t* const*>(core.servers.elts);
  for (ngx_uint_t i = 0; i < core.servers.nelts; ++i) {
    if (!finish_server(cf, *servers[i])) return false;
  }
  find_longest_flights(main);
  find_kept(main);
  if (!check_identities(cf, main) || !check_guarded(cf, main) || !declare_zones(cf, main)) {
    return false;
  }
  if (main.has_status) main.view.counters = declare_counters(cf);
  return !main.has_status || main.view.counters != nullptr;
}

}  // namespace oidc::ngx
