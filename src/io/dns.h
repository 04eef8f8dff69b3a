// Host names to addresses, without blocking: literals, localhost (RFC 6761), the system's hosts
// file, then nginx's resolver.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/address.h"
#include "io/nginx.h"
#include "io/system_names.h"
#include "oidc/loop.h"
#include "oidc/result.h"

namespace oidc {

// Where a location's names come from; made at configuration, see choose_names().
struct NameSource {
  std::shared_ptr<const SystemNames> system;  // its hosts; its search list when `searches`
  ngx_resolver_t* resolver = nullptr;         // the cycle's; null: only what needs no name server
  bool searches = false;                      // the resolver asks the system's name servers
};

// nginx's resolver for the system's name servers; one per configuration is enough. Null when nginx
// refuses, which it logs.
[[nodiscard]] ngx_resolver_t* create_system_resolver(ngx_conf_t* cf, const SystemNames& names);

// The location's `resolver` (clcf->resolver, may be null) if it has name servers, else the
// system's.
[[nodiscard]] NameSource choose_names(ngx_resolver_t* configured, ngx_resolver_t* of_system,
                                      std::shared_ptr<const SystemNames> system);

class Dns {
 public:
  Dns(Loop& loop, NameSource source) : loop_(loop), source_(std::move(source)) {}

  // At least one address. Fails with provider_unreachable or provider_timeout; the detail names the
  // host and the reason. The Dns must outlive the task.
  [[nodiscard]] Task<Result<std::vector<Address>>> resolve(std::string host, std::uint16_t port,
                                                           Milliseconds timeout) const;

 private:
  [[nodiscard]] std::vector<Address> without_name_server(const std::string& host) const;

  Loop& loop_;
  NameSource source_;
};

}  // namespace oidc
