// Lines of the error log. One line for each failure: reason code, status, provider, session. Never a
// token, code, state, cookie, verifier or body of the provider.
#pragma once

#include <string_view>

#include "io/nginx.h"
#include "oidc/flow.h"

namespace oidc::ngx {

void log_outcome(ngx_http_request_t* r, const Outcome& outcome);
void log_event(ngx_log_t* log, LogLevel level, Errc reason, std::string_view issuer,
               std::string_view detail);

// nginx appends the request line to each error line of a request: on callback and logout requests
// it would hold the code and the state. This one prints it without query and referrer.
void hide_query_in_error_log(ngx_http_request_t* r);

// The request line without its query.
[[nodiscard]] ngx_str_t request_line_without_query(const ngx_http_request_t* r) noexcept;

}  // namespace oidc::ngx
