// Words of directives that name a header.
#pragma once

#include <string>
#include <string_view>

#include "draft.h"
#include "oidc/result.h"

namespace oidc {

// After the name of a header that takes a token: "authorization:bearer".
inline constexpr std::string_view kBearer = ":bearer";

// In lower case; not one that the server, an upstream or a browser needs for itself.
[[nodiscard]] Result<std::string> parse_header_name(bool upstream, std::string_view word);

// oidc_upstream_jwt
[[nodiscard]] Result<void> apply_upstream_jwt(SettingsDraft& draft, const DirectiveUse& use);
[[nodiscard]] Result<void> finish_upstream_jwts(SettingsDraft& draft);

}  // namespace oidc
