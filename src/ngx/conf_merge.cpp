// From merged locations to Settings: each with `oidc on` is checked and built here, equal ones
// once, and what they share (providers, stores, keys) is numbered.
#include "ngx/conf_objects.h"
#include "ngx/handlers.h"
#include "ngx/status.h"
#include "ngx/values.h"
#include "oidc/published.h"

namespace oidc::ngx {
namespace {

// The conf structures of the location that nginx merges just now.
struct Merging {
  explicit Merging(ngx_conf_t* its_cf)
      : cf(its_cf), contexts(*static_cast<const ngx_http_conf_ctx_t*>(cf->ctx)) {}

  ngx_conf_t* cf;
  const ngx_http_conf_ctx_t& contexts;

  [[nodiscard]] MainObject& main() const {
    return *static_cast<MainObject*>(contexts.main_conf[ngx_http_openid_connect_module.ctx_index]);
  }
  [[nodiscard]] ServerObject& server() const {
    return *static_cast<ServerObject*>(contexts.srv_conf[ngx_http_openid_connect_module.ctx_index]);
  }
  [[nodiscard]] const ngx_http_core_srv_conf_t& core_server() const {
    return *static_cast<const ngx_http_core_srv_conf_t*>(
        contexts.srv_conf[ngx_http_core_module.ctx_index]);
  }
  [[nodiscard]] const ngx_http_core_loc_conf_t& core_location() const {
    return *static_cast<const ngx_http_core_loc_conf_t*>(
        contexts.loc_conf[ngx_http_core_module.ctx_index]);
  }
};

LocationResolver resolver_of(const ngx_http_core_loc_conf_t& location) {
  // nginx makes a resolver without name servers where none is configured.
  const bool configured = location.resolver != nullptr && location.resolver->connections.nelts > 0;
  return configured ? location.resolver : nullptr;
}

BuildFacts facts_of(const Merging& merging) {
  BuildFacts facts;
  facts.conf_prefix = to_view(merging.cf->cycle->conf_prefix);
  const ngx_array_t& names = merging.core_server().server_names;
  const auto* elements = static_cast<const ngx_http_server_name_t*>(names.elts);
  for (ngx_uint_t i = 0; i < names.nelts; ++i) {
    std::string name(to_view(elements[i].name));
#if (NGX_PCRE)
    if (elements[i].regex != nullptr && !name.starts_with('~')) name.insert(0, 1, '~');
#endif
    facts.server_names.push_back(std::move(name));
  }
  return facts;
}

// `location "/x" in server "a.example", FILE:LINE`.
std::string describe(const Merging& merging, const LocationObject& location) {
  std::string text;
  const ngx_http_core_loc_conf_t& core = merging.core_location();
  if (core.name.len > 0) text.append("location \"").append(to_view(core.name)).append("\" of ");
  text.append("server \"").append(to_view(merging.core_server().server_name)).append("\"");
  if (location.place.file.empty()) return text;
  text.append(", ").append(location.place.file);
  return text.append(":").append(std::to_string(location.place.line));
}

// Not ngx_conf_log_error: it would add the end of the http block.
void log(const Merging& merging, ngx_uint_t level, const std::string& text,
         const LocationObject& location) {
  const std::string line = text + " (for " + describe(merging, location) + ")";
  ngx_str_t view = to_ngx_str(line);
  ngx_log_error(level, merging.cf->log, 0, "%V", &view);
}

// An objection with the place of its directive.
std::string describe(const Objection& objection, const LocationObject& location) {
  std::string text(objection.directive);
  text.append(": ").append(objection.text);
  const DirectiveWords::Lines* lines = location.words.get(objection.directive);
  if (lines == nullptr) return text;
  text.append(" in ").append(lines->front().file);
  return text.append(":").append(std::to_string(lines->front().line));
}

// The first position at which matches(position) holds; size when there is none.
template <class Matches>
std::size_t find_position(std::size_t size, Matches matches) {
  std::size_t i = 0;
  while (i < size && !matches(i)) ++i;
  return i;
}

std::optional<Objection> number_provider(const Merging& merging, Settings& settings,
                                         LocationResolver resolver) {
  MainObject& main = merging.main();
  std::vector<ProviderConf>& known = main.view.providers;
  settings.provider_index = find_position(known.size(), [&](std::size_t i) {
    return *known[i].settings == settings.provider && main.provider_resolvers[i] == resolver;
  });
  if (settings.provider_index < known.size()) return std::nullopt;
  known.push_back({&settings.provider, {}});
  main.provider_resolvers.push_back(resolver);
  return main.connections.prepare(merging.cf, known.back(), resolver);
}

std::optional<Objection> number_store(const Merging& merging, Settings& settings,
                                      LocationResolver resolver) {
  MainObject& main = merging.main();
  std::vector<StoreConf>& known = main.view.stores;
  const bool redis =
      settings.session.storage == StorageKind::redis || settings.session.deny_in_redis;
  if (!redis) resolver = nullptr;
  settings.store_index = find_position(known.size(), [&](std::size_t i) {
    return same_store(*known[i].settings, settings.session) && main.store_resolvers[i] == resolver;
  });
  if (settings.store_index < known.size()) return std::nullopt;
  known.push_back({&settings.session, nullptr, nullptr});
  main.store_resolvers.push_back(resolver);
  if (redis) return main.connections.prepare(merging.cf, known.back(), resolver);
  const std::string& name = settings.session.zone;
  for (const ZoneSettings& zone : main.zones) {
    if (zone.name == name) return std::nullopt;
  }
  return Objection{"oidc_session_storage", "there is no oidc_session_zone \"" + name + "\""};
}

void number_keys(MainObject& main, Settings& settings) {
  std::vector<KeysConf>& known = main.view.keys;
  settings.keys_index = find_position(known.size(), [&](std::size_t i) {
    return same_secrets(*known[i].settings, settings.session);
  });
  if (settings.keys_index == known.size()) known.push_back({&settings.session});
}

// Null after an error was logged.
const Settings* build(const Merging& merging, const LocationObject& location,
                      LocationResolver resolver) {
  std::vector<std::string> warnings;
  Result<std::unique_ptr<Settings>> built =
      build_settings(location.words, facts_of(merging), warnings);
  if (!built) {
    log(merging, NGX_LOG_EMERG, built.error().detail, location);
    return nullptr;
  }
  MainObject& main = merging.main();
  for (const std::string& warning : warnings) {
    if (main.warned.insert(warning).second) log(merging, NGX_LOG_WARN, warning, location);
  }
  // Kept also when something fails below: what is numbered points to it.
  main.settings.push_back(std::move(*built));
  Settings& settings = *main.settings.back();
  for (Value* value : variable_values(settings)) {
    if (!compile_value(merging.cf, *value)) return nullptr;
  }
  settings.index = main.view.settings.size();
  std::optional<Objection> objection = number_provider(merging, settings, resolver);
  if (!objection) objection = number_store(merging, settings, resolver);
  if (objection) {
    log(merging, NGX_LOG_EMERG, describe(*objection, location), location);
    return nullptr;
  }
  number_keys(main, settings);
  main.view.used = true;
  main.view.settings.push_back(&settings);
  main.places.push_back(describe(merging, location));
  return &settings;
}

const Settings* find_or_build(const Merging& merging, const LocationObject& location) {
  const LocationResolver resolver = resolver_of(merging.core_location());
  std::string key = fingerprint(location.words);
  key.append(reinterpret_cast<const char*>(&resolver), sizeof(resolver));
  ServerObject& server = merging.server();
  const auto found = server.by_words.find(key);
  if (found != server.by_words.end()) return found->second;
  const Settings* settings = build(merging, location, resolver);
  if (settings == nullptr) return nullptr;
  server.by_words.emplace(std::move(key), settings);
  server.settings.push_back(settings);
  return settings;
}

void add_path(ServerObject& server, const std::string& path, ServerPath::Kind kind, Owner owner) {
  if (path.empty()) return;
  ServerPath& known = server.view.paths[path];
  known.kind = kind;  // check_server refuses a second one
  known.owners.push_back(owner);
}

// The first location with `oidc on` and these settings stands for them.
void register_owner(const Merging& merging, const Settings* settings) {
  ServerObject& server = merging.server();
  if (!server.registered.insert(settings).second) return;
  const Owner owner{settings, merging.contexts.loc_conf};
  if (!settings->credentials.session) return;
  server.view.owners.push_back(owner);
  using Kind = ServerPath::Kind;
  add_path(server, settings->authorization.callback_path, Kind::callback, owner);
  add_path(server, settings->logout.post_logout_uri, Kind::post_logout, owner);
  add_path(server, settings->logout.backchannel_uri, Kind::backchannel_logout, owner);
  add_path(server, settings->logout.frontchannel_uri, Kind::frontchannel_logout, owner);
}

// ---- locations with a content of our own -------------------------------------------------------

constexpr std::string_view kAdministration = "oidc_session_admin";
constexpr std::string_view kClientKeys = "oidc_client_jwks";
constexpr std::string_view kResource = "oidc_resource_metadata";
constexpr std::string_view kStatus = "oidc_status";

// Such a directive counts where it stands, not in nested locations; an `if` or limit_except is the
// location that it is in. False after an error was logged.
bool find_content(const Merging& merging, LocationObject& location, const LocationObject& outer) {
  const ngx_http_core_loc_conf_t& core = merging.core_location();
  if (core.noname || core.lmt_excpt) {
    location.content = outer.content;
    return true;
  }
  for (const std::string_view directive : {kAdministration, kClientKeys, kResource, kStatus}) {
    const auto own = location.own.find(*find_directive(directive));
    if (own == location.own.end() || own->second.front().words[0] == "off") continue;
    if (location.content.empty()) {
      location.content = directive;
      continue;
    }
    std::string text(directive);
    text.append(": the content of this location is that of ").append(location.content);
    log(merging, NGX_LOG_EMERG, text.append(" already"), location);
    return false;
  }
  return true;
}

// Clients of the resource look for its metadata at one path, unless WWW-Authenticate tells another.
void check_resource_path(const Merging& merging, const LocationObject& location,
                         const std::string& resource) {
  const std::string_view name = to_view(merging.core_location().name);
  const std::string path = resource_metadata_path(resource);
  const bool told = !location.view.settings->credentials.resource_metadata.empty();
  if (told || name == path || !name.starts_with('/')) return;
  std::string text("oidc_resource_metadata: clients of \"");
  text.append(resource).append("\" look for it at \"").append(path);
  text.append("\"; oidc_resource_metadata_uri could tell them another address");
  log(merging, NGX_LOG_WARN, text, location);
}

// False after an error was logged.
bool install_document(const Merging& merging, LocationObject& location,
                      std::string_view directive) {
  const Settings& settings = *location.view.settings;
  const std::string& word = location.words.get(directive)->front().words[0];
  std::optional<Objection> objection;
  if (location.view.enabled && settings.unauthenticated != Unauthenticated::pass) {
    objection = Objection{directive,
                 "who fetches it has no credential: \"oidc off\" belongs into this location"};
  } else {
    Result<std::string> document = directive == kClientKeys ? client_jwks(settings.client, settings.headers)
                                                            : resource_metadata(settings, word);
    if (document) {
      location.view.document = std::move(*document);
    } else {
      objection = Objection{directive, document.error().detail};
    }
  }
  if (objection) {
    log(merging, NGX_LOG_EMERG, describe(*objection, location), location);
    return false;
  }
  if (directive == kResource) check_resource_path(merging, location, word);
  auto* core = static_cast<ngx_http_core_loc_conf_t*>(
      merging.contexts.loc_conf[ngx_http_core_module.ctx_index]);
  core->handler = document_handler;
  return true;
}

void install_status(const Merging& merging, LocationObject& location) {
  const std::string& format = location.words.get(kStatus)->front().words[0];
  location.view.status_format = *parse_status_format(format);
  merging.main().has_status = true;
  auto* core = static_cast<ngx_http_core_loc_conf_t*>(
      merging.contexts.loc_conf[ngx_http_core_module.ctx_index]);
  core->handler = status_handler;
}

// Sessions that nobody can find or end. False after an error was logged.
bool is_administrable(const Merging& merging, const LocationObject& location) {
  const SessionSettings& session = location.view.settings->session;
  if (session.storage != StorageKind::cookie || session.deny_in_redis) return true;
  log(merging, NGX_LOG_EMERG,
      "oidc_session_admin: with sessions in cookies it needs the list of ended sessions where all "
      "gateways see it: \"oidc_session_storage cookie deny=redis\"",
      location);
  return false;
}

// Who may come in is checked when all modules have merged their locations.
void install_administration(const Merging& merging, const LocationObject& location) {
  auto* core = static_cast<ngx_http_core_loc_conf_t*>(
      merging.contexts.loc_conf[ngx_http_core_module.ctx_index]);
  core->handler = administration_handler;
  const bool open = location.words.get("oidc_session_admin")->front().words[0] == "public";
  const bool asks_for_login = location.view.enabled &&
                              location.view.settings->unauthenticated != Unauthenticated::pass;
  if (open || asks_for_login || core->noname || core->lmt_excpt) return;
  merging.main().guarded.push_back({merging.contexts.loc_conf, describe(merging, location)});
}

}  // namespace

char* merge_location(ngx_conf_t* cf, void* outer, void* inner) noexcept {
  const auto failed = static_cast<char*>(NGX_CONF_ERROR);
  return guard<char*>(failed, [&]() -> char* {
    auto& location = *static_cast<LocationObject*>(inner);
    location.inherit(static_cast<const LocationObject*>(outer));
    location.view.enabled = location.words.flag("oidc");
    location.view.clear_headers =
        location.view.enabled || location.words.flag("oidc_clear_headers");
    const Merging merging(cf);
    if (!find_content(merging, location, *static_cast<const LocationObject*>(outer))) return failed;
    const std::string_view content = location.content;
    if (content == kStatus) install_status(merging, location);
    const bool needs_settings = !content.empty() && content != kStatus;
    if (!location.view.enabled && !needs_settings) return NGX_CONF_OK;
    location.view.settings = find_or_build(merging, location);
    if (location.view.settings == nullptr) return failed;
    if (location.view.enabled) register_owner(merging, location.view.settings);
    if (!needs_settings) return NGX_CONF_OK;
    if (content != kAdministration) {
      return install_document(merging, location, content) ? NGX_CONF_OK : failed;
    }
    if (!is_administrable(merging, location)) return failed;
    install_administration(merging, location);
    return NGX_CONF_OK;
  });
}

}  // namespace oidc::ngx
