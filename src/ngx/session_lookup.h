// The hot path: the session cookie of a request, verified, and the session behind it where the store
// answers at once.
#pragma once

#include "io/nginx.h"
#include "oidc/flow.h"

namespace oidc::ngx {

[[nodiscard]] CookieLookup find_session_cookie(ngx_http_request_t* r, const Services& services);

// A session that needs nothing else: no wait for the store, no refresh. nullptr: ask access_flow.
[[nodiscard]] std::shared_ptr<const OpenSession> find_hot_session(ngx_http_request_t* r,
                                                                  Services& services);

// Whether access_flow must look at it first: it may be a logout.
[[nodiscard]] bool may_be_logout(const ngx_http_request_t* r,
                                 const LogoutSettings& logout) noexcept;
// Whether its form must be read to know: a urlencoded POST of a known, bounded length, where
// oidc_logout_post_arg is set.
[[nodiscard]] bool form_may_log_out(const ngx_http_request_t* r,
                                    const LogoutSettings& logout) noexcept;

// A CORS preflight (Fetch standard, section 3.2.2), which carries neither credentials nor a body.
[[nodiscard]] bool is_preflight(const ngx_http_request_t* r) noexcept;

}  // namespace oidc::ngx
