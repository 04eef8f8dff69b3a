// Credentials that the token endpoint exchanges for tokens: a user's password (RFC 6749 section 4.3),
// a client's own secret (section 4.4), a refresh token (section 6). Found in the request in Kong's
// order, refresh_token, password, client_credentials: the first that is there decides.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oidc/errc.h"
#include "oidc/secret.h"
#include "oidc/session.h"
#include "oidc/settings.h"

namespace oidc {

struct PresentedGrant {
  Method method = Method::password;
  Secret name;         // the user's or the client's; empty: of a refresh token
  Secret secret;
  bool basic = false;  // it came as `Authorization: Basic`
  bool found = false;
  Errc fault = Errc::none;  // credential_malformed, credential_conflict
};

// What of a request may hold one. `body`: the request's, where one was read for this.
struct GrantSources {
  const std::vector<std::string>& authorization;
  const std::vector<std::pair<std::string, std::string>>& headers;  // lower case names
  std::string_view query, body, content_type;
};
[[nodiscard]] PresentedGrant find_grant(const CredentialSettings& settings,
                                        const GrantSources& sources);

[[nodiscard]] inline bool accepts_grants(const CredentialSettings& settings) noexcept {
  return settings.refresh_token || settings.password || settings.client_credentials;
}
[[nodiscard]] inline bool is_grant(const SessionRecord& record) noexcept {
  return record.method >= static_cast<std::uint8_t>(Method::refresh_token) &&
         record.method <= static_cast<std::uint8_t>(Method::client_credentials);
}
// `Authorization: Basic` is a credential here.
[[nodiscard]] bool accepts_basic(const CredentialSettings& settings) noexcept;
[[nodiscard]] bool has_basic_scheme(std::string_view authorization) noexcept;
// The header (lower case) that carries what a field of this name would: "-" in place of "_", since
// nginx drops headers with "_".
[[nodiscard]] std::string header_name_of(std::string_view field);
// Whether a header other than Authorization is looked at.
[[nodiscard]] bool may_carry_grant(const CredentialSettings& settings,
                                   std::string_view lowercase_name);
// Where a method that is accepted looks besides headers.
[[nodiscard]] bool grants_in_query(const CredentialSettings& settings) noexcept;
[[nodiscard]] bool grants_in_body(const CredentialSettings& settings) noexcept;
// Whether a field of the query is part of a credential.
[[nodiscard]] bool is_grant_field(const CredentialSettings& settings,
                                  std::string_view name) noexcept;

}  // namespace oidc
