#include "ngx/session_lookup.h"

#include "ngx/request_headers.h"
#include "oidc/cookie_store.h"
#include "oidc/outage.h"
#include "oidc/post_logout.h"
#include "oidc/rules.h"
#include "oidc/session_cache.h"

namespace oidc::ngx {
namespace {

bool is_own_https(const ngx_http_request_t* r, const Settings& settings) noexcept {
  if (!settings.base_url.empty()) return settings.base_url.starts_with("https:");
  return r->connection->ssl != nullptr;
}

std::shared_ptr<const OpenSession> session_at_hand(Services& services, const SessionCookie& cookie) {
  const Settings& settings = services.settings;
  std::shared_ptr<const OpenSession> cached;
  if (services.cache != nullptr) {
    cached = services.cache->find(cookie, services.keys, settings.identity,
                                  services.loop.monotonic_ms());
  }
  const StoreKey key = cached ? cached->key() : store_key(cookie.sid_view());
  if (settings.session.outage_cached != 0 && was_logged_out(services.shared, key)) return nullptr;
  if (cached) return cached;
  const auto read = services.store.read_now(key);
  if (!read || read->status != StoreStatus::hit) return nullptr;
  auto session = open_session(read->envelope, cookie, key, services.keys, settings.identity);
  if (!session) return nullptr;
  if (services.cache != nullptr) services.cache->keep(*session, services.keys, settings.identity);
  return std::move(*session);
}

std::shared_ptr<const OpenSession> session_in_its_cookies(ngx_http_request_t* r,
                                                          Services& services,
                                                          const SessionCookie& cookie) {
  const Settings& settings = services.settings;
  const std::string name =
      session_cookie_attributes(settings, is_own_https(r, settings)).name;
  PartsFinder parts(name);
  for_each_cookie_header(r, [&parts](std::string_view header) { parts.look_at(header); });
  return session_in_cookies(services, cookie, parts, name);
}

CookieIdentity cookie_identity(const ngx_http_request_t* r, const Settings& settings) {
  const ngx_table_elt_t* agent = r->headers_in.user_agent;
  return CookieIdentity(settings, to_view(r->connection->addr_text),
                        r->connection->ssl != nullptr,
                        agent == nullptr ? std::string_view() : to_view(agent->value));
}

}  // namespace

CookieLookup find_session_cookie(ngx_http_request_t* r, const Services& services) {
  const Settings& settings = services.settings;
  const std::string name =
      session_cookie_attributes(settings, is_own_https(r, settings)).name;
  const CookieIdentity identity = cookie_identity(r, settings);
  SessionCookieFinder finder(services.keys, name, identity.view(), services.loop.now());
  for_each_cookie_header(r, [&finder](std::string_view header) { finder.look_at(header); });
  return finder.result();
}

bool may_be_logout(const ngx_http_request_t* r, const LogoutSettings& logout) noexcept {
  return (!logout.query_arg.empty() && r->args.len != 0) ||
         (!logout.uri_suffix.empty() && to_view(r->uri).ends_with(logout.uri_suffix));
}

bool form_may_log_out(const ngx_http_request_t* r, const LogoutSettings& logout) noexcept {
  if (logout.post_arg.empty() || !logout.post || r->method != NGX_HTTP_POST) return false;
  const off_t length = r->headers_in.content_length_n;
  if (length <= 0 || length > static_cast<off_t>(kMaxLogoutBody)) return false;
  if (r->headers_in.chunked || r->headers_in.content_type == nullptr) return false;
  constexpr std::string_view kType = "application/x-www-form-urlencoded";
  const ngx_str_t& type = r->headers_in.content_type->value;
  if (type.len < kType.size()) return false;
  const auto* wanted = reinterpret_cast<const u_char*>(kType.data());
  return ngx_strncasecmp(type.data, const_cast<u_char*>(wanted), kType.size()) == 0;
}

bool is_preflight(const ngx_http_request_t* r) noexcept {
  if (r->method != NGX_HTTP_OPTIONS || r->headers_in.content_length_n > 0 ||
      r->headers_in.chunked) {
    return false;
  }
  bool origin = false;
  bool asks = false;
  for_each_header(r->headers_in.headers, [&](const ngx_table_elt_t& header) {
    const std::string_view name(reinterpret_cast<const char*>(header.lowcase_key), header.key.len);
    if (header.value.len == 0) return;
    origin = origin || name == "origin";
    asks = asks || name == "access-control-request-method";
  });
  return origin && asks;
}

std::shared_ptr<const OpenSession> find_hot_session(ngx_http_request_t* r, Services& services) {
  const Settings& settings = services.settings;
  if (!settings.credentials.session || settings.token.reverify) return nullptr;
  if (may_be_logout(r, settings.logout) || form_may_log_out(r, settings.logout)) return nullptr;
  const CookieLookup found = find_session_cookie(r, services);
  if (found.conflict || !found.cookie) return nullptr;
  auto session = services.in_cookies == nullptr
                     ? session_at_hand(services, *found.cookie)
                     : session_in_its_cookies(r, services, *found.cookie);
  if (!session) return nullptr;
  const SessionRecord& record = session->record();
  const Seconds now = services.loop.now();
  if (!record.next_sid.empty() || !is_alive(record, settings, now) ||
      is_refresh_due(record, settings, now) || is_renewal_due(record, settings, now) ||
      is_userinfo_due(record, settings, now) || is_access_token_expired(record, now)) {
    return nullptr;
  }
  if (judge(settings, *session) != Errc::none) return nullptr;
  touch_session(services, *session);
  return session;
}

}  // namespace oidc::ngx
