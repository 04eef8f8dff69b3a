#include "oidc/cookie.h"

#include <algorithm>

namespace oidc {
namespace {

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// Takes the piece before the next ';' off `rest`.
std::string_view take_piece(std::string_view& rest) noexcept {
  const std::size_t end = std::min(rest.find(';'), rest.size());
  const std::string_view piece = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return piece;
}

std::string_view name_of(std::string_view piece) noexcept {
  const std::size_t equals = piece.find('=');
  return equals == std::string_view::npos ? std::string_view() : trim(piece.substr(0, equals));
}

constexpr bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

constexpr bool is_token_character(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return is_letter_or_digit(c) || kOthers.find(c) != std::string_view::npos;
}

std::string_view to_string(SameSite same_site) {
  switch (same_site) {
    case SameSite::lax:
      return "; SameSite=Lax";
    case SameSite::strict:
      return "; SameSite=Strict";
    case SameSite::none:
      return "; SameSite=None";
    case SameSite::omitted:
      break;
  }
  return "";
}

// What a deletion has in common with the cookie that it deletes.
std::string where_it_lives(const CookieAttributes& attributes) {
  std::string out;
  if (!attributes.path.empty()) out += "; Path=" + attributes.path;
  if (!attributes.domain.empty()) out += "; Domain=" + attributes.domain;
  if (attributes.secure) out += "; Secure";
  if (attributes.http_only) out += "; HttpOnly";
  out += to_string(attributes.same_site);
  return out;
}

bool is_label(std::string_view label) noexcept {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

}  // namespace

std::optional<CookiePair> CookieReader::next() noexcept {
  while (!rest_.empty()) {
    const std::string_view piece = take_piece(rest_);
    const std::string_view name = name_of(piece);
    if (!is_cookie_name(name)) continue;
    std::string_view value = trim(piece.substr(piece.find('=') + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return CookiePair{name, value};
  }
  return std::nullopt;
}

std::string set_cookie(const CookieAttributes& attributes, std::string_view value,
                       std::optional<std::int64_t> max_age) {
  std::string out = attributes.name;
  out += '=';
  out += value;
  if (max_age) out += "; Max-Age=" + std::to_string(std::max<std::int64_t>(*max_age, 0));
  out += where_it_lives(attributes);
  return out;
}

std::string delete_cookie(const CookieAttributes& attributes) {
  return attributes.name + "=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT" +
         where_it_lives(attributes);
}

bool is_cookie_name(std::string_view name) noexcept {
  return !name.empty() && std::ranges::all_of(name, is_token_character);
}

bool is_cookie_path(std::string_view path) noexcept {
  return path.starts_with('/') &&
         std::ranges::all_of(path, [](char c) { return c >= ' ' && c <= '~' && c != ';'; });
}

bool is_cookie_domain(std::string_view domain) noexcept {
  if (domain.starts_with('.')) domain.remove_prefix(1);
  if (domain.empty() || domain.size() > 253) return false;
  for (;;) {
    const std::size_t dot = domain.find('.');
    if (!is_label(domain.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    domain.remove_prefix(dot + 1);
  }
}

namespace detail {

std::vector<CookiePiece> cookie_pieces(std::string_view header) {
  std::vector<CookiePiece> pieces;
  while (!header.empty()) {
    const std::string_view whole = take_piece(header);
    pieces.push_back({whole, name_of(whole)});
  }
  return pieces;
}

std::string join_cookie_pieces(const std::vector<CookiePiece>& pieces) {
  std::string out;
  bool anything_left = false;
  for (const CookiePiece& piece : pieces) {
    if (!out.empty()) out.push_back(';');
    out +=
        out.empty()
            ? piece.whole.substr(std::min(piece.whole.find_first_not_of(" \t"), piece.whole.size()))
            : piece.whole;
    anything_left = anything_left || !trim(piece.whole).empty();
  }
  return anything_left ? out : std::string();
}

}  // namespace detail
}  // namespace oidc
