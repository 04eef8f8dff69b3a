// HttpClient (include/oidc/io.h) over libcurl and nginx's events.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/dns.h"
#include "io/http_route.h"
#include "io/nginx_loop.h"
#include "io/tls_trust.h"
#include "oidc/io.h"

namespace oidc {

struct HttpClientOptions {
  Milliseconds timeout{10000};          // the whole call: name, connection, answer
  Milliseconds connect_timeout{10000};  // TCP and TLS; a third of `timeout` at most
  bool keepalive = true;
  bool ssl_verify = true;
  // Without it nothing is trusted: with ssl_verify every https call fails.
  std::shared_ptr<const TlsTrust> trust;
  HttpProxies proxies;  // checked by check_proxy_url()
  NameSource names;
};

// For one worker, between init_libcurl() and cleanup_libcurl(). Each client has connections of its
// own, since they were verified by its own trust. Tasks of send() may outlive the client only if
// they are never resumed nor destroyed (nginx drops requests so when it stops fast).
[[nodiscard]] std::unique_ptr<HttpClient> make_http_client(NginxLoop& loop,
                                                           HttpClientOptions options);

}  // namespace oidc
