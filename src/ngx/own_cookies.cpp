#include "ngx/own_cookies.h"

#include <algorithm>

#include "oidc/session_parts.h"

namespace oidc::ngx {
namespace {

std::string_view without_prefix(std::string_view name) noexcept {
  for (const std::string_view prefix : {"__Host-", "__Secure-"}) {
    if (name.starts_with(prefix)) return name.substr(prefix.size());
  }
  return name;
}

}  // namespace

bool is_own_cookie(const ServerConf& server, std::string_view cookie_name) noexcept {
  const std::string_view name = without_prefix(cookie_name);
  return std::any_of(server.owners.begin(), server.owners.end(), [name](const Owner& owner) {
    const SessionSettings& session = owner.settings->session;
    const std::string_view own = without_prefix(session.cookie.name);
    return name == own ||
           (session.storage == StorageKind::cookie && part_index(name, own) != 0) ||
           (session.remember.on && name == without_prefix(session.remember.cookie.name)) ||
           name.starts_with(without_prefix(owner.settings->authorization.cookie.name));
  });
}

}  // namespace oidc::ngx
