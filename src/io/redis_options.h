// How to reach one Redis. Made at configuration, immutable, shared by what uses it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "io/dns.h"
#include "io/redis_tls.h"
#include "oidc/loop.h"
#include "oidc/secret.h"

namespace oidc {

struct RedisOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string socket;  // path of a unix socket; not empty: in place of host and port
  unsigned database = 0;
  std::string username;                // empty: the default user
  Secret password;                     // empty: no AUTH
  std::shared_ptr<RedisTls> tls;       // null: plain
  std::string server_name;             // for TLS; empty: the host
  Milliseconds connect_timeout{2000};  // name, TCP, TLS, AUTH; also the patience while disconnected
  Milliseconds send_timeout{2000};
  Milliseconds read_timeout{2000};
  std::size_t connections = 2;  // of each worker, at most
  NameSource names;

  // For logs: "127.0.0.1:6379" or "unix:/run/redis.sock".
  [[nodiscard]] std::string peer() const {
    if (!socket.empty()) return "unix:" + socket;
    const bool ipv6 = host.find(':') != std::string::npos;
    return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  }
};

}  // namespace oidc
