// The access token of a request, found without copying it, and what the worker knows of it already.
#pragma once

#include "io/nginx.h"
#include "oidc/flow.h"

namespace oidc::ngx {

struct TokenLookup {
  // A token is there, or may be: the flow decides, and no session is looked at before.
  bool ask = false;
  std::shared_ptr<const OpenSession> session;  // judged before, and still good: the hot path
};
[[nodiscard]] TokenLookup find_hot_token(ngx_http_request_t* r, Services& services);

// Whether the token may stand in the body, which must be read to know: a form or JSON of a known,
// bounded length, where oidc_bearer_token_param_type has `body`.
[[nodiscard]] bool body_may_hold_token(const ngx_http_request_t* r,
                                       const Settings& settings) noexcept;
// Whether it may stand in the query.
[[nodiscard]] bool query_may_hold_token(const ngx_http_request_t* r,
                                        const Settings& settings) noexcept;

// oidc_hide_credentials: whether the upstream must not get this header, that carried the token.
[[nodiscard]] bool is_used_credential(const CredentialSettings& settings,
                                      const ngx_table_elt_t& header) noexcept;
// Takes the token out of the query, wherever nginx keeps that.
[[nodiscard]] ngx_int_t drop_token_from_query(ngx_http_request_t* r);

}  // namespace oidc::ngx
