// Cookies (RFC 6265bis): reading a Cookie header, removing our own from it, writing Set-Cookie.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oidc {

struct CookiePair {
  std::string_view name;
  std::string_view value;  // surrounding double quotes removed
};

// Walks one Cookie header's pairs without allocating. Garbage between the semicolons is skipped.
class CookieReader {
 public:
  explicit CookieReader(std::string_view header) noexcept : rest_(header) {}
  [[nodiscard]] std::optional<CookiePair> next() noexcept;

 private:
  std::string_view rest_;
};

// The header without the cookies for which `is_ours(name)` holds; the other bytes stay as they
// are. nullopt when nothing had to be removed; an empty string when nothing is left.
template <class Predicate>
[[nodiscard]] std::optional<std::string> strip_cookies(std::string_view header, Predicate is_ours);

enum class SameSite : std::uint8_t { omitted, lax, strict, none };

// Where a cookie lives. The same attributes write and delete it: a browser ignores the deletion of
// a __Host- cookie that lacks Secure or Path=/.
struct CookieAttributes {
  std::string name;  // with its prefix
  std::string path = "/";
  std::string domain = {};  // empty: host-only
  bool secure = false;
  bool http_only = true;
  SameSite same_site = SameSite::lax;
};

// max_age: seconds; nullopt = a session cookie.
[[nodiscard]] std::string set_cookie(const CookieAttributes& attributes, std::string_view value,
                                     std::optional<std::int64_t> max_age);
[[nodiscard]] std::string delete_cookie(const CookieAttributes& attributes);

// RFC 6265 cookie-name and attribute-value grammar.
[[nodiscard]] bool is_cookie_name(std::string_view name) noexcept;
[[nodiscard]] bool is_cookie_path(std::string_view path) noexcept;
[[nodiscard]] bool is_cookie_domain(std::string_view domain) noexcept;

namespace detail {
// One piece of a Cookie header with its place in it.
struct CookiePiece {
  std::string_view whole;  // from after the last ';' up to the next
  std::string_view name;
};
[[nodiscard]] std::vector<CookiePiece> cookie_pieces(std::string_view header);
[[nodiscard]] std::string join_cookie_pieces(const std::vector<CookiePiece>& pieces);
}  // namespace detail

template <class Predicate>
std::optional<std::string> strip_cookies(std::string_view header, Predicate is_ours) {
  std::vector<detail::CookiePiece> kept;
  bool removed = false;
  for (const detail::CookiePiece& piece : detail::cookie_pieces(header)) {
    if (is_ours(piece.name)) {
      removed = true;
    } else {
      kept.push_back(piece);
    }
  }
  if (!removed) return std::nullopt;
  return detail::join_cookie_pieces(kept);
}

}  // namespace oidc
