// How to reach one Redis: a server, the master that Sentinels name, or a cluster. Made at
// configuration, immutable, shared by what uses it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/dns.h"
#include "io/redis_node.h"
#include "io/redis_tls.h"
#include "oidc/loop.h"
#include "oidc/secret.h"

namespace oidc {

struct RedisOptions {
  RedisNode node{"127.0.0.1", 6379};
  std::string socket;  // path of a unix socket; not empty: in place of the node
  unsigned database = 0;
  std::string username;                    // empty: the default user
  std::shared_ptr<const Secret> password;  // null or empty: no AUTH
  std::shared_ptr<RedisTls> tls;           // null: plain
  std::string server_name;                 // for TLS; empty: the node's host
  Milliseconds connect_timeout{2000};  // name, TCP, TLS, AUTH; also the patience while disconnected
  Milliseconds send_timeout{2000};
  Milliseconds read_timeout{2000};
  std::size_t connections = 2;  // of each worker, at most
  NameSource names;

  std::vector<RedisNode> cluster_nodes;  // not empty: a cluster, which these know
  unsigned cluster_max_redirections = 5;

  std::vector<RedisNode> sentinel_nodes;  // not empty: they know where the master is
  std::string sentinel_master;
  std::string sentinel_username;
  std::shared_ptr<const Secret> sentinel_password;

  // Of a single server.
  std::string_view title = "Redis";  // what it is, for logs
  bool master_only = false;          // a server that is not a master (ROLE) is not used

  // For logs: "127.0.0.1:6379" or "unix:/run/redis.sock".
  [[nodiscard]] std::string peer() const { return socket.empty() ? node.text() : "unix:" + socket; }
};

}  // namespace oidc
