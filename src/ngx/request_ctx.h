// What the module knows of one request. Made when the first cold path or the first grant needs it,
// found again after an internal redirect (which clears nginx's own pointer) through a pool cleanup.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/nginx.h"
#include "ngx/body_reader.h"
#include "ngx/conf.h"
#include "ngx/request_headers.h"
#include "oidc/flow.h"

namespace oidc::ngx {

class Worker;

// Who was let through, and under which settings.
struct Grant {
  const Settings* settings = nullptr;
  std::shared_ptr<const OpenSession> session;  // null: anonymous (oidc_unauthenticated pass)
};

class RequestCtx {
 public:
  enum class Stage : std::uint8_t { idle, running, finished };

  // nullptr: there is none yet. For a subrequest, the main request's.
  [[nodiscard]] static RequestCtx* find(ngx_http_request_t* r) noexcept;
  // Of the main request; throws std::bad_alloc.
  [[nodiscard]] static RequestCtx& get(ngx_http_request_t* r);

  RequestCtx(const RequestCtx&) = delete;
  RequestCtx& operator=(const RequestCtx&) = delete;

  // ---- a flow in flight ----
  [[nodiscard]] Stage stage() const noexcept { return stage_; }
  [[nodiscard]] bool is_callback() const noexcept { return is_callback_; }
  // The facts of the request as it stands.
  [[nodiscard]] Facts facts();
  [[nodiscard]] RequestBodyReader& make_body_reader(
      Loop& loop, RequestBodyReader::Use use = RequestBodyReader::Use::consume);
  [[nodiscard]] RequestBodyReader* body_reader() noexcept {
    return body_reader_ ? &*body_reader_ : nullptr;
  }
  // Starts the flow; afterwards stage() is finished, or running: then the phases run again when it
  // has ended.
  void start(Task<Outcome> task, bool is_callback);
  // Of a finished flow, once; rethrows what the flow threw.
  [[nodiscard]] Outcome take_outcome();
  void cancel() noexcept;
  // An internal redirect runs the phases anew: a flow of the run before it is over.
  void abandon_other_run() noexcept;

  // ---- what was decided ----
  std::optional<Grant> grant;
  // Known, and refused by the rules of the location at hand: no login would change that.
  std::shared_ptr<const OpenSession> refused;
  std::vector<std::string> set_cookies;       // for the response
  std::vector<std::pair<std::string, std::string>> headers;  // of a refusal that nginx renders
  // oidc_token_headers_replay: for the response to a request that was let through.
  std::vector<std::pair<std::string, std::string>> replayed;
  bool no_store = false;                      // the response gets Cache-Control: private, no-store
  Errc error = Errc::none;
  const char* outcome_name = "";              // $oidc_outcome
  std::optional<HeaderList> original_headers;  // the client's, while another list is in place
  bool identity_installed = false;             // by grant_request, in this run

 private:
  explicit RequestCtx(ngx_http_request_t* r);
  ~RequestCtx();
  static void destroy(void* data) noexcept;
  static void cancel_on_cleanup(void* data) noexcept;
  static void on_done(void* data) noexcept;
  static void on_event(ngx_event_t* event) noexcept;
  void resume_phases() noexcept;
  void release_count() noexcept;

  ngx_http_request_t* r_;
  EventOwner owner_{this};
  ngx_event_t event_{};
  std::unique_ptr<Evaluator> evaluator_;
  std::optional<RequestBodyReader> body_reader_;
  Task<Outcome> task_;
  Stage stage_ = Stage::idle;
  bool starting_ = false;
  bool is_callback_ = false;
  bool counted_ = false;
  unsigned uri_changes_ = 0;  // nginx's, when the flow started
};

}  // namespace oidc::ngx
