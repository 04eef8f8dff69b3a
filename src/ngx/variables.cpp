// $oidc_ variables: empty, never stale, where there is nothing to say. None is cacheable.
#include <array>
#include <string>

#include "ngx/facts.h"
#include "ngx/handlers.h"
#include "ngx/request_log.h"
#include "ngx/session_lookup.h"
#include "ngx/request_ctx.h"
#include "ngx/request_headers.h"
#include "oidc/prepared_headers.h"
#include "ngx/worker.h"
#include "oidc/claims.h"
#include "oidc/presented_token.h"

namespace oidc::ngx {
namespace {

using Value = ngx_http_variable_value_t;

ngx_int_t set_value(ngx_http_request_t* r, Value* value, std::string_view text) {
  const ngx_str_t bytes = copy_to_pool(r, text);
  if (bytes.data == nullptr) return NGX_ERROR;
  value->data = bytes.data;
  value->len = static_cast<unsigned>(bytes.len);
  value->valid = 1;
  value->no_cacheable = 1;
  value->not_found = 0;
  return NGX_OK;
}

ngx_int_t nothing(Value* value) noexcept {
  value->not_found = 1;
  value->valid = 0;
  value->no_cacheable = 1;
  return NGX_OK;
}

const SessionRecord* granted_record(ngx_http_request_t* r) noexcept {
  const RequestCtx* ctx = RequestCtx::find(r);
  if (ctx == nullptr || !ctx->grant || !ctx->grant->session) return nullptr;
  return &ctx->grant->session->record();
}

std::string_view text_of(std::string_view text) { return text; }
std::string text_of(const StoredToken& token) { return token.text(); }

// A text of the granted session's record, encoded: nginx writes a variable into a header as it is,
// and JSON can hold line breaks.
template <auto Member>
ngx_int_t record_variable(ngx_http_request_t* r, Value* value, uintptr_t) noexcept {
  return guard<ngx_int_t>(NGX_ERROR, [&] {
    const SessionRecord* record = granted_record(r);
    if (record == nullptr) return nothing(value);
    return set_value(r, value, percent_for_header(text_of(record->*Member)));
  });
}

ngx_int_t userinfo_variable(ngx_http_request_t* r, Value* value, uintptr_t) noexcept {
  return guard<ngx_int_t>(NGX_ERROR, [&] {
    const SessionRecord* record = granted_record(r);
    if (record == nullptr) return nothing(value);
    return set_value(r, value, percent_for_header(userinfo_of(*record)));
  });
}

ngx_int_t outcome_variable(ngx_http_request_t* r, Value* value, uintptr_t) noexcept {
  return guard<ngx_int_t>(NGX_ERROR, [&] {
    const RequestCtx* ctx = RequestCtx::find(r);
    return ctx == nullptr ? nothing(value) : set_value(r, value, ctx->outcome_name);
  });
}

ngx_int_t error_variable(ngx_http_request_t* r, Value* value, uintptr_t) noexcept {
  return guard<ngx_int_t>(NGX_ERROR, [&] {
    const RequestCtx* ctx = RequestCtx::find(r);
    if (ctx == nullptr || ctx->error == Errc::none) return nothing(value);
    return set_value(r, value, info(ctx->error).code);
  });
}

// Known in every phase: from the verified cookie alone.
ngx_int_t session_variable(ngx_http_request_t* r, Value* value, uintptr_t) noexcept {
  return guard<ngx_int_t>(NGX_ERROR, [&] {
    const RequestCtx* ctx = RequestCtx::find(r);
    if (ctx != nullptr && ctx->grant && ctx->grant->session) {
      const OpenSession& session = *ctx->grant->session;
      if (!is_token(session.record())) return set_value(r, value, log_id(session.key()));
      // Keys of caches are made of it, so two tokens must not look like one.
      return set_value(r, value, "t" + log_id(store_key(session.record().access_token)));
    }
    const LocationConf& location = location_conf(r->main);
    Worker* worker = Worker::current();
    if (worker == nullptr || !location.enabled || location.settings == nullptr) {
      return nothing(value);
    }
    const Services* services = worker->services(*location.settings);
    if (services == nullptr) return nothing(value);
    const CookieLookup found = find_session_cookie(r->main, *services);
    if (found.conflict || !found.cookie) return nothing(value);
    return set_value(r, value, log_id(store_key(found.cookie->sid_view())));
  });
}

ngx_int_t request_variable(ngx_http_request_t* r, Value* value, uintptr_t) noexcept {
  return guard<ngx_int_t>(NGX_ERROR, [&] {
    return set_value(r, value, to_view(request_line_without_query(r->main)));
  });
}

// $oidc_claim_NAME: a claim of the top level.
ngx_int_t claim_variable(ngx_http_request_t* r, Value* value, uintptr_t data) noexcept {
  return guard<ngx_int_t>(NGX_ERROR, [&] {
    constexpr std::string_view kPrefix = "oidc_claim_";
    const RequestCtx* ctx = RequestCtx::find(r);
    if (ctx == nullptr || !ctx->grant || !ctx->grant->session) return nothing(value);
    const std::string_view name =
        to_view(*reinterpret_cast<const ngx_str_t*>(data)).substr(kPrefix.size());
    const Result<ClaimPath> path = ClaimPath::parse(name);
    if (!path) return nothing(value);
    const std::optional<std::string> claim = session_claim(*ctx->grant->session, *path);
    return claim ? set_value(r, value, percent_for_header(*claim)) : nothing(value);
  });
}

struct Variable {
  std::string_view name;
  ngx_http_get_variable_pt get;
};

constexpr std::array<Variable, 8> kVariables = {{
    {"oidc_sub", record_variable<&SessionRecord::subject>},
    {"oidc_access_token", record_variable<&SessionRecord::access_token>},
    {"oidc_id_token", record_variable<&SessionRecord::id_token>},
    {"oidc_userinfo", userinfo_variable},
    {"oidc_outcome", outcome_variable},
    {"oidc_error", error_variable},
    {"oidc_session", session_variable},
    {"oidc_request", request_variable},
}};

}  // namespace

ngx_int_t add_variables(ngx_conf_t* cf) noexcept {
  if (!index_request_id(cf)) return NGX_ERROR;
  for (const Variable& known : kVariables) {
    ngx_str_t name = to_ngx_str(known.name);
    ngx_http_variable_t* variable = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
    if (variable == nullptr) return NGX_ERROR;
    variable->get_handler = known.get;
  }
  ngx_str_t prefix = ngx_string("oidc_claim_");
  ngx_http_variable_t* claims =
      ngx_http_add_variable(cf, &prefix, NGX_HTTP_VAR_NOCACHEABLE | NGX_HTTP_VAR_PREFIX);
  if (claims == nullptr) return NGX_ERROR;
  claims->get_handler = claim_variable;
  return NGX_OK;
}

}  // namespace oidc::ngx
