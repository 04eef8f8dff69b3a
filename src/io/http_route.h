// Where a request goes: the server of its URL, or the proxy in front of it. The URL is parsed by
// libcurl's own parser, and libcurl gets the parsed form, so that the name that is resolved here is
// the name that libcurl connects to.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "io/address.h"
#include "oidc/result.h"
#include "oidc/secret.h"

namespace oidc {

struct HttpProxies {
  std::string http_proxy;   // for http URLs: "http://[user:password@]host[:port]"; empty: none
  std::string https_proxy;  // for https URLs
  // Hosts that are asked directly: "*", an address, or a name, which covers its subdomains.
  std::vector<std::string> no_proxy;
};

struct HttpRoute {
  struct FreeUrl {
    void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
  };
  struct Peer {
    std::string host;  // an IPv6 literal without its brackets
    std::uint16_t port = 0;
  };

  std::unique_ptr<CURLU, FreeUrl> url;
  Peer server;
  bool through_proxy = false;
  Peer proxy;
  Secret proxy_user, proxy_password;

  [[nodiscard]] const Peer& peer() const noexcept { return through_proxy ? proxy : server; }
};

// Fails with invalid_configuration; the detail names neither credentials nor the query.
[[nodiscard]] Result<HttpRoute> route_of(const std::string& url, const HttpProxies& proxies);

// For `nginx -t`: whether route_of will understand the proxies.
[[nodiscard]] Result<void> check_proxy_url(const std::string& url);

// "host:port", an IPv6 literal in brackets.
[[nodiscard]] std::string host_and_port(const HttpRoute::Peer& peer);

// The value of CURLOPT_RESOLVE that makes libcurl connect to these addresses.
[[nodiscard]] std::string resolve_entry(const HttpRoute::Peer& peer,
                                        const std::vector<Address>& addresses);

}  // namespace oidc
