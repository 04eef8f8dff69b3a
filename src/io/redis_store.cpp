#include "io/redis_store.h"

#include <utility>
#include <vector>

namespace oidc {

namespace {

// ARGV: the generation to replace, the new envelope, milliseconds to live at most. Finding its own
// result there counts as success: the reply of the first try may have been lost.
constexpr std::string_view kReplaceScript =
    "local g = redis.call('GETRANGE', KEYS[1], 0, 7)\n"
    "if g ~= ARGV[1] and g ~= string.sub(ARGV[2], 1, 8) then return 0 end\n"
    "local left = redis.call('PTTL', KEYS[1])\n"
    "if left < 1 or left > tonumber(ARGV[3]) then left = ARGV[3] end\n"
    "redis.call('SET', KEYS[1], ARGV[2], 'PX', left)\n"
    "return 1\n";

// ARGV: milliseconds to live, milliseconds at or below which a life is not touched.
constexpr std::string_view kTouchScript =
    "local left = redis.call('PTTL', KEYS[1])\n"
    "if left == -2 then return 0 end\n"
    "if left < 0 or left > tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end\n"
    "return 1\n";
static_assert(kGenerationSize == 8);

StoreWrite refused(std::string detail) {
  StoreWrite result;
  result.detail = std::move(detail);
  return result;
}

}  // namespace

RedisStore::RedisStore(RedisClient& client, std::string prefix)
    : client_(client),
      prefix_(std::move(prefix)),
      replace_script_(kReplaceScript),
      touch_script_(kTouchScript) {}

std::string RedisStore::name_of(const StoreKey& key) const {
  return std::string(prefix_).append(":").append(key.view());
}

Task<StoreRead> RedisStore::read(StoreKey key) {
  std::string command = redis_command({"GET", name_of(key)});
  Result<RedisReply> reply = co_await client_.run(std::move(command));
  StoreRead result;
  if (reply && reply->kind == RedisReply::Kind::nil) {
    result.status = StoreStatus::miss;
    co_return result;
  }
  result.detail = failure_of(reply, RedisReply::Kind::string);
  if (!result.detail.empty()) co_return result;
  if (reply->text.size() > kMaxEnvelope) {
    result.detail = "the record is longer than allowed";
    co_return result;
  }
  result.status = StoreStatus::hit;
  result.envelope = std::move(reply->text);
  co_return result;
}

Task<StoreWrite> RedisStore::insert(StoreKey key, std::string envelope, Milliseconds ttl) {
  if (envelope.size() > kMaxEnvelope) co_return refused("the record is longer than allowed");
  std::string command = redis_command({"SET", name_of(key), envelope, "PX", redis_milliseconds(ttl)});
  Result<RedisReply> reply = co_await client_.run(std::move(command));
  std::string failure = failure_of(reply, RedisReply::Kind::status);
  if (!failure.empty()) co_return write_failed(reply, std::move(failure));
  StoreWrite result;
  result.status = StoreStatus::hit;
  co_return result;
}

Task<StoreWrite> RedisStore::replace(StoreKey key, std::string expected_generation,
                                     std::string envelope, Milliseconds ttl) {
  if (expected_generation.size() != kGenerationSize) {
    co_return refused("the generation to replace has a wrong size");
  }
  if (envelope.size() > kMaxEnvelope) co_return refused("the record is longer than allowed");
  std::vector<std::string> arguments{std::move(expected_generation), std::move(envelope),
                                     redis_milliseconds(ttl)};
  Result<RedisReply> reply =
      co_await run_script(client_, replace_script_, name_of(key), std::move(arguments));
  co_return counted(reply);
}

Task<StoreWrite> RedisStore::touch(StoreKey key, Milliseconds ttl) {
  std::vector<std::string> arguments{redis_milliseconds(ttl), redis_milliseconds(grace_of(ttl))};
  Result<RedisReply> reply =
      co_await run_script(client_, touch_script_, name_of(key), std::move(arguments));
  co_return counted(reply);
}

Task<StoreWrite> RedisStore::erase(StoreKey key) {
  std::string command = redis_command({"UNLINK", name_of(key)});
  Result<RedisReply> reply = co_await client_.run(std::move(command));
  StoreWrite result = counted(reply);
  if (result.status == StoreStatus::miss) result.status = StoreStatus::hit;
  co_return result;
}

}  // namespace oidc
