#include "ngx/upstream_request.h"

#include "ngx/own_cookies.h"
#include "ngx/token_lookup.h"

#include <algorithm>
#include <array>

#include "oidc/cookie.h"
#include "oidc/prepared_headers.h"
#include "oidc/presented_grant.h"
#include "oidc/presented_token.h"
#include "oidc/session_facts.h"

namespace oidc::ngx {
namespace {

constexpr std::array<std::string_view, 5> kBodyHeaders = {"content-type", "content-length",
                                                          "transfer-encoding", "origin", "referer"};

std::string_view name_of(const ngx_table_elt_t& header) noexcept {
  return {reinterpret_cast<const char*>(header.lowcase_key), header.key.len};
}

// One pass over the list as it is: what stays, what loses our cookies, what goes.
class Cleaner {
 public:
  Cleaner(ngx_http_request_t* r, bool drop_names, bool strip,
          const Hidden& hidden = {}) noexcept
      : r_(r), server_(server_conf(r)), drop_names_(drop_names && server_.clear != nullptr),
        strip_cookies_(strip), hidden_(hidden) {}

  [[nodiscard]] bool needed() {
    bool found = false;
    for_each_header(r_->headers_in.headers, [&](const ngx_table_elt_t& header) {
      found = found || drops(header) || (is_cookie(header) && stripped(header));
    });
    return found;
  }

  void copy_into(HeaderListBuilder& builder) {
    for_each_header(r_->headers_in.headers, [&](const ngx_table_elt_t& header) {
      if (drops(header)) return;
      if (!is_cookie(header)) return builder.keep(header);
      const std::optional<std::string> rest = stripped(header);
      if (!rest) return builder.keep(header);
      if (!rest->empty()) builder.keep_with_value(header, copy_to_pool(r_, *rest));
    });
  }

 private:
  [[nodiscard]] bool drops(const ngx_table_elt_t& header) const noexcept {
    if (is_hidden(hidden_, header)) return true;
    return drop_names_ && server_.clear->contains(name_of(header));
  }
  [[nodiscard]] bool is_cookie(const ngx_table_elt_t& header) const noexcept {
    return strip_cookies_ && name_of(header) == "cookie";
  }
  [[nodiscard]] std::optional<std::string> stripped(const ngx_table_elt_t& header) const {
    return strip_cookies(to_view(header.value), [this](std::string_view name) {
      return is_own_cookie(server_, name) || is_hidden_cookie(name);
    });
  }
  [[nodiscard]] bool is_hidden_cookie(std::string_view name) const noexcept {
    const CredentialSettings* credentials = hidden_.credentials;
    return hidden_.tokens && credentials->bearer_places.cookie &&
           name == credentials->bearer_cookie;
  }

  ngx_http_request_t* r_;
  const ServerConf& server_;
  bool drop_names_;
  bool strip_cookies_;
  Hidden hidden_;
};

// The credentials that must not go on. Nobody's request goes on without one that nobody looked at.
Hidden hidden_by(const Grant& grant) noexcept {
  const CredentialSettings& credentials = grant.settings->credentials;
  if (grant.session && !is_token(grant.session->record())) {
    // The session decided, and nobody looked at a password beside it.
    return accepts_grants(credentials) ? Hidden{&credentials, false, true} : Hidden{};
  }
  if (grant.session && !credentials.hide) return {};
  return {&credentials, accepts_access_tokens(*grant.settings), accepts_grants(credentials)};
}

ngx_str_t joined_in_pool(ngx_http_request_t* r, std::string_view prefix, std::string_view value) {
  if (prefix.empty()) return copy_to_pool(r, value);
  std::string whole(prefix);
  return copy_to_pool(r, whole.append(value));
}

}  // namespace

ngx_int_t clean_request(ngx_http_request_t* r) {
  const bool clear = location_conf(r).clear_headers;
  Cleaner cleaner(r, clear, clear);
  if (!cleaner.needed()) return NGX_OK;
  HeaderListBuilder builder(r);
  cleaner.copy_into(builder);
  if (!builder.ok()) return NGX_ERROR;
  if (r == r->main) {
    // A redirect into a protected location needs what is dropped here.
    RequestCtx& ctx = RequestCtx::get(r);
    if (!ctx.original_headers) ctx.original_headers = r->headers_in.headers;
  }
  builder.install();
  return NGX_OK;
}

Result<void> grant_request(ngx_http_request_t* r, RequestCtx& ctx) {
  if (!ctx.original_headers) ctx.original_headers = r->headers_in.headers;
  const Hidden hidden = hidden_by(*ctx.grant);
  if (may_be_in_query(hidden)) {
    const std::size_t before = r->args.len;
    if (drop_from_query(r, hidden) != NGX_OK) return Errc::internal;
    if (r->args.len != before) ctx.no_store = true;  // RFC 6750 section 2.3
  }
  Cleaner cleaner(r, true, true, hidden);
  HeaderListBuilder builder(r);
  cleaner.copy_into(builder);
  if (ctx.grant->session) {
    const Settings& settings = *ctx.grant->settings;
    const ReadyHeaders ready(settings, *ctx.grant->session, ngx_time());
    const Result<void> fits = ready.check_size();
    if (!fits) return fits.error();
    ready.for_each_upstream([&](std::string_view name, std::string_view prefix,
                                std::string_view value) {
      builder.add(name, joined_in_pool(r, prefix, value));
    });
    for (const auto& [name, value] : session_facts(*ctx.grant->session, settings,
                                                   settings.session.request_headers, ngx_time())) {
      builder.add(name, copy_to_pool(r, percent_for_header(value)));
    }
  }
  if (!builder.ok()) return Errc::internal;
  builder.install();
  ctx.identity_installed = true;
  return {};
}

ngx_int_t drop_body_headers(ngx_http_request_t* r) {
  HeaderListBuilder builder(r);
  for_each_header(r->headers_in.headers, [&](const ngx_table_elt_t& header) {
    const std::string_view name = name_of(header);
    if (std::find(kBodyHeaders.begin(), kBodyHeaders.end(), name) == kBodyHeaders.end()) {
      builder.keep(header);
    }
  });
  if (!builder.ok()) return NGX_ERROR;
  builder.install();
  r->headers_in.content_length_n = -1;
  r->headers_in.chunked = 0;
  return NGX_OK;
}

}  // namespace oidc::ngx
