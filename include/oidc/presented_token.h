// The access token that a request carries (RFC 6750 section 2). What is present decides; carrying it
// twice is an error, not a choice.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "oidc/errc.h"
#include "oidc/session.h"
#include "oidc/settings.h"

namespace oidc {

// Any way in which an access token is a credential here.
[[nodiscard]] inline bool accepts_access_tokens(const Settings& settings) noexcept {
  const CredentialSettings& credentials = settings.credentials;
  return credentials.bearer || credentials.introspection || credentials.userinfo;
}

// An opened "session" that is in no store: it is its access token, for this one request.
[[nodiscard]] inline bool is_token(const SessionRecord& record) noexcept {
  return record.method >= static_cast<std::uint8_t>(Method::bearer) &&
         record.method <= static_cast<std::uint8_t>(Method::client_credentials);
}

// Whether a header of this (lower case) name is looked at.
[[nodiscard]] bool may_carry_token(const CredentialSettings& settings,
                                   std::string_view lowercase_name) noexcept;

// Shown each place where a token may be, in any order. Keeps views only, allocates nothing.
class TokenFinder {
 public:
  explicit TokenFinder(const CredentialSettings& settings) noexcept : settings_(settings) {}

  // A header; others than those of may_carry_token() are passed over.
  void look_at_header(std::string_view lowercase_name, std::string_view value) noexcept;
  void look_at_cookies(std::string_view cookie_header);
  // What stands where nothing but a token may stand.
  void look_at_value(std::string_view value) noexcept;
  // Somebody meant to send a token, and it is none that can be read.
  void found_fault(Errc fault) noexcept;

  // Something is there that wants to be an access token: `token`, unless there is a fault.
  [[nodiscard]] bool present() const noexcept { return count_ > 0; }
  // none, credential_malformed, credential_conflict, or access_token_bound for a scheme that is not
  // understood but carries access tokens.
  [[nodiscard]] Errc fault() const noexcept;
  [[nodiscard]] std::string_view token() const noexcept {
    return fault() == Errc::none ? token_ : std::string_view();
  }
  // What stands where the one token is to be, whatever it is: enough to know one again that was
  // judged before, without a look at each of its characters.
  [[nodiscard]] std::optional<std::string_view> unread() const noexcept;

 private:
  void look_at_authorization(std::string_view value) noexcept;
  [[nodiscard]] bool conflicts() const noexcept {
    return count_ > 1 || (count_ == 1 && authorizations_ > 1);
  }

  const CredentialSettings& settings_;
  std::string_view token_;
  bool shown_ = false;
  mutable std::optional<bool> well_formed_;  // token_, once somebody asked
  Errc fault_ = Errc::none;
  std::size_t count_ = 0;
  std::size_t authorizations_ = 0;
};

// The header may be "Bearer" alone, or broken after it.
[[nodiscard]] bool has_bearer_scheme(std::string_view authorization) noexcept;
// Or DPoP (RFC 9449), which is a token as well.
[[nodiscard]] bool has_token_scheme(std::string_view authorization) noexcept;

// RFC 6750's b64token.
[[nodiscard]] bool is_token_text(std::string_view text) noexcept;
// Three parts of which the first is a JSON object's beginning: whatever else it is, it is meant to
// be a JWT.
[[nodiscard]] bool looks_like_jwt(std::string_view token) noexcept;

}  // namespace oidc
