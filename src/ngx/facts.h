// What the core sees of a request (RequestFacts), and of its body.
#pragma once

#include "io/nginx.h"
#include "oidc/flow.h"

namespace oidc::ngx {

// Copies; `evaluator` must live as long as the request.
[[nodiscard]] Facts make_facts(ngx_http_request_t* r, const Evaluator& evaluator);

// At configuration: only an indexed variable keeps its value, and $request_id is random.
[[nodiscard]] bool index_request_id(ngx_conf_t* cf) noexcept;
// nginx's $request_id; empty without memory.
[[nodiscard]] std::string_view request_id(ngx_http_request_t* r);

}  // namespace oidc::ngx
