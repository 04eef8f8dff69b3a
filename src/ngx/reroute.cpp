#include "ngx/reroute.h"

#include "ngx/upstream_request.h"

namespace oidc::ngx {
namespace {

bool parse_target(ngx_http_request_t* r, std::string_view target) {
  // The parser reads one byte beyond the target, which ends with a space in a request line.
  std::string line(target);
  line.push_back(' ');
  const ngx_str_t bytes = copy_to_pool(r, line);
  auto* uri = static_cast<u_char*>(ngx_pnalloc(r->pool, bytes.len));
  if (bytes.data == nullptr || uri == nullptr) return false;
  r->uri_start = bytes.data;
  r->uri_end = bytes.data + target.size();
  r->args_start = nullptr;
  r->uri_ext = nullptr;
  r->uri.data = uri;
  r->uri.len = target.size();
  r->exten = {0, nullptr};
  r->args = {0, nullptr};
  const auto* cscf = static_cast<const ngx_http_core_srv_conf_t*>(
      ngx_http_get_module_srv_conf(r, ngx_http_core_module));
  if (ngx_http_parse_complex_uri(r, cscf->merge_slashes) != NGX_OK) return false;
  r->unparsed_uri = {target.size(), bytes.data};
  r->valid_unparsed_uri = 1;
  if (r->args_start != nullptr && r->uri_end > r->args_start) {
    r->args = {static_cast<std::size_t>(r->uri_end - r->args_start), r->args_start};
  }
  return true;
}

}  // namespace

ngx_int_t reroute(ngx_http_request_t* r, std::string_view target) {
  if (!parse_target(r, target)) return NGX_ERROR;
  r->method = NGX_HTTP_GET;
  r->method_name = ngx_string("GET");
  r->header_only = 0;
  const auto* cscf = static_cast<ngx_http_core_srv_conf_t*>(
      ngx_http_get_module_srv_conf(r, ngx_http_core_module));
  r->loc_conf = cscf->ctx->loc_conf;
  ngx_http_update_location_config(r);
  return drop_body_headers(r);
}

ngx_int_t forget_form(ngx_http_request_t* r) {
  if (r->request_body == nullptr) return NGX_OK;
  if (!r->reading_body) {
    auto* body = static_cast<ngx_http_request_body_t*>(
        ngx_pcalloc(r->pool, sizeof(ngx_http_request_body_t)));
    if (body == nullptr) return NGX_ERROR;
    r->request_body = body;
    r->request_body_no_buffering = 0;
  }
  return drop_body_headers(r);
}

}  // namespace oidc::ngx
