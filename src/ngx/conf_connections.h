// What workers need to reach providers and stores, made while the configuration is read.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "ngx/conf.h"
#include "oidc/settings_builder.h"

namespace oidc::ngx {

// The location's `resolver`; null where it has no name servers.
using LocationResolver = ngx_resolver_t*;

// Why something cannot be used, and the directive that says so.
struct Objection {
  std::string_view directive;
  std::string text;
};

// Certificates and keys are read here, in the master, once for each set of files; so is what the
// system says about names.
class Connections {
 public:
  [[nodiscard]] std::optional<Objection> prepare(ngx_conf_t* cf, ProviderConf& provider,
                                                 LocationResolver resolver);
  [[nodiscard]] std::optional<Objection> prepare(ngx_conf_t* cf, StoreConf& redis,
                                                 LocationResolver resolver);

 private:
  using Files = std::tuple<std::string, std::string, std::string, std::string>;
  using Trust = std::shared_ptr<const TlsTrust>;

  [[nodiscard]] Result<Trust> trust(const TlsFiles& files);
  // False after nginx logged why not.
  [[nodiscard]] bool find_names(ngx_conf_t* cf, NameSource& target, LocationResolver resolver);

  std::shared_ptr<const SystemNames> system_;
  ngx_resolver_t* of_system_ = nullptr;
  std::map<Files, Trust> trusts_;
};

}  // namespace oidc::ngx
