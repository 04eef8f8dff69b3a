#include "io/curl_transfer.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

namespace oidc {
namespace {

constexpr std::size_t kMaxHeaderBytes = 64 * 1024;  // of all header lines, interim answers included
constexpr long kMaxIdleSeconds = 60;
constexpr long kMaxConnectionSeconds = 300;  // a change of address is noticed after that
constexpr curl_off_t kMaxReservation = 64 * 1024;

bool breaks_a_line(std::string_view text) noexcept {
  constexpr std::string_view kBreaks("\r\n\0", 3);
  return text.find_first_of(kBreaks) != std::string_view::npos;
}

bool is_tls_failure(CURLcode code) noexcept {
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED:
      return true;
    default:
      return false;
  }
}

// libcurl's words may quote the peer's bytes.
std::string printable(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c < ' ' || c > '~') c = '?';
  }
  return result;
}

}  // namespace

void CurlTransfer::FreeList::operator()(curl_slist* list) const noexcept {
  for (curl_slist* entry = list; entry != nullptr; entry = entry->next) {
    OPENSSL_cleanse(entry->data, std::strlen(entry->data));
  }
  curl_slist_free_all(list);
}

struct CurlTransfer::Callbacks {
  static std::size_t body(char* bytes, std::size_t, std::size_t size, void* transfer) noexcept {
    return guard<std::size_t>(0, [=]() -> std::size_t {
      return static_cast<CurlTransfer*>(transfer)->keep_body({bytes, size}) ? size : 0;
    });
  }
  static std::size_t header(char* bytes, std::size_t, std::size_t size, void* transfer) noexcept {
    return static_cast<CurlTransfer*>(transfer)->keep_header({bytes, size}) ? size : 0;
  }
  static std::size_t read_body(char* into, std::size_t, std::size_t size, void* transfer) noexcept {
    auto& self = *static_cast<CurlTransfer*>(transfer);
    const std::string_view rest = self.request_.body.view().substr(self.body_sent_);
    const std::size_t count = std::min(size, rest.size());
    std::copy_n(rest.begin(), count, into);
    self.body_sent_ += count;
    return count;
  }
  static CURLcode tls_context(CURL*, void* context, void* options) noexcept {
    const auto& trust = static_cast<const HttpClientOptions*>(options)->trust;
    return !trust || trust->install(static_cast<SSL_CTX*>(context)) ? CURLE_OK
                                                                    : CURLE_OUT_OF_MEMORY;
  }
};

CurlTransfer::CurlTransfer(Loop& loop, CurlMulti& multi, const HttpClientOptions& options,
                           const HttpRoute& route, const HttpRequest& request,
                           const std::vector<Address>& addresses)
    : loop_(loop), multi_(multi), route_(route), request_(request) {
  set_connection(options, addresses);
  if (route.through_proxy) set_proxy();
  set_tls(options);
  set_request();
  set_headers();
}

CurlTransfer::~CurlTransfer() {
  if (state_ == State::running) multi_.cancel(*this);
  cleanse(body_);
}

// The first failure makes the transfer fail before it starts.
template <class Value>
void CurlTransfer::set(CURLoption option, Value value) noexcept {
  const CURLcode result = curl_easy_setopt(easy(), option, value);
  if (code_ == CURLE_OK) code_ = result;
}

void CurlTransfer::set_connection(const HttpClientOptions& options,
                                  const std::vector<Address>& addresses) {
  const Milliseconds connect = std::min(options.connect_timeout, options.timeout / 3);
  set(CURLOPT_ERRORBUFFER, curl_error_.data());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::max<long>(connect.count(), 1)));
  set(CURLOPT_MAXAGE_CONN, kMaxIdleSeconds);
  set(CURLOPT_MAXLIFETIME_CONN, kMaxConnectionSeconds);
  if (!options.keepalive) {
    set(CURLOPT_FRESH_CONNECT, 1L);
    set(CURLOPT_FORBID_REUSE, 1L);
  }
  const HttpRoute::Peer& peer = route_.peer();
  if (!Address::parse(peer.host, peer.port)) {
    resolve_.reset(curl_slist_append(nullptr, resolve_entry(peer, addresses).c_str()));
    if (!resolve_) throw std::bad_alloc();
    set(CURLOPT_RESOLVE, resolve_.get());
    // Longer than any transfer waits for its turn: an aged entry would make libcurl resolve.
    set(CURLOPT_DNS_CACHE_TIMEOUT, static_cast<long>(options.timeout.count() / 1000 + 60));
  }
  set(CURLOPT_PROXY, "");  // none, whatever the environment says
  set(CURLOPT_NOPROXY, "");
}

void CurlTransfer::set_proxy() {
  // With an http scheme, so that libcurl tunnels https and asks for http by absolute URLs.
  set(CURLOPT_PROXY, ("http://" + host_and_port(route_.proxy)).c_str());
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // the proxy's answer is no part of the server's
  if (route_.proxy_user.empty()) return;
  set(CURLOPT_PROXYAUTH, CURLAUTH_BASIC);
  std::string text(route_.proxy_user.view());
  set(CURLOPT_PROXYUSERNAME, text.c_str());
  cleanse(text);
  text = route_.proxy_password.view();
  set(CURLOPT_PROXYPASSWORD, text.c_str());
  cleanse(text);
}

void CurlTransfer::set_tls(const HttpClientOptions& options) {
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, options.ssl_verify ? 1L : 0L);
  set(CURLOPT_SSL_VERIFYHOST, options.ssl_verify ? 2L : 0L);
  // libcurl reads no file: the trust store is put into the context.
  set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
  set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  set(CURLOPT_SSL_CTX_FUNCTION, &Callbacks::tls_context);
  set(CURLOPT_SSL_CTX_DATA, &options);
}

