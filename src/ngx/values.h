// Values with nginx variables: compiled while the configuration is read, evaluated for a request.
#pragma once

#include "io/nginx.h"
#include "oidc/settings.h"

namespace oidc::ngx {

// False after nginx logged what is wrong. Values without variables are left as they are.
[[nodiscard]] bool compile_value(ngx_conf_t* cf, Value& value);

class RequestEvaluator final : public Evaluator {
 public:
  explicit RequestEvaluator(ngx_http_request_t* r) noexcept : r_(r) {}
  // Throws std::bad_alloc when the request's pool has no memory left.
  [[nodiscard]] std::string evaluate(const Value& value) const override;

 private:
  ngx_http_request_t* r_;
};

}  // namespace oidc::ngx
