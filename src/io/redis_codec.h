// The Redis protocol (RESP2): commands as length-counted arrays, replies parsed by hiredis.
#pragma once

#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct redisReader;

namespace oidc {

struct RedisReply {
  enum class Kind : std::uint8_t { nil, string, status, integer, array, error };
  Kind kind = Kind::nil;
  std::string text;  // of string, status, error
  std::int64_t integer = 0;
  std::vector<RedisReply> elements;
  std::uint64_t tracked = 0;  // what watches the keys that were read: RedisConnection::tracked()
  std::uint64_t place = 0;    // of the key among several servers, and since when: Redis::valid()
};

// Appends the command. Binary safe.
void append_redis_command(std::string& out, std::span<const std::string_view> words);
void append_redis_command(std::string& out, std::initializer_list<std::string_view> words);
[[nodiscard]] std::string redis_command(std::span<const std::string_view> words);
[[nodiscard]] std::string redis_command(std::initializer_list<std::string_view> words);

// ASKING before each of the commands: it holds for one.
[[nodiscard]] std::string redis_asking(std::string_view commands);

// The name of an error, "READONLY" for instance. One that a script ran into has that name too.
[[nodiscard]] std::string_view redis_error_name(std::string_view error);

// The sentence for the log that belongs to an error reply. Holds no key and no value.
[[nodiscard]] std::string redis_error_detail(std::string_view error);

class RedisParser {
 public:
  RedisParser();

  // False: this is not the protocol, or it is more than anybody asked for; then no more replies.
  [[nodiscard]] bool feed(std::string_view bytes);
  // The next whole reply. Check broken() when there is none.
  [[nodiscard]] std::optional<RedisReply> next();
  [[nodiscard]] bool broken() const noexcept { return broken_; }

 private:
  struct Free {
    void operator()(redisReader* reader) const noexcept;
  };
  std::unique_ptr<redisReader, Free> reader_;
  bool broken_ = false;
};

}  // namespace oidc
