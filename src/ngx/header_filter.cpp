// The response's header filter: our Set-Cookie and Cache-Control on whatever answers the request,
// and no cookie of an upstream under one of our names.
#include <algorithm>

#include "ngx/handlers.h"
#include "ngx/own_cookies.h"
#include "ngx/request_ctx.h"
#include "ngx/request_log.h"
#include "oidc/prepared_headers.h"
#include "oidc/presented_token.h"
#include "oidc/session_facts.h"

namespace oidc::ngx {
namespace {

ngx_http_output_header_filter_pt g_next = nullptr;

bool has_name(const ngx_table_elt_t& header, std::string_view lowercase) noexcept {
  return header.hash != 0 && header.key.len == lowercase.size() &&
         ngx_strncasecmp(header.key.data,
                         const_cast<u_char*>(reinterpret_cast<const u_char*>(lowercase.data())),
                         lowercase.size()) == 0;
}

template <class Body>
void for_each_response_header(ngx_http_request_t* r, Body&& body) {
  for (ngx_list_part_t* part = &r->headers_out.headers.part; part != nullptr; part = part->next) {
    auto* headers = static_cast<ngx_table_elt_t*>(part->elts);
    for (ngx_table_elt_t& header : std::span(headers, part->nelts)) body(header);
  }
}

std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kSpace = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

// The name under which the cookie would come back: browsers trim it, and send a nameless cookie's
// value as it is, where a name may stand in it (RFC 6265bis section 5.5).
std::string_view cookie_name_of(std::string_view set_cookie) noexcept {
  set_cookie = trimmed(set_cookie);
  if (set_cookie.starts_with('=')) set_cookie = trimmed(set_cookie.substr(1));
  return trimmed(set_cookie.substr(0, set_cookie.find_first_of("=;")));
}

void drop_foreign_cookies(ngx_http_request_t* r) {
  const ServerConf& server = server_conf(r);
  if (server.owners.empty()) return;
  for_each_response_header(r, [&](ngx_table_elt_t& header) {
    if (!has_name(header, "set-cookie")) return;
    if (!is_own_cookie(server, cookie_name_of(to_view(header.value)))) return;
    header.hash = 0;
    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "oidc: reason=cookie_conflict: the upstream's Set-Cookie of the module's own "
                  "cookie was dropped");
  });
}

bool push_header(ngx_http_request_t* r, std::string_view name, std::string_view value) {
  auto* header = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
  if (header == nullptr) return false;
  *header = {};
  header->hash = 1;
  header->key = to_ngx_str(name);
  header->value = copy_to_pool(r, value);
  return header->value.data != nullptr;
}

// Those of content delivery networks (RFC 9213) go before Cache-Control where they are understood.
bool rules_caches(const ngx_table_elt_t& header) noexcept {
  constexpr std::string_view kEnd = "cache-control";
  if (header.key.len < kEnd.size()) {
    return has_name(header, "expires") || has_name(header, "pragma") ||
           has_name(header, "edge-control");
  }
  ngx_table_elt_t end = header;
  end.key.data += header.key.len - kEnd.size();
  end.key.len = kEnd.size();
  return has_name(end, kEnd) || has_name(header, "surrogate-control") ||
         has_name(header, "x-accel-expires");
}

// A response with our cookie or a token belongs to one browser.
bool forbid_caching(ngx_http_request_t* r) {
  for_each_response_header(r, [](ngx_table_elt_t& header) {
    if (rules_caches(header)) header.hash = 0;
  });
  r->headers_out.expires = nullptr;
  return push_header(r, "Cache-Control", "private, no-store");
}

// oidc_session_response_headers, on what is answered under a session. They are one browser's.
bool tell_session(ngx_http_request_t* r, const RequestCtx& ctx) {
  if (!ctx.grant || !ctx.grant->session || is_token(ctx.grant->session->record())) return true;
  const Settings& settings = *ctx.grant->settings;
  const std::vector<SessionFact>& wanted = settings.session.response_headers;
  if (wanted.empty()) return true;
  for_each_response_header(r, [&wanted](ngx_table_elt_t& header) {
    const bool ours = std::any_of(wanted.begin(), wanted.end(), [&header](SessionFact fact) {
      return has_name(header, header_of(fact));
    });
    if (ours) header.hash = 0;
  });
  if (!forbid_caching(r)) return false;
  for (const auto& [name, value] :
       session_facts(*ctx.grant->session, settings, wanted, ngx_time())) {
    if (!push_header(r, name, percent_for_header(value))) return false;
  }
  return true;
}

// oidc_downstream_*: on what is answered after this location granted the request. What the upstream calls
// by one of these names is not ours, whoever is there.
bool tell_identity(ngx_http_request_t* r, const RequestCtx& ctx) {
  if (!ctx.grant || !ctx.identity_installed) return true;
  const Settings& settings = *ctx.grant->settings;
  const LocationConf& location = location_conf(r);  // another one after an error_page
  if (!location.enabled || location.settings != &settings) return true;
  const std::vector<IdentityHeader>& wanted = settings.headers.downstream;
  if (wanted.empty()) return true;
  for_each_response_header(r, [&wanted](ngx_table_elt_t& header) {
    const bool ours = std::any_of(wanted.begin(), wanted.end(), [&header](const auto& each) {
      return has_name(header, each.name);
    });
    if (ours) header.hash = 0;
  });
  if (!ctx.grant->session) return true;
  if (!forbid_caching(r)) return false;
  bool ok = true;
  const ReadyHeaders ready(settings, *ctx.grant->session, ngx_time());
  ready.for_each_downstream([&](std::string_view name, std::string_view prefix,
                                std::string_view value) {
    std::string whole(prefix);
    ok = ok && push_header(r, name, whole.append(value));
  });
  return ok;
}

// oidc_token_headers_replay. What the upstream calls by one of these names is not the provider's.
bool replay(ngx_http_request_t* r, const RequestCtx& ctx) {
  if (ctx.replayed.empty()) return true;
  for_each_response_header(r, [&ctx](ngx_table_elt_t& header) {
    const bool ours = std::any_of(ctx.replayed.begin(), ctx.replayed.end(),
                                  [&header](const auto& each) { return has_name(header, each.first); });
    if (ours) header.hash = 0;
  });
  if (!forbid_caching(r)) return false;
  for (const auto& [name, value] : ctx.replayed) {
    const ngx_str_t kept = copy_to_pool(r, name);
    if (kept.data == nullptr || !push_header(r, to_view(kept), value)) return false;
  }
  return true;
}

ngx_int_t header_filter(ngx_http_request_t* r) noexcept {
  if (r != r->main) return g_next(r);
  return guard<ngx_int_t>(NGX_ERROR, [&]() -> ngx_int_t {
    drop_foreign_cookies(r);
    RequestCtx* ctx = RequestCtx::find(r);
    if (ctx != nullptr && !replay(r, *ctx)) return NGX_ERROR;
    if (ctx != nullptr && !tell_session(r, *ctx)) return NGX_ERROR;
    if (ctx != nullptr && !tell_identity(r, *ctx)) return NGX_ERROR;
    if (ctx != nullptr && (ctx->no_store || !ctx->set_cookies.empty())) {
      if (!forbid_caching(r)) return NGX_ERROR;
      for (const std::string& cookie : ctx->set_cookies) {
        if (!push_header(r, "Set-Cookie", cookie)) return NGX_ERROR;
      }
      ctx->set_cookies.clear();
    }
    return g_next(r);
  });
}

}  // namespace

void init_header_filter() noexcept {
  g_next = ngx_http_top_header_filter;
  ngx_http_top_header_filter = header_filter;
}

}  // namespace oidc::ngx
