// What the module's table of contents (module.cpp) calls. None of them lets an exception out.
#pragma once

#include "io/nginx.h"

namespace oidc::ngx {

// Phase handlers; registered only when some location has `oidc on`.
[[nodiscard]] ngx_int_t server_rewrite_handler(ngx_http_request_t* r) noexcept;
[[nodiscard]] ngx_int_t preaccess_handler(ngx_http_request_t* r) noexcept;
[[nodiscard]] ngx_int_t access_handler(ngx_http_request_t* r) noexcept;
[[nodiscard]] ngx_int_t precontent_handler(ngx_http_request_t* r) noexcept;

// The content handler of locations with oidc_session_admin.
[[nodiscard]] ngx_int_t administration_handler(ngx_http_request_t* r) noexcept;
// Of those with oidc_client_jwks or oidc_resource_metadata: LocationConf::document.
[[nodiscard]] ngx_int_t document_handler(ngx_http_request_t* r) noexcept;

// Puts the header filter into nginx's chain: at the postconfiguration of the filter module.
void init_header_filter() noexcept;

// Declares the $oidc_ variables: at preconfiguration.
[[nodiscard]] ngx_int_t add_variables(ngx_conf_t* cf) noexcept;

[[nodiscard]] ngx_int_t init_worker(ngx_cycle_t* cycle) noexcept;
void exit_worker(ngx_cycle_t* cycle) noexcept;

}  // namespace oidc::ngx
