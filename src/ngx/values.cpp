#include "ngx/values.h"

#include <new>

namespace oidc::ngx {

bool compile_value(ngx_conf_t* cf, Value& value) {
  if (value.text.find('$') == std::string::npos) return true;
  ngx_str_t text = to_ngx_str(value.text);
  text.data = ngx_pstrdup(cf->pool, &text);  // nginx keeps pieces of it
  auto* compiled = static_cast<ngx_http_complex_value_t*>(
      ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t)));
  if (text.data == nullptr || compiled == nullptr) return false;
  ngx_http_compile_complex_value_t compile{};
  compile.cf = cf;
  compile.value = &text;
  compile.complex_value = compiled;
  if (ngx_http_compile_complex_value(&compile) != NGX_OK) return false;
  value.compiled = compiled;
  return true;
}

std::string RequestEvaluator::evaluate(const Value& value) const {
  if (value.compiled == nullptr) return value.text;
  // nginx does not write to it; its signature is older than that promise.
  auto* compiled = static_cast<ngx_http_complex_value_t*>(const_cast<void*>(value.compiled));
  ngx_str_t text;
  if (ngx_http_complex_value(r_, compiled, &text) != NGX_OK) throw std::bad_alloc();
  return std::string(to_view(text));
}

}  // namespace oidc::ngx
