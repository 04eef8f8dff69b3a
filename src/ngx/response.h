// Outcomes as nginx's responses, and the header filter that adds our cookies to whatever answers.
#pragma once

#include "ngx/request_ctx.h"

namespace oidc::ngx {

// Sends an answer of our own and finalizes the request: the caller returns NGX_DONE at once.
// Or returns a status (>= 400) for nginx to render, when the location has an error_page for it or
// `satisfy any` lets others decide.
[[nodiscard]] ngx_int_t send_outcome(ngx_http_request_t* r, RequestCtx& ctx, Outcome outcome);
// For content handlers: sends it and returns what they return.
[[nodiscard]] ngx_int_t send_content(ngx_http_request_t* r, RequestCtx& ctx, Outcome outcome);

}  // namespace oidc::ngx
