// Whether a location keeps anybody out. The modules that would know have no interface: the beginnings
// of their structures are as they have been since nginx 1.3.10.
#include <cstring>

#include "ngx/conf_objects.h"

namespace oidc::ngx {
namespace {

// ngx_http_access_loc_conf_t
struct AccessConf {
  ngx_array_t* rules;
#if (NGX_HAVE_INET6)
  ngx_array_t* rules6;
#endif
#if (NGX_HAVE_UNIX_DOMAIN)
  ngx_array_t* rules_un;
#endif
};

// ngx_http_auth_basic_loc_conf_t
struct BasicConf {
  ngx_http_complex_value_t* realm;
};

// The merged structure of a module that may not be there.
template <class Conf>
const Conf* conf_of(const ngx_conf_t* cf, void** loc_conf, const char* module) {
  for (ngx_module_t** each = cf->cycle->modules; *each != nullptr; ++each) {
    if (std::strcmp((*each)->name, module) == 0) {
      return static_cast<const Conf*>(loc_conf[(*each)->ctx_index]);
    }
  }
  return nullptr;
}

bool has_rules(const AccessConf& conf) {
#if (NGX_HAVE_INET6)
  if (conf.rules6 != nullptr) return true;
#endif
#if (NGX_HAVE_UNIX_DOMAIN)
  if (conf.rules_un != nullptr) return true;
#endif
  return conf.rules != nullptr;
}

bool asks_for_password(const BasicConf& conf) {
  if (conf.realm == nullptr || conf.realm == NGX_CONF_UNSET_PTR) return false;
  return conf.realm->lengths != nullptr || to_view(conf.realm->value) != "off";
}

}  // namespace

bool has_access_control(ngx_conf_t* cf, void** loc_conf) {
  const auto* core =
      static_cast<const ngx_http_core_loc_conf_t*>(loc_conf[ngx_http_core_module.ctx_index]);
  if (core->internal) return true;
  const auto* access = conf_of<AccessConf>(cf, loc_conf, "ngx_http_access_module");
  if (access != nullptr && has_rules(*access)) return true;
  const auto* basic = conf_of<BasicConf>(cf, loc_conf, "ngx_http_auth_basic_module");
  return basic != nullptr && asks_for_password(*basic);
}

}  // namespace oidc::ngx
