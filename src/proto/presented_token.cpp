#include "oidc/presented_token.h"

#include <algorithm>

#include "oidc/cookie.h"

namespace oidc {
namespace {

constexpr std::string_view kAuthorization = "authorization";
constexpr std::string_view kOwnHeaders[] = {"access-token", "x-access-token"};

bool equals_ignoring_case(std::string_view text, std::string_view lowercase) noexcept {
  return std::equal(text.begin(), text.end(), lowercase.begin(), lowercase.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

// The scheme of an Authorization header: up to the first blank.
std::string_view scheme_of(std::string_view value) noexcept {
  return value.substr(0, value.find_first_of(" \t"));
}

}  // namespace

bool has_bearer_scheme(std::string_view authorization) noexcept {
  return equals_ignoring_case(scheme_of(authorization), "bearer");
}

bool has_token_scheme(std::string_view authorization) noexcept {
  return has_bearer_scheme(authorization) || equals_ignoring_case(scheme_of(authorization), "dpop");
}

bool is_token_text(std::string_view text) noexcept {
  const std::size_t end = text.find_last_not_of('=');
  if (end == std::string_view::npos) return false;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end) + 1, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
  });
}

bool looks_like_jwt(std::string_view token) noexcept {
  if (!token.starts_with("ey")) return false;
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return false;
  const std::size_t second = token.find('.', first + 1);
  return second != std::string_view::npos && token.find('.', second + 1) == std::string_view::npos;
}

bool may_carry_token(const CredentialSettings& settings, std::string_view lowercase_name) noexcept {
  if (!settings.bearer_places.header) return false;
  if (!settings.bearer_header.empty()) return lowercase_name == settings.bearer_header;
  if (lowercase_name == kAuthorization) return true;
  return std::find(std::begin(kOwnHeaders), std::end(kOwnHeaders), lowercase_name) !=
         std::end(kOwnHeaders);
}

void TokenFinder::look_at_header(std::string_view lowercase_name, std::string_view value) noexcept {
  if (!may_carry_token(settings_, lowercase_name)) return;
  if (lowercase_name == kAuthorization) {
    ++authorizations_;
    return look_at_authorization(value);
  }
  // In a header of its own the token stands alone; some clients write the scheme all the same.
  if (has_bearer_scheme(value) && value.find(' ') != std::string_view::npos) {
    return look_at_authorization(value);
  }
  look_at_value(value);
}

void TokenFinder::look_at_authorization(std::string_view value) noexcept {
  const std::string_view scheme = scheme_of(value);
  if (equals_ignoring_case(scheme, "dpop")) return found_fault(Errc::access_token_bound);
  if (!equals_ignoring_case(scheme, "bearer")) return;
  // RFC 7235 section 2.1: blanks only, one or more.
  std::string_view rest = value.substr(scheme.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  look_at_value(rest);
}

void TokenFinder::look_at_cookies(std::string_view cookie_header) {
  if (!settings_.bearer_places.cookie) return;
  CookieReader reader(cookie_header);
  while (const std::optional<CookiePair> pair = reader.next()) {
    if (pair->name == settings_.bearer_cookie) look_at_value(pair->value);
  }
}

void TokenFinder::look_at_value(std::string_view value) noexcept {
  ++count_;
  token_ = value;
  shown_ = true;
  well_formed_.reset();
}

void TokenFinder::found_fault(Errc fault) noexcept {
  ++count_;
  fault_ = fault;
}

Errc TokenFinder::fault() const noexcept {
  // Two Authorization headers, of whatever scheme: another server may read the other one.
  if (conflicts()) return Errc::credential_conflict;
  if (fault_ != Errc::none || !shown_) return fault_;
  if (!well_formed_) well_formed_ = is_token_text(token_);
  return *well_formed_ ? Errc::none : Errc::credential_malformed;
}

std::optional<std::string_view> TokenFinder::unread() const noexcept {
  if (!shown_ || conflicts() || fault_ != Errc::none) return std::nullopt;
  return token_;
}

}  // namespace oidc
