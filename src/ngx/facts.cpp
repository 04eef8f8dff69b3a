#include "ngx/facts.h"

#include <algorithm>

#include "ngx/conf_objects.h"
#include "ngx/request_headers.h"
#include "oidc/presented_grant.h"
#include "oidc/presented_token.h"

namespace oidc::ngx {
namespace {

bool is_https(const ngx_http_request_t* r) noexcept {
#if (NGX_HTTP_SSL)
  return r->connection->ssl != nullptr;
#else
  static_cast<void>(r);
  return false;
#endif
}

// ":8000" of the Host header (or :authority), when it is all digits.
std::string host_port(const ngx_http_request_t* r) {
  if (r->headers_in.host == nullptr) return {};
  const std::string_view host = to_view(r->headers_in.host->value);
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos) return {};
  const std::string_view port = host.substr(colon + 1);
  const bool digits = !port.empty() && port.size() <= 5 &&
                      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool is_default = port == (is_https(r) ? "443" : "80");
  return digits && !is_default ? std::string(host.substr(colon)) : std::string();
}

ngx_int_t g_request_id_index = NGX_ERROR;

struct Wanted {
  std::string_view name;
  std::string RequestFacts::* member;
};

constexpr Wanted kWanted[] = {
    {"accept", &RequestFacts::accept},
    {"content-type", &RequestFacts::content_type},
    {"origin", &RequestFacts::origin},
    {"referer", &RequestFacts::referer},
    {"sec-fetch-mode", &RequestFacts::sec_fetch_mode},
    {"sec-fetch-dest", &RequestFacts::sec_fetch_dest},
    {"sec-fetch-site", &RequestFacts::sec_fetch_site},
    {"sec-purpose", &RequestFacts::sec_purpose},
    {"x-requested-with", &RequestFacts::x_requested_with},
    {"upgrade", &RequestFacts::upgrade},
    {"user-agent", &RequestFacts::user_agent},
};

// Whether the configuration names this header.
bool is_looked_at(const Settings& settings, std::string_view name) {
  const auto names_it = [name](const std::string& each) { return header_name_of(each) == name; };
  const TokenSettings& token = settings.token;
  return may_carry_token(settings.credentials, name) ||
         may_carry_grant(settings.credentials, name) ||
         std::any_of(token.headers_client.begin(), token.headers_client.end(), names_it) ||
         std::any_of(token.post_args_client.begin(), token.post_args_client.end(), names_it);
}

}  // namespace

bool index_request_id(ngx_conf_t* cf) noexcept {
  ngx_str_t name = ngx_string("request_id");
  g_request_id_index = ngx_http_get_variable_index(cf, &name);
  return g_request_id_index != NGX_ERROR;
}

std::string_view request_id(ngx_http_request_t* r) {
  const auto index = static_cast<ngx_uint_t>(g_request_id_index);
  const ngx_http_variable_value_t* value = ngx_http_get_indexed_variable(r->main, index);
  if (value == nullptr || value->not_found) return {};
  return {reinterpret_cast<const char*>(value->data), value->len};
}

Facts make_facts(ngx_http_request_t* r, const Evaluator& evaluator) {
  auto facts = std::make_shared<RequestFacts>();
  facts->method = to_view(r->method_name);
  facts->https = is_https(r);
  facts->host = to_view(r->headers_in.server);
  facts->host_port = host_port(r);
  facts->target = to_view(r->unparsed_uri);
  if (!facts->target.starts_with('/')) facts->target = "/";
  facts->path = to_view(r->uri);
  facts->query = to_view(r->args);
  for_each_cookie_header(r, [&facts](std::string_view header) {
    facts->cookie_headers.emplace_back(header);
  });
  const Settings* settings = location_conf(r).settings;
  for_each_header(r->headers_in.headers, [&facts, settings](const ngx_table_elt_t& header) {
    const std::string_view name(reinterpret_cast<const char*>(header.lowcase_key), header.key.len);
    const auto* wanted = std::find_if(std::begin(kWanted), std::end(kWanted),
                                      [name](const Wanted& w) { return w.name == name; });
    if (wanted != std::end(kWanted)) (*facts).*(wanted->member) = to_view(header.value);
    if (name == "authorization") {
      facts->authorization.emplace_back(to_view(header.value));
    } else if (settings != nullptr && is_looked_at(*settings, name)) {
      facts->token_headers.emplace_back(name, to_view(header.value));
    }
  });
  facts->remote_addr = to_view(r->connection->addr_text);
  facts->request_id = request_id(r);
  facts->evaluator = &evaluator;
  return facts;
}

}  // namespace oidc::ngx
