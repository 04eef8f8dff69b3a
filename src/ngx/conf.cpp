#include "ngx/conf.h"

#include "ngx/conf_objects.h"

namespace oidc::ngx {

const ServerPath* ServerConf::path(std::string_view uri) const noexcept {
  if (paths.empty()) return nullptr;
  const auto found = paths.find(uri);
  return found == paths.end() ? nullptr : &found->second;
}

const LocationConf& location_conf(const ngx_http_request_t* r) noexcept {
  const void* object = ngx_http_get_module_loc_conf(r, ngx_http_openid_connect_module);
  return static_cast<const LocationObject*>(object)->view;
}

const ServerConf& server_conf(const ngx_http_request_t* r) noexcept {
  const void* object = ngx_http_get_module_srv_conf(r, ngx_http_openid_connect_module);
  return static_cast<const ServerObject*>(object)->view;
}

const MainConf& main_conf(const ngx_http_request_t* r) noexcept {
  const void* object = ngx_http_get_module_main_conf(r, ngx_http_openid_connect_module);
  return static_cast<const MainObject*>(object)->view;
}

const MainConf* main_conf(const ngx_cycle_t* cycle) noexcept {
  const void* object = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_openid_connect_module);
  return object == nullptr ? nullptr : &static_cast<const MainObject*>(object)->view;
}

}  // namespace oidc::ngx
