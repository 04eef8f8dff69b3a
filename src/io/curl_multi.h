// One libcurl multi handle, driven by nginx's events. libcurl runs from event handlers only, never
// from the code that starts or awaits a transfer, and no coroutine is resumed from inside it.
//
// libcurl owns its sockets. While it wants to hear of one, nginx watches a duplicate of it as a
// connection: libcurl 7.88 closes a socket whose connection was not established without telling
// anyone (neither CURLOPT_CLOSESOCKETFUNCTION nor, before closing, the socket callback), and an
// event that is deleted after that is an error of epoll.
//
// Connections are reused by libcurl for all transfers of one CurlMulti without regard to the trust
// store that verified them: transfers of different trust must not share one.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <unordered_map>
#include <unordered_set>

#include "io/nginx.h"
#include "oidc/result.h"

namespace oidc {

// The libcurl at hand must use nginx's OpenSSL (a TlsTrust is installed into its SSL_CTX) and be
// recent enough. Fails with invalid_configuration. For the master, at configuration.
[[nodiscard]] Result<void> check_libcurl();

// Around all use of libcurl, in init_process and exit_process.
[[nodiscard]] Result<void> init_libcurl();
void cleanup_libcurl() noexcept;

class CurlMulti {
 public:
  // A transfer, from start() until finished() or cancel().
  class Transfer {
   public:
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

   protected:
    Transfer();
    ~Transfer() = default;
    [[nodiscard]] CURL* easy() const noexcept { return easy_.get(); }

   private:
    friend class CurlMulti;
    struct Free {
      void operator()(CURL* easy) const noexcept { curl_easy_cleanup(easy); }
    };
    // The transfer has left the multi handle. Records and posts; libcurl may be used again.
    virtual void finished(CURLcode result) noexcept = 0;
    // The multi handle goes away under a transfer that nobody will end.
    virtual void abandoned() noexcept = 0;
    std::unique_ptr<CURL, Free> easy_;
  };

  CurlMulti();
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;
  CurlMulti& operator=(const CurlMulti&) = delete;

  // Queues it; nothing is sent before the next event. False: out of memory.
  [[nodiscard]] bool start(Transfer& transfer);
  void cancel(Transfer& transfer) noexcept;

 private:
  struct Callbacks;
  class Entered;

  struct Watched {
    CurlMulti& multi;
    curl_socket_t socket;
    ngx_connection_t* connection;  // of the duplicate
  };

  void set_interest(curl_socket_t socket, int what);
  [[nodiscard]] ngx_connection_t* watch(curl_socket_t socket);
  void unwatch(curl_socket_t socket) noexcept;
  void set_curl_timer(long delay) noexcept;
  void act(curl_socket_t socket, int what);
  void collect_finished();

  CURLM* multi_;
  EventOwner owner_{this};
  ngx_event_t timer_{};
  std::unordered_map<curl_socket_t, Watched> watched_;
  std::unordered_set<Transfer*> transfers_;
  bool in_libcurl_ = false;
};

}  // namespace oidc
