#include "ngx/body_reader.h"

#include <utility>

#include "ngx/request_ctx.h"

namespace oidc::ngx {
namespace {

void on_read_event(ngx_http_request_t* r) noexcept {
  guard([r] {
    RequestCtx* ctx = RequestCtx::find(r);
    if (ctx != nullptr && ctx->body_reader() != nullptr) ctx->body_reader()->on_readable();
  });
}

void on_whole_body(ngx_http_request_t* r) noexcept {
  guard([r] {
    RequestCtx* ctx = RequestCtx::find(r);
    if (ctx != nullptr && ctx->body_reader() != nullptr) ctx->body_reader()->on_whole();
  });
}

// nginx's first call back comes from inside ngx_http_read_client_request_body: begin() goes on.
void on_body_started(ngx_http_request_t*) noexcept {}

}  // namespace

// Suspends until the body is there. nginx's read cannot be cancelled; when the Task goes, the read
// handler is put back and nobody is told.
class RequestBodyReader::Arrived {
 public:
  explicit Arrived(RequestBodyReader& reader) noexcept : reader_(reader) {}
  Arrived(const Arrived&) = delete;
  Arrived& operator=(const Arrived&) = delete;
  ~Arrived() {
    reader_.waiter_ = nullptr;
    if (reader_.done_ || reader_.use_ == Use::look) return;
    reader_.r_->read_event_handler = ngx_http_block_reading;
  }
  bool await_ready() const noexcept { return reader_.done_; }
  void await_suspend(std::coroutine_handle<> handle) noexcept {
    waiter_.handle = handle;
    reader_.waiter_ = &waiter_;
  }
  void await_resume() const noexcept {}

 private:
  RequestBodyReader& reader_;
  Waiter waiter_;
};

Task<Result<Secret>> RequestBodyReader::read(std::size_t max) {
  begin(max);
  Arrived arrived(*this);
  co_await arrived;
  Secret body(bytes_);
  cleanse(bytes_);
  if (failure_ != Errc::none) co_return failure_;
  co_return std::move(body);
}

void RequestBodyReader::begin(std::size_t max) {
  max_ = max;
  if (r_->headers_in.content_length_n > static_cast<off_t>(max)) {
    finish(Errc::too_large);
    return;
  }
  use_ == Use::look ? begin_buffered() : begin_unbuffered();
}

// nginx reads on by itself and keeps what it read; whoever asks for the body later gets it.
void RequestBodyReader::begin_buffered() {
  const ngx_int_t rc = ngx_http_read_client_request_body(r_, on_whole_body);
  r_->write_event_handler = ngx_http_core_run_phases;
  if (rc >= NGX_HTTP_SPECIAL_RESPONSE || rc == NGX_ERROR) {
    finish(Errc::malformed);
    return;
  }
  --r_->main->count;
}

void RequestBodyReader::on_whole() {
  if (done_) return;
  take_available();
  if (!done_) finish(Errc::none);
}

void RequestBodyReader::begin_unbuffered() {
  r_->request_body_no_buffering = 1;
  const ngx_int_t rc = ngx_http_read_client_request_body(r_, on_body_started);
  r_->write_event_handler = ngx_http_core_run_phases;
  if (rc >= NGX_HTTP_SPECIAL_RESPONSE || rc == NGX_ERROR) {
    finish(Errc::malformed);
    return;
  }
  // The read counted the request once more; this module's own count keeps it alive.
  --r_->main->count;
  take_available();
  if (done_) return;
  r_->read_event_handler = on_read_event;
  // The buffer may have been full with more to come, which no further event would tell.
  on_readable();
}

void RequestBodyReader::on_readable() {
  if (done_) return;
  while (r_->reading_body) {
    const ngx_int_t rc = ngx_http_read_unbuffered_request_body(r_);
    if (rc >= NGX_HTTP_SPECIAL_RESPONSE || rc == NGX_ERROR) {
      finish(Errc::malformed);
      return;
    }
    const bool progress = r_->request_body->bufs != nullptr;
    take_available();
    if (done_) return;
    if (!progress && rc == NGX_AGAIN) return;
  }
  finish(Errc::none);
}

// A body that somebody read before may lie in a file: 64 kB at most, from the page cache.
void RequestBodyReader::take_available() {
  ngx_http_request_body_t* body = r_->request_body;
  if (body == nullptr) return;
  for (ngx_chain_t* link = body->bufs; link != nullptr; link = link->next) {
    ngx_buf_t* buf = link->buf;
    const off_t size = ngx_buf_size(buf);
    if (size < 0 || bytes_.size() + static_cast<std::size_t>(size) > max_) {
      finish(Errc::too_large);
      return;
    }
    if (ngx_buf_in_memory(buf)) {
      bytes_.append(reinterpret_cast<const char*>(buf->pos), static_cast<std::size_t>(size));
      if (use_ == Use::consume) buf->pos = buf->last;
    } else if (buf->in_file) {
      const std::size_t at = bytes_.size();
      bytes_.resize(at + static_cast<std::size_t>(size));
      auto* into = reinterpret_cast<u_char*>(bytes_.data() + at);
      const ssize_t got = ngx_read_file(buf->file, into, static_cast<std::size_t>(size),
                                        buf->file_pos);
      if (got != static_cast<ssize_t>(size)) {
        finish(Errc::malformed);
        return;
      }
    }
  }
  if (use_ == Use::consume) body->bufs = nullptr;
}

void RequestBodyReader::finish(Errc reason) {
  done_ = true;
  failure_ = reason;
  // What is left of a body that did not parse must not be read as the next request.
  if (reason != Errc::none) r_->keepalive = 0;
  if (waiter_ == nullptr) {
    r_->read_event_handler = ngx_http_block_reading;
    return;
  }
  r_->read_event_handler = ngx_http_test_reading;
  loop_.post(*waiter_);
}

}  // namespace oidc::ngx
