// The request's header list: what the client sent, what is dropped from it and what is added before
// anybody else reads it. The one place that knows how 1.22 and later nginx keep their known headers.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "io/nginx.h"

namespace oidc::ngx {

// Calls body(std::string_view) for each Cookie header.
void for_each_cookie_header(ngx_http_request_t* r,
                            const std::function<void(std::string_view)>& body);
// The value of the first header of this (lower case) name; empty when absent.
[[nodiscard]] std::string_view find_header(const ngx_http_request_t* r,
                                           std::string_view lowercase_name) noexcept;

// The list as it was; restoring links nginx's pointers to it again.
using HeaderList = ngx_list_t;
void install_headers(ngx_http_request_t* r, const HeaderList& list);

// Builds a list anew. Everything is allocated from the request's pool.
class HeaderListBuilder {
 public:
  explicit HeaderListBuilder(ngx_http_request_t* r);
  // False: out of memory.
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  void keep(const ngx_table_elt_t& header);
  // As keep(), with another value; the value lives in the request's pool.
  void keep_with_value(const ngx_table_elt_t& header, ngx_str_t value);
  // The name as it is sent, in lower case; it and the value live as long as the request.
  void add(std::string_view lowercase_name, ngx_str_t value);
  // Puts the list in the request's place and links nginx's pointers; the caches of variables that
  // were read from the old one are dropped.
  void install();

 private:
  ngx_http_request_t* r_;
  HeaderList list_{};
  bool ok_;
};

// A cached variable of this name is read anew.
void forget_variable(ngx_http_request_t* r, std::string_view name) noexcept;

// Calls body(const ngx_table_elt_t&) for each header of a list.
template <class Body>
void for_each_header(const HeaderList& list, Body&& body) {
  for (const ngx_list_part_t* part = &list.part; part != nullptr; part = part->next) {
    const auto* headers = static_cast<const ngx_table_elt_t*>(part->elts);
    for (const ngx_table_elt_t& header : std::span(headers, part->nelts)) body(header);
  }
}

// Copies bytes into the request's pool; {0, nullptr} when there is no memory.
[[nodiscard]] ngx_str_t copy_to_pool(ngx_http_request_t* r, std::string_view bytes);

}  // namespace oidc::ngx
