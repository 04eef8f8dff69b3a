// RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0).
#pragma once

#include <string>
#include <string_view>

namespace oidc {

// The end_session URL. The hint is dropped when the URL would pass 4 kB; client_id is always there.
[[nodiscard]] std::string end_session_url(std::string_view endpoint, std::string_view client_id,
                                          std::string_view id_token_hint,
                                          std::string_view post_logout_redirect_uri);

}  // namespace oidc
