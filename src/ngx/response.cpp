#include "ngx/response.h"

#include <algorithm>

#include "ngx/request_log.h"

namespace oidc::ngx {
namespace {

bool has_error_page(const ngx_http_core_loc_conf_t& location, int status) {
  if (location.error_pages == nullptr) return false;
  const auto* pages = static_cast<const ngx_http_err_page_t*>(location.error_pages->elts);
  return std::any_of(pages, pages + location.error_pages->nelts,
                     [status](const ngx_http_err_page_t& page) { return page.status == status; });
}

// A refusal's status for nginx, which makes the answer or asks others; 0: we answer.
int status_for_nginx(ngx_http_request_t* r, const Outcome& outcome) {
  if (outcome.kind != Outcome::Kind::deny) return 0;
  const int status = outcome.status >= NGX_HTTP_BAD_REQUEST ? outcome.status
                                                            : info(outcome.reason).status;
  const auto* clcf = static_cast<const ngx_http_core_loc_conf_t*>(
      ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  if (clcf->satisfy == NGX_HTTP_SATISFY_ANY && (status == 401 || status == 403)) return status;
  if (outcome.status != status) return 0;  // a redirect of our own comes before error_page
  return has_error_page(*clcf, status) ? status : 0;
}

bool add_response_header(ngx_http_request_t* r, std::string_view name, std::string_view value) {
  auto* header = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
  if (header == nullptr) return false;
  *header = {};
  header->hash = 1;
  header->key = copy_to_pool(r, name);
  header->value = copy_to_pool(r, value);
  // Core drops it again when `satisfy any` lets the request pass after all.
  if (name == "WWW-Authenticate") r->headers_out.www_authenticate = header;
  return header->key.data != nullptr && header->value.data != nullptr;
}

ngx_int_t send_body(ngx_http_request_t* r, const Outcome& outcome) {
  r->headers_out.status = static_cast<ngx_uint_t>(outcome.status);
  r->headers_out.content_length_n = static_cast<off_t>(outcome.body.size());
  if (!outcome.content_type.empty()) {
    r->headers_out.content_type = copy_to_pool(r, outcome.content_type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = nullptr;
  }
  ngx_int_t rc = ngx_http_send_header(r);
  if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) return rc;
  auto* buf = static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool));
  const ngx_str_t bytes = copy_to_pool(r, outcome.body);
  if (buf == nullptr || bytes.data == nullptr) return NGX_ERROR;
  buf->pos = bytes.data;
  buf->last = bytes.data + bytes.len;
  buf->memory = bytes.len != 0 ? 1 : 0;
  buf->last_buf = 1;
  buf->last_in_chain = 1;
  ngx_chain_t out = {buf, nullptr};
  return ngx_http_output_filter(r, &out);
}

// False: out of memory.
bool begin_response(ngx_http_request_t* r, RequestCtx& ctx, const Outcome& outcome) {
  log_outcome(r, outcome);
  ctx.error = outcome.reason;
  ctx.set_cookies.insert(ctx.set_cookies.end(), outcome.set_cookies.begin(),
                         outcome.set_cookies.end());
  for (const auto& [name, value] : outcome.headers) {
    if (!add_response_header(r, name, value)) return false;
  }
  return true;
}

ngx_int_t send_whole(ngx_http_request_t* r, const Outcome& outcome) {
  // The body is not the request's own resource: no byte ranges, no 304.
  r->allow_ranges = 0;
  r->disable_not_modified = 1;
  return send_body(r, outcome);
}

}  // namespace

ngx_int_t send_outcome(ngx_http_request_t* r, RequestCtx& ctx, Outcome outcome) {
  const int status = status_for_nginx(r, outcome);
  if (status != 0) {
    std::erase_if(outcome.headers, [](const auto& header) { return header.first == "Location"; });
  }
  if (!begin_response(r, ctx, outcome)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (status != 0) return status;
  const ngx_int_t discarded = ngx_http_discard_request_body(r);
  if (discarded != NGX_OK) return discarded;
  ngx_http_finalize_request(r, send_whole(r, outcome));
  return NGX_DONE;
}

ngx_int_t send_content(ngx_http_request_t* r, RequestCtx& ctx, Outcome outcome) {
  if (!begin_response(r, ctx, outcome)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  const ngx_int_t discarded = ngx_http_discard_request_body(r);
  return discarded == NGX_OK ? send_whole(r, outcome) : discarded;
}

}  // namespace oidc::ngx
