// What replies of Redis mean to a store, and scripts: sent by their digest, with their text where a
// server does not know them yet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/redis.h"
#include "oidc/io.h"

namespace oidc {

struct RedisScript {
  explicit RedisScript(std::string_view its_text);
  std::string_view text;  // static
  std::string digest;     // SHA-1, how EVALSHA names it
};

// Runs the script on one key.
[[nodiscard]] Task<Result<RedisReply>> run_script(Redis& redis, const RedisScript& script,
                                                  std::string key,
                                                  std::vector<std::string> arguments);

// A time to live as Redis takes it: never 0, which is an error there.
[[nodiscard]] std::string redis_milliseconds(Milliseconds ttl);

// The name of an error reply, "READONLY" for instance; empty: it is no error. Views the reply.
[[nodiscard]] std::string_view redis_error_name(const Result<RedisReply>& reply);

// What is wrong with the reply; empty: nothing.
[[nodiscard]] std::string failure_of(const Result<RedisReply>& reply, RedisReply::Kind wanted);

[[nodiscard]] StoreWrite write_failed(const Result<RedisReply>& reply, std::string detail);
// A reply that counts: 1 = hit, 0 = miss.
[[nodiscard]] StoreWrite counted(const Result<RedisReply>& reply);

}  // namespace oidc
