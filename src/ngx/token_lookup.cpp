#include "ngx/token_lookup.h"

#include <algorithm>

#include "ngx/request_headers.h"
#include "oidc/form.h"
#include "oidc/post_logout.h"
#include "oidc/presented_grant.h"
#include "oidc/presented_token.h"
#include "oidc/provider.h"
#include "oidc/token_cache.h"

namespace oidc::ngx {
namespace {

constexpr std::string_view kParameter = "access_token";

std::string_view name_of(const ngx_table_elt_t& header) noexcept {
  return {reinterpret_cast<const char*>(header.lowcase_key), header.key.len};
}

bool starts_with_ignoring_case(const ngx_str_t& text, std::string_view lowercase) noexcept {
  if (text.len < lowercase.size()) return false;
  const auto* wanted = reinterpret_cast<const u_char*>(lowercase.data());
  return ngx_strncasecmp(text.data, const_cast<u_char*>(wanted), lowercase.size()) == 0;
}

// One field of a query, as the flow reads it.
bool is_hidden_field(const Hidden& hidden, std::string_view field) {
  const Result<Form> form = Form::parse(field, 1);
  if (!form || form->fields().empty()) return false;
  const std::string& name = form->fields().front().name;
  const CredentialSettings& settings = *hidden.credentials;
  return (hidden.tokens && settings.bearer_places.query && name == kParameter) ||
         (hidden.grants && is_grant_field(settings, name));
}

std::string without_hidden(std::string_view query, const Hidden& hidden) {
  std::string rest;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view field = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (is_hidden_field(hidden, field)) continue;
    if (!rest.empty()) rest.push_back('&');
    rest.append(field);
  }
  return rest;
}

}  // namespace

TokenLookup find_hot_token(ngx_http_request_t* r, Services& services) {
  TokenLookup lookup;
  const Settings& settings = services.settings;
  if (!accepts_access_tokens(settings)) return lookup;
  TokenFinder finder(settings.credentials);
  for_each_header(r->headers_in.headers, [&finder](const ngx_table_elt_t& header) {
    if (header.hash != 0) finder.look_at_header(name_of(header), to_view(header.value));
  });
  if (settings.credentials.bearer_places.cookie) {
    for_each_cookie_header(r, [&finder](std::string_view header) {
      finder.look_at_cookies(header);
    });
  }
  lookup.ask = finder.present() || query_may_hold_token(r, settings) ||
               body_may_hold_token(r, settings);
  const std::optional<std::string_view> token = finder.unread();
  const bool compared = !settings.access_token.session_cookie.empty();  // with each request
  if (!token || compared || services.tokens == nullptr || query_may_hold_token(r, settings) ||
      body_may_hold_token(r, settings)) {
    return lookup;
  }
  const TokenCache::Judgement* known = services.tokens->find(
      settings, *token, services.loop.now(), services.provider.keys_version());
  if (known != nullptr) lookup.session = known->session;
  return lookup;
}

bool query_may_hold_token(const ngx_http_request_t* r, const Settings& settings) noexcept {
  if (!settings.credentials.bearer_places.query || !accepts_access_tokens(settings)) return false;
  const std::string_view query = to_view(r->args);
  return query.find(kParameter) != std::string_view::npos ||
         query.find('%') != std::string_view::npos;
}

bool body_may_hold_token(const ngx_http_request_t* r, const Settings& settings) noexcept {
  const bool tokens = settings.credentials.bearer_places.body && accepts_access_tokens(settings);
  if (!tokens && !grants_in_body(settings.credentials)) return false;
  // RFC 6750 section 2.2: not where a body has no meaning.
  if (r->method == NGX_HTTP_GET || r->method == NGX_HTTP_HEAD) return false;
  const off_t length = r->headers_in.content_length_n;
  if (length <= 0 || length > static_cast<off_t>(kMaxLogoutBody)) return false;
  if (r->headers_in.chunked || r->headers_in.content_type == nullptr) return false;
  const ngx_str_t& type = r->headers_in.content_type->value;
  return starts_with_ignoring_case(type, "application/x-www-form-urlencoded") ||
         starts_with_ignoring_case(type, "application/json");
}

bool query_may_hold_grant(const ngx_http_request_t* r, const Settings& settings) noexcept {
  return r->args.len != 0 && grants_in_query(settings.credentials);
}

bool is_hidden(const Hidden& hidden, const ngx_table_elt_t& header) noexcept {
  if (hidden.credentials == nullptr) return false;
  const CredentialSettings& settings = *hidden.credentials;
  const std::string_view name = name_of(header);
  const bool authorization = name == "authorization";
  const std::string_view value = to_view(header.value);
  if (hidden.tokens && may_carry_token(settings, name) &&
      (!authorization || has_token_scheme(value))) {
    return true;
  }
  if (!hidden.grants) return false;
  return authorization ? accepts_basic(settings) && has_basic_scheme(value)
                       : may_carry_grant(settings, name);
}

bool may_be_in_query(const Hidden& hidden) noexcept {
  return (hidden.tokens && hidden.credentials->bearer_places.query) ||
         (hidden.grants && grants_in_query(*hidden.credentials));
}

ngx_int_t drop_from_query(ngx_http_request_t* r, const Hidden& hidden) {
  const std::string query = without_hidden(to_view(r->args), hidden);
  if (query.size() == r->args.len) return NGX_OK;
  const std::string_view target = to_view(r->unparsed_uri);
  std::string whole(target.substr(0, target.find('?')));
  if (!query.empty()) whole.append("?").append(query);
  const ngx_str_t args = copy_to_pool(r, query);
  const ngx_str_t uri = copy_to_pool(r, whole);
  if (args.data == nullptr || uri.data == nullptr) return NGX_ERROR;
  r->args = args;
  r->unparsed_uri = uri;
  forget_variable(r, "request_uri");
  return NGX_OK;
}

}  // namespace oidc::ngx
