#pragma once

#include <string_view>

#include "io/nginx.h"

namespace oidc::ngx {

// oidc_login_action upstream: turns the callback's request into a GET of `target`, byte for byte as
// the client once sent it. No internal redirect: that would open `internal` locations and escape the
// URI anew. Called in SERVER_REWRITE; the location is found afterwards. NGX_OK or NGX_ERROR.
[[nodiscard]] ngx_int_t reroute(ngx_http_request_t* r, std::string_view target);

// The form was read and is nobody else's: whoever answers instead of the callback (a proxied
// error_page, the reroute's upstream) must not announce it. NGX_OK or NGX_ERROR.
[[nodiscard]] ngx_int_t forget_form(ngx_http_request_t* r);

}  // namespace oidc::ngx
