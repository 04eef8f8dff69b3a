// The phase handlers. SERVER_REWRITE: the callback, and the way back from a logout at the provider. PREACCESS: a run begins. ACCESS: sessions and
// logins. PRECONTENT: the headers of whatever others let through. Hot requests are decided here, without a coroutine.
#include "ngx/handlers.h"

#include "ngx/request_ctx.h"
#include "ngx/request_log.h"
#include "ngx/reroute.h"
#include "ngx/response.h"
#include "ngx/session_lookup.h"
#include "ngx/token_lookup.h"
#include "ngx/upstream_request.h"
#include "ngx/worker.h"
#include "oidc/admission.h"
#include "oidc/logout_flows.h"
#include "oidc/post_logout.h"
#include "oidc/prepared_headers.h"
#include "oidc/presented_token.h"
#include "oidc/rules.h"

namespace oidc::ngx {
namespace {

bool same_sessions(const Settings& a, const Settings& b) noexcept {
  return &a == &b || (a.identity == b.identity && a.store_index == b.store_index &&
                      a.keys_index == b.keys_index);
}

void hand_over_location(ngx_http_request_t* r, void** loc_conf) {
  r->loc_conf = loc_conf;
  ngx_http_update_location_config(r);
}

// ---- the paths of our own ----------------------------------------------------------------------

Owners owners_of(const std::vector<Owner>& registered, Worker& worker) {
  Owners owners;
  for (const Owner& owner : registered) {
    Services* services = worker.services(*owner.settings);
    if (services != nullptr) owners.push_back(services);
  }
  return owners;
}

void become_owner(ngx_http_request_t* r, const std::vector<Owner>& registered,
                  const Settings* settings) {
  for (const Owner& owner : registered) {
    if (owner.settings == settings) return hand_over_location(r, owner.loc_conf);
  }
}

ngx_int_t continue_as_target(ngx_http_request_t* r, RequestCtx& ctx, Outcome outcome) {
  if (reroute(r, outcome.target) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ctx.original_headers.reset();
  ctx.set_cookies = std::move(outcome.set_cookies);
  ctx.replayed = std::move(outcome.headers);
  ctx.grant = Grant{outcome.settings, std::move(outcome.session)};
  ctx.outcome_name = "login";
  // The server's own rewrite rules saw the callback's URI: they run again, for the target's.
  const auto* cmcf = static_cast<const ngx_http_core_main_conf_t*>(
      ngx_http_get_module_main_conf(r, ngx_http_core_module));
  r->phase_handler = static_cast<ngx_int_t>(cmcf->phase_engine.server_rewrite_index) - 1;
  return NGX_DECLINED;
}

ngx_int_t finish_own_path(ngx_http_request_t* r, RequestCtx& ctx, ServerPath::Kind kind,
                          const std::vector<Owner>& registered) {
  Outcome outcome = ctx.take_outcome();
  if (forget_form(r) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  become_owner(r, registered, outcome.settings);
  if (outcome.kind == Outcome::Kind::reroute) {
    return continue_as_target(r, ctx, std::move(outcome));
  }
  const char* done = kind == ServerPath::Kind::callback ? "login" : "logout";
  ctx.outcome_name = outcome.reason == Errc::none ? done : "denied";
  return send_outcome(r, ctx, std::move(outcome));
}

Task<Outcome> flow_of(ServerPath::Kind kind, Owners owners, RequestCtx& ctx, Loop& loop) {
  switch (kind) {
    case ServerPath::Kind::post_logout:
      return post_logout_flow(std::move(owners), ctx.facts());
    case ServerPath::Kind::backchannel_logout:
      return backchannel_logout_flow(std::move(owners), ctx.facts(), ctx.make_body_reader(loop));
    case ServerPath::Kind::frontchannel_logout:
      return frontchannel_logout_flow(std::move(owners), ctx.facts());
    case ServerPath::Kind::callback:
      break;
  }
  return callback_flow(std::move(owners), ctx.facts(), ctx.make_body_reader(loop));
}

ngx_int_t answer_own_path(ngx_http_request_t* r, const ServerPath& path) {
  const std::vector<Owner>& registered = path.owners;
  Worker* worker = Worker::current();
  if (worker == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  RequestCtx& ctx = RequestCtx::get(r);
  if (ctx.stage() == RequestCtx::Stage::idle) {
    hide_query_in_error_log(r);
    become_owner(r, registered, registered.front().settings);
    Owners owners = owners_of(registered, *worker);
    if (owners.empty()) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    ctx.start(flow_of(path.kind, std::move(owners), ctx, worker->loop()), true);
  }
  if (ctx.stage() == RequestCtx::Stage::running) return NGX_DONE;
  return finish_own_path(r, ctx, path.kind, registered);
}

// ---- access ------------------------------------------------------------------------------------

const char* name_of(const OpenSession* session) noexcept {
  if (session == nullptr) return "anonymous";
  switch (static_cast<Method>(session->record().method)) {
    case Method::bearer: return "bearer";
    case Method::introspection: return "introspection";
    case Method::userinfo: return "userinfo";
    case Method::refresh_token: return "refresh_token";
    case Method::password: return "password";
    case Method::client_credentials: return "client_credentials";
    default: return "session";
  }
}

ngx_int_t let_through(ngx_http_request_t* r, RequestCtx& ctx, const Settings& settings,
                      std::shared_ptr<const OpenSession> session) {
  ctx.outcome_name = name_of(session.get());
  ctx.grant = Grant{&settings, std::move(session)};
  const Result<void> granted = grant_request(r, ctx);
  if (!granted) {
    ctx.grant.reset();
    ctx.outcome_name = "denied";
    Worker* worker = Worker::current();
    Services* services = worker == nullptr ? nullptr : worker->services(settings);
    if (services == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    return send_outcome(r, ctx, refuse_headers(*services, *ctx.facts(), granted.error()));
  }
  // Never NGX_OK for the anonymous: `satisfy any` would take that for a grant.
  return ctx.grant->session ? NGX_OK : NGX_DECLINED;
}

// nginx's own error page, whose status is not the location's own (error_page 404 = @app).
bool is_error_page(const ngx_http_request_t* r) noexcept { return r->err_status != 0; }

ngx_int_t act_on(ngx_http_request_t* r, RequestCtx& ctx, const Settings& settings,
                 Outcome outcome) {
  if (outcome.kind == Outcome::Kind::pass) {
    ctx.set_cookies.insert(ctx.set_cookies.end(), outcome.set_cookies.begin(),
                           outcome.set_cookies.end());
    ctx.replayed = std::move(outcome.headers);
    return let_through(r, ctx, settings, std::move(outcome.session));
  }
  // No login starts on an error page.
  if (is_error_page(r)) {
    return r->err_status >= NGX_HTTP_BAD_REQUEST ? static_cast<ngx_int_t>(r->err_status)
                                                 : NGX_HTTP_UNAUTHORIZED;
  }
  ctx.outcome_name = outcome.status < NGX_HTTP_BAD_REQUEST ? "redirect" : "denied";
  return send_outcome(r, ctx, std::move(outcome));
}

ngx_int_t access(ngx_http_request_t* r, const Settings& settings) {
  Worker* worker = Worker::current();
  Services* services = worker == nullptr ? nullptr : worker->services(settings);
  if (services == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  RequestCtx& ctx = RequestCtx::get(r);
  if (ctx.stage() == RequestCtx::Stage::running) return NGX_AGAIN;
  if (ctx.stage() == RequestCtx::Stage::finished) {
    return act_on(r, ctx, settings, ctx.take_outcome());
  }
  if (!settings.run_on_preflight && is_preflight(r)) {
    if (query_may_hold_token(r, settings) || query_may_hold_grant(r, settings)) {
      hide_query_in_error_log(r);
    }
    return let_through(r, ctx, settings, nullptr);
  }
  if (ctx.grant) return let_through(r, ctx, settings, ctx.grant->session);
  if (ctx.refused) {
    ctx.start(admit(*services, ctx.facts(), std::exchange(ctx.refused, nullptr)), false);
    if (ctx.stage() == RequestCtx::Stage::running) return NGX_AGAIN;
    return act_on(r, ctx, settings, ctx.take_outcome());
  }
  if (query_may_hold_token(r, settings) || query_may_hold_grant(r, settings)) {
    hide_query_in_error_log(r);
  }
  TokenLookup token = find_hot_token(r, *services);
  if (token.session) return let_through(r, ctx, settings, std::move(token.session));
  if (!token.ask) {
    if (auto session = find_hot_session(r, *services)) {
      return let_through(r, ctx, settings, std::move(session));
    }
  }
  if (may_be_logout(r, settings.logout)) hide_query_in_error_log(r);
  const bool form_decides = (settings.credentials.session && form_may_log_out(r, settings.logout)) ||
                            body_may_hold_token(r, settings);
  if (form_decides && !is_error_page(r)) {
    RequestBodyReader& body =
        ctx.make_body_reader(worker->loop(), RequestBodyReader::Use::look);
    ctx.start(access_flow_with_form(*services, ctx.facts(), body), false);
  } else {
    ctx.start(access_flow(*services, ctx.facts()), false);
  }
  if (ctx.stage() == RequestCtx::Stage::running) return NGX_AGAIN;
  return act_on(r, ctx, settings, ctx.take_outcome());
}

bool stays_granted(const Grant& grant, const Settings& settings) {
  const SessionRecord& record = grant.session->record();
  // Another location judges a token by its own rules.
  if (is_token(record)) return grant.settings == &settings;
  if (!is_alive(record, settings, ngx_time())) return false;
  if (grant.settings == &settings) return true;
  // Where tokens are accepted one that is there decides, so such a location looks for itself.
  return settings.credentials.session && !accepts_access_tokens(settings) &&
         same_sessions(*grant.settings, settings);
}

// Each run of the phases begins here with the client's own headers. What an earlier run opened is
// used again where it will do for this location's settings.
void enter_location(ngx_http_request_t* r, const LocationConf& location) {
  RequestCtx* ctx = RequestCtx::find(r);
  if (ctx == nullptr) return;
  ctx->abandon_other_run();
  if (ctx->original_headers) {
    install_headers(r, *ctx->original_headers);
    ctx->original_headers.reset();
  }
  ctx->identity_installed = false;
  ctx->refused.reset();
  const bool stays = location.enabled && ctx->grant && ctx->grant->session &&
                     stays_granted(*ctx->grant, *location.settings);
  if (stays && judge(*location.settings, *ctx->grant->session) != Errc::none) {
    ctx->refused = ctx->grant->session;
  }
  if (stays && !ctx->refused) return;
  ctx->grant.reset();
  ctx->replayed.clear();
}

// ---- subrequests -------------------------------------------------------------------------------

// What nobody's request may bring along: a preflight passed for being one, so its subrequests (a
// mirror) pass where they are preflights too.
bool admits_nobody(const ngx_http_request_t* r, const Settings& settings) noexcept {
  return settings.unauthenticated == Unauthenticated::pass || is_preflight(r);
}

// Access handlers are skipped for subrequests: one passes only where its main request was granted
// under the very same settings.
ngx_int_t judge_subrequest(ngx_http_request_t* r, const Settings& settings) {
  const RequestCtx* ctx = RequestCtx::find(r);
  if (ctx != nullptr && ctx->grant && ctx->grant->settings == &settings) {
    const OpenSession* session = ctx->grant->session.get();
    const bool admitted =
        session != nullptr ? judge(settings, *session) == Errc::none : admits_nobody(r, settings);
    if (admitted) return NGX_DECLINED;
  }
  Outcome outcome;
  outcome.reason = Errc::subrequest_denied;
  outcome.status = NGX_HTTP_FORBIDDEN;
  outcome.settings = &settings;
  log_outcome(r, outcome);
  return NGX_HTTP_FORBIDDEN;
}

}  // namespace

ngx_int_t server_rewrite_handler(ngx_http_request_t* r) noexcept {
  if (r != r->main || r->internal) return NGX_DECLINED;
  const RequestCtx* ctx = RequestCtx::find(r);
  if (ctx != nullptr && ctx->grant) return NGX_DECLINED;  // an answered callback, rerouted
  return guard<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR, [r]() -> ngx_int_t {
    const ServerPath* path = server_conf(r).path(to_view(r->uri));
    return path == nullptr ? NGX_DECLINED : answer_own_path(r, *path);
  });
}

ngx_int_t preaccess_handler(ngx_http_request_t* r) noexcept {
  return guard<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR, [r]() -> ngx_int_t {
    const LocationConf& location = location_conf(r);
    if (location.enabled && location.settings == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    if (r != r->main) {
      return location.enabled ? judge_subrequest(r, *location.settings) : NGX_DECLINED;
    }
    enter_location(r, location);
    return NGX_DECLINED;
  });
}

// After all access handlers (auth_basic needs the client's Authorization) and before anything that
// passes the request on: whoever granted it, the client's copies of our headers go.
ngx_int_t precontent_handler(ngx_http_request_t* r) noexcept {
  return guard<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR, [r]() -> ngx_int_t {
    // A subrequest carries its main request's list, which was cleaned when that was granted.
    const RequestCtx* ctx = RequestCtx::find(r);
    if (ctx != nullptr && ctx->identity_installed) return NGX_DECLINED;
    return clean_request(r) == NGX_OK ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
  });
}

// A content handler: whatever it returns finalizes the request.
ngx_int_t administration_handler(ngx_http_request_t* r) noexcept {
  return guard<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR, [r]() -> ngx_int_t {
    if (r != r->main) return NGX_HTTP_FORBIDDEN;
    const Settings* settings = location_conf(r).settings;
    Worker* worker = Worker::current();
    Services* services =
        worker == nullptr || settings == nullptr ? nullptr : worker->services(*settings);
    if (services == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    RequestCtx& ctx = RequestCtx::get(r);
    if (ctx.stage() == RequestCtx::Stage::idle) {
      hide_query_in_error_log(r);
      ctx.start(administration_flow(*services, ctx.facts()), false);
    }
    if (ctx.stage() == RequestCtx::Stage::running) {
      // This call's own finalizing takes it back; the phases run again at the flow's end.
      ++r->main->count;
      return NGX_DONE;
    }
    return send_content(r, ctx, ctx.take_outcome());
  });
}

ngx_int_t document_handler(ngx_http_request_t* r) noexcept {
  return guard<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR, [r]() -> ngx_int_t {
    if (r != r->main) return NGX_HTTP_FORBIDDEN;
    const LocationConf& location = location_conf(r);
    Outcome outcome;
    outcome.kind = Outcome::Kind::answer;
    outcome.settings = location.settings;
    if ((r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)) == 0) {
      outcome.status = NGX_HTTP_NOT_ALLOWED;
      outcome.headers.emplace_back("Allow", "GET, HEAD");
    } else {
      outcome.status = NGX_HTTP_OK;
      outcome.content_type = "application/json";
      outcome.headers.emplace_back("Cache-Control", "public, max-age=300");
      outcome.headers.emplace_back("X-Content-Type-Options", "nosniff");
      outcome.body = location.document;
    }
    return send_content(r, RequestCtx::get(r), std::move(outcome));
  });
}

ngx_int_t access_handler(ngx_http_request_t* r) noexcept {
  const LocationConf& location = location_conf(r);
  if (!location.enabled) return NGX_DECLINED;
  if (location.settings == nullptr) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  return guard<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR,
                          [&] { return access(r, *location.settings); });
}

}  // namespace oidc::ngx
