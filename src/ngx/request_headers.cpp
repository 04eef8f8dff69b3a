#include "ngx/request_headers.h"

#include <cstring>

namespace oidc::ngx {
namespace {

// nginx 1.23 links headers of one name; before, Cookie and X-Forwarded-For were arrays.
constexpr bool kLinked = nginx_version >= 1023000;

template <class Headers>
constexpr bool has_cookie_list = requires(Headers headers) { headers.cookie; };

template <class Headers>
void for_each_cookie(Headers& headers, const std::function<void(std::string_view)>& body) {
  if constexpr (has_cookie_list<Headers>) {
    for (const auto* h = headers.cookie; h != nullptr; h = h->next) {
      body(to_view(h->value));
    }
  } else {
    auto* const* cookies = static_cast<ngx_table_elt_t* const*>(headers.cookies.elts);
    for (ngx_table_elt_t* h : std::span(cookies, headers.cookies.nelts)) body(to_view(h->value));
  }
}

// Whether the known header at this place is one of the arrays.
template <class Headers>
bool is_array(const Headers& headers, const void* place) {
  if constexpr (has_cookie_list<Headers>) {
    static_cast<void>(headers);
    static_cast<void>(place);
    return false;
  } else {
    if (place == &headers.cookies) return true;
    if constexpr (requires { headers.x_forwarded_for.elts; }) {
      return place == &headers.x_forwarded_for;
    } else {
      return false;
    }
  }
}

void* place_of(ngx_http_request_t* r, std::size_t offset) noexcept {
  return reinterpret_cast<char*>(&r->headers_in) + offset;
}

void unlink_known(ngx_http_request_t* r) {
  for (const ngx_http_header_t* known = ngx_http_headers_in; known->name.len != 0; ++known) {
    if (known->offset == 0 && known->handler == nullptr) continue;
    void* place = place_of(r, known->offset);
    if (is_array(r->headers_in, place)) {
      std::memset(place, 0, sizeof(ngx_array_t));
    } else {
      *static_cast<ngx_table_elt_t**>(place) = nullptr;
    }
  }
}

template <class Element>
void link(ngx_http_request_t* r, Element* header, std::size_t offset) {
  void* place = place_of(r, offset);
  if (is_array(r->headers_in, place)) {
    auto* array = static_cast<ngx_array_t*>(place);
    if (array->elts == nullptr &&
        ngx_array_init(array, r->pool, 1, sizeof(ngx_table_elt_t*)) != NGX_OK) {
      return;
    }
    auto** pushed = static_cast<ngx_table_elt_t**>(ngx_array_push(array));
    if (pushed != nullptr) *pushed = header;
    return;
  }
  auto** first = static_cast<Element**>(place);
  if constexpr (kLinked) {
    while (*first != nullptr) first = &(*first)->next;
    *first = header;
    header->next = nullptr;
  } else if (*first == nullptr) {
    *first = header;
  }
}

template <class Matches>
void forget_variables(ngx_http_request_t* r, Matches matches) {
  if (r->variables == nullptr) return;
  auto* cmcf = static_cast<ngx_http_core_main_conf_t*>(
      ngx_http_get_module_main_conf(r, ngx_http_core_module));
  const auto* variables = static_cast<const ngx_http_variable_t*>(cmcf->variables.elts);
  for (ngx_uint_t i = 0; i < cmcf->variables.nelts; ++i) {
    const std::string_view name = to_view(variables[i].name);
    if (matches(name)) {
      r->variables[i].valid = 0;
      r->variables[i].not_found = 0;
    }
  }
}

// A cached variable would keep what the client sent: `if ($http_x_user)` in a server block is
// evaluated before the list is cleaned.
void forget_cached_variables(ngx_http_request_t* r) {
  forget_variables(r, [](std::string_view name) {
    return name.starts_with("http_") || name.starts_with("cookie_");
  });
}

}  // namespace

void for_each_cookie_header(ngx_http_request_t* r,
                            const std::function<void(std::string_view)>& body) {
  for_each_cookie(r->headers_in, body);
}

std::string_view find_header(const ngx_http_request_t* r, std::string_view lowercase_name) noexcept {
  std::string_view found;
  for_each_header(r->headers_in.headers, [&](const ngx_table_elt_t& header) {
    if (header.hash == 0 || found.data() != nullptr || header.key.len != lowercase_name.size()) {
      return;
    }
    if (std::memcmp(header.lowcase_key, lowercase_name.data(), lowercase_name.size()) == 0) {
      found = to_view(header.value);
    }
  });
  return found;
}

void install_headers(ngx_http_request_t* r, const HeaderList& list) {
  unlink_known(r);
  r->headers_in.headers = list;
  // nginx pushes through `last`, which must point into the request's own copy.
  if (list.part.next == nullptr) r->headers_in.headers.last = &r->headers_in.headers.part;
  auto* cmcf = static_cast<ngx_http_core_main_conf_t*>(
      ngx_http_get_module_main_conf(r, ngx_http_core_module));
  for (ngx_list_part_t* part = &r->headers_in.headers.part; part != nullptr; part = part->next) {
    auto* headers = static_cast<ngx_table_elt_t*>(part->elts);
    for (ngx_table_elt_t& header : std::span(headers, part->nelts)) {
      const auto* known = static_cast<const ngx_http_header_t*>(ngx_hash_find(
          &cmcf->headers_in_hash, header.hash, header.lowcase_key, header.key.len));
      if (known != nullptr && (known->offset != 0 || known->handler != nullptr)) {
        link(r, &header, known->offset);
      }
    }
  }
  forget_cached_variables(r);
}

void forget_variable(ngx_http_request_t* r, std::string_view name) noexcept {
  forget_variables(r, [name](std::string_view each) { return each == name; });
}

HeaderListBuilder::HeaderListBuilder(ngx_http_request_t* r)
    : r_(r), ok_(ngx_list_init(&list_, r->pool, 24, sizeof(ngx_table_elt_t)) == NGX_OK) {}

void HeaderListBuilder::keep(const ngx_table_elt_t& header) { keep_with_value(header, header.value); }

void HeaderListBuilder::keep_with_value(const ngx_table_elt_t& header, ngx_str_t value) {
  auto* copy = ok_ ? static_cast<ngx_table_elt_t*>(ngx_list_push(&list_)) : nullptr;
  const bool copied = value.data != nullptr || header.value.data == nullptr;
  if (copy == nullptr || !copied) {
    ok_ = false;
    return;
  }
  *copy = header;
  copy->value = value;
}

void HeaderListBuilder::add(std::string_view lowercase_name, ngx_str_t value) {
  if (value.data == nullptr) ok_ = false;  // no memory for a copy
  ngx_table_elt_t header{};
  header.key = to_ngx_str(lowercase_name);
  header.lowcase_key = header.key.data;
  header.hash = ngx_hash_key(header.lowcase_key, header.key.len);
  keep_with_value(header, value);
}

void HeaderListBuilder::install() { install_headers(r_, list_); }

ngx_str_t copy_to_pool(ngx_http_request_t* r, std::string_view bytes) {
  auto* data = static_cast<u_char*>(ngx_pnalloc(r->pool, bytes.size() + 1));
  if (data == nullptr) return {0, nullptr};
  std::memcpy(data, bytes.data(), bytes.size());
  data[bytes.size()] = '\0';
  return {bytes.size(), data};
}

}  // namespace oidc::ngx