void CurlTransfer::set_request() {
  set(CURLOPT_CURLU, route_.url.get());
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_USERAGENT, "ngx_openid_connect");
  if (request_.post) {
    // Read by a function and not to be rewound: libcurl cannot send it again on its own when a kept
    // connection dies. A code or a refresh token sent twice may be taken for a stolen one.
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    set(CURLOPT_READFUNCTION, &Callbacks::read_body);
    set(CURLOPT_READDATA, this);
  }
  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(request_.max_body));
  set(CURLOPT_WRITEFUNCTION, &Callbacks::body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Callbacks::header);
  set(CURLOPT_HEADERDATA, this);
}

// "Name:" without a value takes the header away that libcurl would send of its own accord.
void CurlTransfer::set_headers() {
  const auto add = [this](std::string_view name, std::string_view value) {
    if (breaks_a_line(name) || breaks_a_line(value)) {
      if (code_ == CURLE_OK) code_ = CURLE_BAD_FUNCTION_ARGUMENT;
      return;
    }
    std::string line(name);
    line += value.empty() ? ":" : ": ";
    line += value;
    curl_slist* list = curl_slist_append(headers_.get(), line.c_str());
    cleanse(line);
    if (list == nullptr) throw std::bad_alloc();
    static_cast<void>(headers_.release());
    headers_.reset(list);
  };
  add("Accept", request_.accept);
  add("Expect", "");
  if (request_.post) add("Content-Type", request_.content_type);
  if (!request_.authorization.empty()) add("Authorization", request_.authorization.view());
  for (const auto& [name, value] : request_.headers) add(name, value);
  set(CURLOPT_HTTPHEADER, headers_.get());
  // A proxy gets none of them.
  set(CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
}

// One line of the answer's head, of an interim answer's, or a trailer.
bool CurlTransfer::keep_header(std::string_view line) noexcept {
  header_bytes_ += line.size();
  too_large_ = header_bytes_ > kMaxHeaderBytes;
  if (line.starts_with("HTTP/")) {
    head_ended_ = false;
    kept_headers_.clear();
  }
  if (line == "\r\n" || line == "\n") head_ended_ = true;
  if (!head_ended_ && !request_.keep_headers.empty()) guard([&] { keep_wanted(line); });
  return !too_large_;
}

void CurlTransfer::keep_wanted(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto& wanted = request_.keep_headers;
  if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) return;
  constexpr std::string_view kBlanks = " \t\r\n";
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(kBlanks), value.size()));
  value = value.substr(0, value.find_last_not_of(kBlanks) + 1);
  kept_headers_.emplace_back(std::move(name), value);
}

bool CurlTransfer::keep_body(std::string_view bytes) {
  if (bytes.size() > request_.max_body - body_.size()) {
    too_large_ = true;
    return false;
  }
  if (body_.empty()) {
    curl_off_t announced = 0;
    curl_easy_getinfo(easy(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    body_.reserve(static_cast<std::size_t>(std::clamp<curl_off_t>(announced, 0, kMaxReservation)));
  }
  body_.append(bytes);
  return true;
}

void CurlTransfer::finished(CURLcode code) noexcept {
  state_ = State::ended;
  code_ = code;
  guard([this] { loop_.post(waiter_); });
}

Result<HttpResponse> CurlTransfer::result() {
  // libcurl takes a head that was cut for a whole one.
  if (timed_out_ || code_ != CURLE_OK || !head_ended_) return failure();
  long status = 0;
  curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &status);
  HttpResponse response;
  response.status = static_cast<int>(status);
  response.content_type = content_type();
  response.body = std::move(body_);
  response.headers = std::move(kept_headers_);
  return response;
}

std::string CurlTransfer::content_type() const {
  const char* value = nullptr;
  curl_easy_getinfo(easy(), CURLINFO_CONTENT_TYPE, &value);
  std::string_view text = value != nullptr ? value : "";
  text = text.substr(0, text.find(';'));
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Error CurlTransfer::failure() const {
  const std::string peer = host_and_port(route_.server);
  if (timed_out_) return {Errc::provider_timeout, peer + ": no complete answer in time"};
  if (too_large_ || code_ == CURLE_FILESIZE_EXCEEDED) {
    const char* what = header_bytes_ > kMaxHeaderBytes ? ": header of more than " : ": more than ";
    const std::size_t limit = header_bytes_ > kMaxHeaderBytes ? kMaxHeaderBytes : request_.max_body;
    return {Errc::provider_answer_too_large, peer + what + std::to_string(limit) + " bytes"};
  }
  const std::string_view text =
      curl_error_[0] != '\0' ? std::string_view(curl_error_.data()) : curl_easy_strerror(code_);
  const std::string detail = peer + ": " + printable(text);
  if (is_tls_failure(code_)) return {Errc::provider_tls, detail};
  if (code_ == CURLE_OPERATION_TIMEDOUT) return {Errc::provider_timeout, detail};
  const bool answer_began = header_bytes_ > 0;
  if (code_ == CURLE_OK || code_ == CURLE_PARTIAL_FILE ||
      (code_ == CURLE_RECV_ERROR && answer_began)) {
    return {Errc::provider_answer_truncated, detail};
  }
  if (code_ == CURLE_BAD_FUNCTION_ARGUMENT || code_ == CURLE_FAILED_INIT) {
    return {Errc::internal, detail};
  }
  return {Errc::provider_unreachable, detail};
}

}  // namespace oidc
