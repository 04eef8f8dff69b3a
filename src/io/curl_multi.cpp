#include "io/curl_multi.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/opensslv.h>

#include <cassert>
#include <new>
#include <string>

namespace oidc {
namespace {

constexpr unsigned kOldestLibcurl = 0x075800;  // 7.88.0: CURLOPT_PROTOCOLS_STR and fixes
// Of one provider, in one worker. Further transfers wait: a provider that hangs must not take all
// of the worker's connections.
constexpr long kMaxConnections = 64;
constexpr long kMaxIdleConnections = 8;

// Level-triggered: libcurl does not always read until EAGAIN. nginx logs a failure; the transfer
// then times out.
void set_active(ngx_event_t* event, ngx_int_t kind, bool active) noexcept {
  if (active == static_cast<bool>(event->active)) return;
  if (active) {
    ngx_add_event(event, kind, NGX_LEVEL_EVENT);
  } else {
    ngx_del_event(event, kind, 0);
  }
}

}  // namespace

Result<void> check_libcurl() {
  const curl_version_info_data* version = curl_version_info(CURLVERSION_NOW);
  if (version->version_num < kOldestLibcurl) {
    return {Errc::invalid_configuration,
            std::string("libcurl ") + version->version + " is too old, 7.88 is needed"};
  }
  const std::string tls = version->ssl_version != nullptr ? version->ssl_version : "no TLS";
  const std::string wanted = "OpenSSL/" + std::to_string(OPENSSL_VERSION_MAJOR) + ".";
  if (!tls.starts_with(wanted)) {
    return {Errc::invalid_configuration,
            "libcurl uses " + tls + ", but it must use " + wanted + "x as nginx does"};
  }
  return {};
}

Result<void> init_libcurl() {
  const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  ERR_clear_error();
  if (result != CURLE_OK) {
    return {Errc::internal, std::string("curl_global_init: ") + curl_easy_strerror(result)};
  }
  return {};
}

void cleanup_libcurl() noexcept {
  curl_global_cleanup();
}

// While libcurl runs. Forgets what it leaves in OpenSSL's error queue: nginx reports a stale error
// as a failure of its own next connection.
class CurlMulti::Entered {
 public:
  explicit Entered(CurlMulti& multi) noexcept : multi_(multi) {
    assert(!multi_.in_libcurl_);
    multi_.in_libcurl_ = true;
  }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;
  ~Entered() {
    multi_.in_libcurl_ = false;
    ERR_clear_error();
  }

 private:
  CurlMulti& multi_;
};

struct CurlMulti::Callbacks {
  static int interest(CURL*, curl_socket_t socket, int what, void* multi, void*) noexcept {
    guard([=] { static_cast<CurlMulti*>(multi)->set_interest(socket, what); });
    return 0;
  }
  static int timer(CURLM*, long delay, void* multi) noexcept {
    static_cast<CurlMulti*>(multi)->set_curl_timer(delay);
    return 0;
  }
  static void socket_ready(ngx_event_t* event) noexcept {
    auto* connection = static_cast<ngx_connection_t*>(event->data);
    const auto* watched = static_cast<Watched*>(connection->data);
    const int what = event->write ? CURL_CSELECT_OUT : CURL_CSELECT_IN;
    guard([=] { watched->multi.act(watched->socket, what); });
  }
  static void timer_fired(ngx_event_t* event) noexcept {
    guard([event] { EventOwner::of<CurlMulti>(event).act(CURL_SOCKET_TIMEOUT, 0); });
  }
};

CurlMulti::CurlMulti() : multi_(curl_multi_init()) {
  if (multi_ == nullptr) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Callbacks::interest);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Callbacks::timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, kMaxConnections);
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxIdleConnections);
  timer_.handler = &Callbacks::timer_fired;
  timer_.data = &owner_;
  timer_.log = ngx_cycle->log;
  timer_.cancelable = 1;  // whoever awaits a transfer has a timer that is not
}

CurlMulti::~CurlMulti() {
  while (!transfers_.empty()) {
    Transfer* transfer = *transfers_.begin();
    cancel(*transfer);
    transfer->abandoned();
  }
  {
    const Entered entered(*this);
    curl_multi_cleanup(multi_);  // closes the idle connections
  }
  forget_event(timer_);
  while (!watched_.empty()) unwatch(watched_.begin()->first);
}

CurlMulti::Transfer::Transfer() : easy_(curl_easy_init()) {
  if (!easy_) throw std::bad_alloc();
}

bool CurlMulti::start(Transfer& transfer) {
  CURL* easy = transfer.easy();
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  transfers_.insert(&transfer);
  const Entered entered(*this);
  if (curl_multi_add_handle(multi_, easy) == CURLM_OK) return true;
  transfers_.erase(&transfer);
  return false;
}

void CurlMulti::cancel(Transfer& transfer) noexcept {
  if (transfers_.erase(&transfer) == 0) return;
  const Entered entered(*this);
  curl_multi_remove_handle(multi_, transfer.easy());
}

void CurlMulti::set_interest(curl_socket_t socket, int what) {
  if (what == CURL_POLL_REMOVE) return unwatch(socket);
  ngx_connection_t* connection = watch(socket);
  if (connection == nullptr) return;  // logged by nginx; the transfer times out
  set_active(connection->read, NGX_READ_EVENT, what == CURL_POLL_IN || what == CURL_POLL_INOUT);
  set_active(connection->write, NGX_WRITE_EVENT, what == CURL_POLL_OUT || what == CURL_POLL_INOUT);
}

ngx_connection_t* CurlMulti::watch(curl_socket_t socket) {
  const auto [place, is_new] = watched_.try_emplace(socket, Watched{*this, socket, nullptr});
  Watched& watched = place->second;
  if (!is_new) return watched.connection;
  const int duplicate = fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (duplicate != -1) {
    watched.connection = ngx_get_connection(duplicate, ngx_cycle->log);
    if (watched.connection == nullptr) ngx_close_socket(duplicate);
  }
  ngx_connection_t* connection = watched.connection;
  if (connection == nullptr) {
    watched_.erase(place);
    return nullptr;
  }
  connection->data = &watched;
  connection->log = connection->read->log = connection->write->log = ngx_cycle->log;
  connection->read->handler = connection->write->handler = &Callbacks::socket_ready;
  connection->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
  connection->start_time = ngx_current_msec;
  return connection;
}

void CurlMulti::unwatch(curl_socket_t socket) noexcept {
  const auto found = watched_.find(socket);
  if (found == watched_.end()) return;
  ngx_connection_t* connection = found->second.connection;
  // Closing the duplicate is not enough: epoll drops a socket when its last descriptor is closed.
  set_active(connection->read, NGX_READ_EVENT, false);
  set_active(connection->write, NGX_WRITE_EVENT, false);
  ngx_close_connection(connection);
  watched_.erase(found);
}

void CurlMulti::set_curl_timer(long delay) noexcept {
  if (delay >= 0) {
    set_timer(timer_, static_cast<ngx_msec_t>(delay));
  } else if (timer_.timer_set) {
    ngx_del_timer(&timer_);
  }
}

void CurlMulti::act(curl_socket_t socket, int what) {
  {
    const Entered entered(*this);
    int running = 0;
    curl_multi_socket_action(multi_, socket, what, &running);
  }
  collect_finished();
}

void CurlMulti::collect_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode result = message->data.result;  // removing the handle ends the message's life
    char* data = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &data);
    auto* transfer = reinterpret_cast<Transfer*>(data);
    cancel(*transfer);
    transfer->finished(result);
  }
}

}  // namespace oidc
