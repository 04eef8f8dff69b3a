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

// Whether a credential may stand in the body, which must be read to know: a form or JSON of a known,
// bounded length, where an oidc_..._param_type has `body`.
[[nodiscard]] bool body_may_hold_token(const ngx_http_request_t* r,
                                       const Settings& settings) noexcept;
// Whether it may stand in the query.
[[nodiscard]] bool query_may_hold_token(const ngx_http_request_t* r,
                                        const Settings& settings) noexcept;

// Whether a password or the like may stand in the query.
[[nodiscard]] bool query_may_hold_grant(const ngx_http_request_t* r,
                                        const Settings& settings) noexcept;

// oidc_hide_credentials: which kinds of credential stay here.
struct Hidden {
  const CredentialSettings* credentials = nullptr;  // null: none
  bool tokens = false, grants = false;
};
// Whether the upstream must not get this header.
[[nodiscard]] bool is_hidden(const Hidden& hidden, const ngx_table_elt_t& header) noexcept;
[[nodiscard]] bool may_be_in_query(const Hidden& hidden) noexcept;
// Takes the credentials out of the query, wherever nginx keeps that.
[[nodiscard]] ngx_int_t drop_from_query(ngx_http_request_t* r, const Hidden& hidden);

}  // namespace oidc::ngx
