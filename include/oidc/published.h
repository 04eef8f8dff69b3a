// Documents that others read without a credential, made when the configuration is read.
#pragma once

#include <string>
#include <string_view>

#include "oidc/result.h"
#include "oidc/settings.h"

namespace oidc {

// The public part of the client's keys as a JWK Set (RFC 7517 section 5), the one that signs first, and
// after them the keys of oidc_upstream_jwt. Errc::invalid_configuration where there is none.
[[nodiscard]] Result<std::string> client_jwks(const ClientSettings& client,
                                              const HeaderSettings& headers = {});

// What clients must know to get an access token for `resource` (RFC 9728 section 2).
// Errc::invalid_configuration where none is accepted.
[[nodiscard]] Result<std::string> resource_metadata(const Settings& settings,
                                                    std::string_view resource);
// The path at which clients look for it (RFC 9728 section 3.1).
[[nodiscard]] std::string resource_metadata_path(std::string_view resource);

}  // namespace oidc
