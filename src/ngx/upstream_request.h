// The request as the upstream gets it: without the client's copies of what we may set, without our
// cookies, with the session's tokens and claims.
#pragma once

#include "ngx/request_ctx.h"

namespace oidc::ngx {

// Drops the client's copies of the names that the server may set, and the module's cookies, unless
// the location opts out. NGX_OK, or NGX_ERROR without memory.
[[nodiscard]] ngx_int_t clean_request(ngx_http_request_t* r);

// The same, and adds the grant's headers. The original list is kept in the ctx for a re-entry.
// headers_too_large, or internal without memory: then the request must not go on.
[[nodiscard]] Result<void> grant_request(ngx_http_request_t* r, RequestCtx& ctx);

// After a callback: what the form's POST brought is not the upstream's.
[[nodiscard]] ngx_int_t drop_body_headers(ngx_http_request_t* r);

}  // namespace oidc::ngx
