// The configuration objects that nginx keeps for the module, one of each kind for each block, and
// the functions by which it makes and merges them.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ngx/conf.h"
#include "ngx/conf_connections.h"
#include "oidc/settings_builder.h"

namespace oidc::ngx {

// A location that must not be open to everybody.
struct GuardedLocation {
  void** loc_conf;
  std::string description;
};

struct MainObject {
  MainConf view;
  std::vector<LocationResolver> provider_resolvers;  // of view.providers
  std::vector<LocationResolver> store_resolvers;     // of view.stores
  std::vector<std::unique_ptr<Settings>> settings;
  std::vector<std::string> places;  // of view.settings: where each stands first
  std::vector<ZoneSettings> zones;  // declared ones, used or not
  Connections connections;
  std::set<std::string> warned;
  std::vector<GuardedLocation> guarded;
  bool has_status = false;  // some location has oidc_status
};

struct ServerObject {
  ServerConf view;
  std::vector<const Settings*> settings;
  std::map<std::string, const Settings*> by_words;
  std::set<const Settings*> registered;  // as owners of paths
};

// Where a block of the configuration begins.
struct Place {
  std::string file;
  std::size_t line = 0;
};
[[nodiscard]] Place current_place(const ngx_conf_t* cf);

struct LocationObject {
  LocationConf view;
  std::string_view content;  // the directive that makes the location's content; empty: none of ours
  Place place;
  std::map<std::size_t, DirectiveWords::Lines> own;
  DirectiveWords words;  // own and inherited lines

  void inherit(const LocationObject* outer);
};

void* create_main(ngx_conf_t* cf) noexcept;
void* create_server(ngx_conf_t* cf) noexcept;
void* create_location(ngx_conf_t* cf) noexcept;
// The one setter of all directives; command->offset is the directive's position.
char* set_directive(ngx_conf_t* cf, ngx_command_t* command, void* location) noexcept;
char* init_main(ngx_conf_t* cf, void* main) noexcept;
char* merge_location(ngx_conf_t* cf, void* outer, void* inner) noexcept;

// At postconfiguration: what only the whole configuration shows, and shared memory. False after an
// error was logged.
[[nodiscard]] bool finish_configuration(ngx_conf_t* cf);
// Whether allow or deny, auth_basic or internal stands in the location, by what nginx merged.
[[nodiscard]] bool has_access_control(ngx_conf_t* cf, void** loc_conf);

}  // namespace oidc::ngx

extern "C" ngx_module_t ngx_http_openid_connect_module;
extern "C" ngx_module_t ngx_http_openid_connect_filter_module;
