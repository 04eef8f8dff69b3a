// oidc_status: what became of requests, counted at their end, and the content handler that tells it.
#pragma once

#include "io/nginx.h"
#include "io/shm_counters.h"

namespace oidc::ngx {

// Declares the zone of the counters; nullptr after an error was logged.
[[nodiscard]] ShmCounters* declare_counters(ngx_conf_t* cf) noexcept;

// Of the log phase.
[[nodiscard]] ngx_int_t count_handler(ngx_http_request_t* r) noexcept;
// The content handler of locations with oidc_status.
[[nodiscard]] ngx_int_t status_handler(ngx_http_request_t* r) noexcept;

}  // namespace oidc::ngx
