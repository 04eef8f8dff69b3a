// One HTTP exchange by libcurl: the easy handle, its callbacks, and what came of it.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>

#include "io/curl_http_client.h"
#include "io/curl_multi.h"

namespace oidc {

class CurlTransfer final : CurlMulti::Transfer {
 public:
  // Everything outlives the transfer. `addresses` are those of route.peer().
  CurlTransfer(Loop& loop, CurlMulti& multi, const HttpClientOptions& options,
               const HttpRoute& route, const HttpRequest& request,
               const std::vector<Address>& addresses);
  ~CurlTransfer();  // cancels

  // co_await transfer.run(timeout), once; then result(), once.
  [[nodiscard]] auto run(Milliseconds timeout) noexcept;
  [[nodiscard]] Result<HttpResponse> result();

 private:
  struct Callbacks;
  struct FreeList {
    void operator()(curl_slist* list) const noexcept;  // wipes
  };
  using List = std::unique_ptr<curl_slist, FreeList>;
  enum class State : std::uint8_t { idle, running, ended };

  template <class Value>
  void set(CURLoption option, Value value) noexcept;
  void set_connection(const HttpClientOptions& options, const std::vector<Address>& addresses);
  void set_tls(const HttpClientOptions& options);
  void set_proxy();
  void set_request();
  void set_headers();

  [[nodiscard]] bool keep_header(std::string_view line) noexcept;
  void keep_wanted(std::string_view line);
  [[nodiscard]] bool keep_body(std::string_view bytes);
  [[nodiscard]] Error failure() const;
  [[nodiscard]] std::string content_type() const;

  void finished(CURLcode code) noexcept override;
  void abandoned() noexcept override { state_ = State::ended; }

  Loop& loop_;
  CurlMulti& multi_;
  const HttpRoute& route_;
  const HttpRequest& request_;
  std::size_t body_sent_ = 0;
  List headers_;
  List resolve_;
  std::string body_;
  std::vector<std::pair<std::string, std::string>> kept_headers_;
  std::size_t header_bytes_ = 0;
  bool head_ended_ = false;
  bool too_large_ = false;
  bool timed_out_ = false;
  State state_ = State::idle;
  CURLcode code_ = CURLE_OK;
  std::array<char, CURL_ERROR_SIZE> curl_error_{};
  Waiter waiter_;
};

inline auto CurlTransfer::run(Milliseconds timeout) noexcept {
  struct Awaiter {
    CurlTransfer& transfer;
    Milliseconds timeout;
    bool await_ready() const noexcept { return transfer.code_ != CURLE_OK; }
    bool await_suspend(std::coroutine_handle<> handle) {
      transfer.waiter_.handle = handle;
      if (!transfer.multi_.start(transfer)) {
        transfer.code_ = CURLE_FAILED_INIT;
        return false;
      }
      transfer.state_ = State::running;
      transfer.loop_.arm(transfer.waiter_, timeout);
      return true;
    }
    void await_resume() const noexcept {
      if (transfer.state_ != State::running) return;
      transfer.multi_.cancel(transfer);
      transfer.state_ = State::ended;
      transfer.timed_out_ = true;
    }
  };
  return Awaiter{*this, timeout};
}

}  // namespace oidc
