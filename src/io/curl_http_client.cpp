#include "io/curl_http_client.h"

#include "io/curl_multi.h"
#include "io/curl_transfer.h"

namespace oidc {
namespace {

class CurlHttpClient final : public HttpClient {
 public:
  CurlHttpClient(NginxLoop& loop, HttpClientOptions options)
      : loop_(loop), options_(std::move(options)), dns_(loop, options_.names) {}

  Task<Result<HttpResponse>> send(HttpRequest request) override;

 private:
  [[nodiscard]] Milliseconds left_until(std::uint64_t deadline) const {
    const std::uint64_t now = loop_.monotonic_ms();
    return Milliseconds(deadline > now ? deadline - now : 1);
  }

  NginxLoop& loop_;
  HttpClientOptions options_;
  Dns dns_;
  CurlMulti multi_;
};

Task<Result<HttpResponse>> CurlHttpClient::send(HttpRequest request) {
  const std::uint64_t deadline =
      loop_.monotonic_ms() + static_cast<std::uint64_t>(options_.timeout.count());
  Result<HttpRoute> route = route_of(request.url, options_.proxies);
  if (!route) co_return route.error();
  const HttpRoute::Peer& peer = route->peer();

  Milliseconds left = left_until(deadline);
  auto addresses = co_await dns_.resolve(peer.host, peer.port, left);
  if (!addresses) co_return addresses.error();

  CurlTransfer transfer(loop_, multi_, options_, *route, request, *addresses);
  left = left_until(deadline);
  co_await transfer.run(left);
  co_return transfer.result();
}

}  // namespace

std::unique_ptr<HttpClient> make_http_client(NginxLoop& loop, HttpClientOptions options) {
  return std::make_unique<CurlHttpClient>(loop, std::move(options));
}

}  // namespace oidc
