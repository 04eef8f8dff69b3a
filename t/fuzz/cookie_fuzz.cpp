#include <algorithm>
#include <string>

#include "oidc/cookie.h"
#include "require.h"

using oidc::fuzz::require;

namespace {

bool is_ours(std::string_view name) {
  return name == "s" || name.starts_with("__Host-");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view header = oidc::fuzz::text_of(data, size);
  bool any = false;
  oidc::CookieReader reader(header);
  while (const std::optional<oidc::CookiePair> pair = reader.next()) {
    require(oidc::is_cookie_name(pair->name), "a cookie's name is a token");
    require(pair->value.find(';') == std::string_view::npos, "no ';' in a value");
    any = any || is_ours(pair->name);
  }

  const std::optional<std::string> stripped = oidc::strip_cookies(header, is_ours);
  require(stripped.has_value() || !any, "a cookie of ours is removed");
  if (!stripped) return 0;
  require(stripped->size() < size, "removing makes the header shorter");
  require(!oidc::strip_cookies(*stripped, is_ours), "nothing of ours is left");
  oidc::CookieReader left(*stripped);
  while (const std::optional<oidc::CookiePair> pair = left.next()) {
    require(!is_ours(pair->name), "no cookie of ours is read");
  }
  return 0;
}
