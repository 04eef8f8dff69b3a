#include "oidc/directives.h"

#include <algorithm>

#include "draft.h"

namespace oidc {
namespace {

std::vector<Directive> all_directives() {
  std::vector<Directive> all;
  for (const auto topic :
       {general_directives, credential_directives, grant_directives, provider_directives,
        client_directives, authorization_directives, login_directives, logout_directives,
        session_directives, cookie_directives, cache_directives, redis_directives, token_directives,
        token_request_directives, encryption_directives, header_directives,
        cache_ttl_directives, rule_directives, error_directives}) {
    const std::span<const Directive> table = topic();
    all.insert(all.end(), table.begin(), table.end());
  }
  return all;
}

}  // namespace

std::span<const Directive> directives() {
  static const std::vector<Directive> all = all_directives();
  return all;
}

std::optional<std::size_t> find_directive(std::string_view name) {
  const std::span<const Directive> all = directives();
  const auto found = std::find_if(all.begin(), all.end(), [name](const Directive& directive) {
    return directive.name == name;
  });
  if (found == all.end()) return std::nullopt;
  return static_cast<std::size_t>(found - all.begin());
}

}  // namespace oidc
