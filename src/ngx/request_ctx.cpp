#include "ngx/request_ctx.h"

#include <new>
#include <utility>

#include "ngx/conf_objects.h"
#include "ngx/facts.h"
#include "ngx/values.h"

namespace oidc::ngx {

RequestCtx::RequestCtx(ngx_http_request_t* r)
    : r_(r), evaluator_(std::make_unique<RequestEvaluator>(r)) {
  event_.handler = on_event;
  event_.data = &owner_;
  event_.log = r->connection->log;
}

RequestCtx::~RequestCtx() { forget_event(event_); }

RequestCtx* RequestCtx::find(ngx_http_request_t* r) noexcept {
  ngx_http_request_t* main = r->main;
  auto* ctx =
      static_cast<RequestCtx*>(ngx_http_get_module_ctx(main, ngx_http_openid_connect_module));
  // Only an internal redirect loses the pointer.
  if (ctx != nullptr || !main->internal) return ctx;
  for (const ngx_pool_cleanup_t* c = main->pool->cleanup; c != nullptr; c = c->next) {
    if (c->handler != destroy) continue;
    ctx = static_cast<RequestCtx*>(c->data);
    ngx_http_set_ctx(main, ctx, ngx_http_openid_connect_module);
    return ctx;
  }
  return nullptr;
}

RequestCtx& RequestCtx::get(ngx_http_request_t* r) {
  if (RequestCtx* known = find(r)) return *known;
  ngx_http_request_t* main = r->main;
  ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(main->pool, sizeof(RequestCtx));
  ngx_http_cleanup_t* on_end = ngx_http_cleanup_add(main, 0);
  if (cleanup == nullptr || on_end == nullptr) throw std::bad_alloc();
  auto* ctx = new (cleanup->data) RequestCtx(main);
  cleanup->handler = destroy;
  // The Task goes before the pool does: its leaves still use connections and the request.
  on_end->handler = cancel_on_cleanup;
  on_end->data = ctx;
  ngx_http_set_ctx(main, ctx, ngx_http_openid_connect_module);
  return *ctx;
}

void RequestCtx::destroy(void* data) noexcept { static_cast<RequestCtx*>(data)->~RequestCtx(); }

void RequestCtx::cancel_on_cleanup(void* data) noexcept { static_cast<RequestCtx*>(data)->cancel(); }

Facts RequestCtx::facts() { return make_facts(r_, *evaluator_); }

RequestBodyReader& RequestCtx::make_body_reader(Loop& loop, RequestBodyReader::Use use) {
  return body_reader_.emplace(r_, loop, use);
}

void RequestCtx::start(Task<Outcome> task, bool is_callback) {
  task_ = std::move(task);
  is_callback_ = is_callback;
  stage_ = Stage::running;
  uri_changes_ = r_->uri_changes;
  starting_ = true;
  task_.start(on_done, this);
  starting_ = false;
  if (stage_ == Stage::finished) return;
  // SERVER_REWRITE holds the request by a count of its own, ACCESS by its phase.
  if (is_callback) {
    ++r_->main->count;
    counted_ = true;
  }
  if (!body_reader_ || r_->read_event_handler == ngx_http_block_reading) {
    r_->read_event_handler = ngx_http_test_reading;
  }
}

// Called from inside the Task's last step: it only records, the event acts.
void RequestCtx::on_done(void* data) noexcept {
  auto* ctx = static_cast<RequestCtx*>(data);
  ctx->stage_ = Stage::finished;
  if (!ctx->starting_) {
    ngx_post_event(&ctx->event_, &ngx_posted_events);
  }
}

void RequestCtx::on_event(ngx_event_t* event) noexcept {
  EventOwner::of<RequestCtx>(event).resume_phases();
}

void RequestCtx::resume_phases() noexcept {
  ngx_http_request_t* r = r_;
  ngx_connection_t* c = r->connection;
  ngx_http_set_log_request(c->log, r);
  release_count();
  r->read_event_handler = ngx_http_block_reading;
  ngx_http_core_run_phases(r);
  ngx_http_run_posted_requests(c);
}

void RequestCtx::release_count() noexcept {
  if (!counted_) return;
  counted_ = false;
  --r_->main->count;
}

void RequestCtx::abandon_other_run() noexcept {
  if (stage_ == Stage::idle || r_->uri_changes == uri_changes_) return;
  cancel();
  release_count();
}

// A write event may run the phases between the flow's end and the event that it posted.
Outcome RequestCtx::take_outcome() {
  forget_event(event_);
  release_count();
  stage_ = Stage::idle;
  Task<Outcome> ended = std::move(task_);
  return ended.take();
}

void RequestCtx::cancel() noexcept {
  task_.reset();
  body_reader_.reset();
  forget_event(event_);
  stage_ = Stage::idle;
}

}  // namespace oidc::ngx
