// Absolute http and https URLs, as far as a relying party needs them (RFC 3986).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "oidc/result.h"

namespace oidc {

struct Url {
  std::string scheme;       // "http" or "https", lower case
  std::string host;         // lower case; an IPv6 literal without its brackets
  bool host_is_ipv6 = false;
  std::uint16_t port = 0;   // the scheme's default when not given
  bool port_given = false;
  std::string path;         // "" or starts with '/'; as given
  std::string query;        // without '?'; as given
  bool has_query = false;
  std::string fragment;
  bool has_fragment = false;

  // scheme://host[:port], port only when it is not the default; the form of RFC 6454.
  [[nodiscard]] std::string origin() const;
  [[nodiscard]] bool is_loopback() const;  // localhost, 127.0.0.0/8, ::1
};

// Refuses user information, control characters, white space, backslashes, an empty host, a port
// out of range and every other scheme. Fails with Errc::malformed.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

// Percent-encodes all but RFC 3986's unreserved characters.
[[nodiscard]] std::string percent_encode(std::string_view text);
// Decodes %XX; a '%' without two hex digits fails with Errc::malformed. '+' stays '+'.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text);

// Whether `target` may be sent back to a browser as our own origin's URL: an origin-form that
// starts with one '/', and holds no backslash, control character or white space, and is not
// "//..." (after which a browser would read a host).
[[nodiscard]] bool is_safe_origin_form(std::string_view target) noexcept;

// Appends `query` (already encoded) to `url`, with '?' or '&' as needed, before any fragment.
[[nodiscard]] std::string append_query(std::string_view url, std::string_view query);

}  // namespace oidc
