#include "ngx/conf_objects.h"

#include <new>

namespace oidc::ngx {
namespace {

// In the pool; destroyed with it.
template <class T>
T* make_in(ngx_pool_t* pool) {
  ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(pool, sizeof(T));
  if (cleanup == nullptr) return nullptr;
  static_assert(alignof(T) <= NGX_ALIGNMENT);
  T* made = new (cleanup->data) T();
  cleanup->handler = [](void* data) { static_cast<T*>(data)->~T(); };
  return made;
}

void log_error(ngx_conf_t* cf, const std::string& text) {
  ngx_str_t line = to_ngx_str(text);
  ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V", &line);
}

BuildFacts line_facts(const ngx_conf_t* cf) {
  return {std::string(to_view(cf->cycle->conf_prefix)), {}};
}

}  // namespace

Place current_place(const ngx_conf_t* cf) {
  if (cf->conf_file == nullptr) return {};
  return {std::string(to_view(cf->conf_file->file.name)), cf->conf_file->line};
}

void LocationObject::inherit(const LocationObject* outer) {
  for (std::size_t i = 0; i < directives().size(); ++i) {
    const auto found = own.find(i);
    if (found != own.end()) {
      words.set(i, &found->second);
    } else {
      words.set(i, outer == nullptr ? nullptr : outer->words.get(i));
    }
  }
}

void* create_main(ngx_conf_t* cf) noexcept {
  return guard<void*>(nullptr, [&] { return make_in<MainObject>(cf->pool); });
}

void* create_server(ngx_conf_t* cf) noexcept {
  return guard<void*>(nullptr, [&] { return make_in<ServerObject>(cf->pool); });
}

void* create_location(ngx_conf_t* cf) noexcept {
  return guard<void*>(nullptr, [&]() -> void* {
    auto* location = make_in<LocationObject>(cf->pool);
    if (location != nullptr) location->place = current_place(cf);
    return location;
  });
}

char* set_directive(ngx_conf_t* cf, ngx_command_t* command, void* location) noexcept {
  const auto failed = static_cast<char*>(NGX_CONF_ERROR);
  return guard<char*>(failed, [&]() -> char* {
    const std::size_t index = command->offset;
    const Directive& directive = directives()[index];
    DirectiveUse use;
    const auto* arguments = static_cast<const ngx_str_t*>(cf->args->elts);
    for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) {
      use.words.emplace_back(to_view(arguments[i]));
    }
    const Place place = current_place(cf);
    use.file = place.file;
    use.line = place.line;
    Result<void> checked = check_directive(index, use, line_facts(cf));
    if (!checked) {
      log_error(cf, std::string(directive.name) + ": " + checked.error().detail);
      return failed;
    }
    DirectiveWords::Lines& lines = static_cast<LocationObject*>(location)->own[index];
    if (!lines.empty() && !directive.repeatable) {
      log_error(cf, std::string(directive.name) +
                        ": it is there twice in one block, first on line " +
                        std::to_string(lines.front().line));
      return failed;
    }
    lines.push_back(std::move(use));
    return NGX_CONF_OK;
  });
}

char* init_main(ngx_conf_t* cf, void* main) noexcept {
  const auto failed = static_cast<char*>(NGX_CONF_ERROR);
  return guard<char*>(failed, [&]() -> char* {
    const auto* contexts = static_cast<const ngx_http_conf_ctx_t*>(cf->ctx);
    auto& http =
        *static_cast<LocationObject*>(contexts->loc_conf[ngx_http_openid_connect_module.ctx_index]);
    http.inherit(nullptr);
    Result<std::vector<ZoneSettings>> zones = build_zones(http.words);
    if (!zones) {
      log_error(cf, zones.error().detail);
      return failed;
    }
    static_cast<MainObject*>(main)->zones = std::move(*zones);
    return NGX_CONF_OK;
  });
}

}  // namespace oidc::ngx
