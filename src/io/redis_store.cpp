#include "io/redis_store.h"

#include <algorithm>
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
    "if left == -2 or (left >= 0 and left <= tonumber(ARGV[2])) then return 0 end\n"
    "redis.call('PEXPIRE', KEYS[1], ARGV[1])\n"
    "return 1\n";
static_assert(kGenerationSize == 8);

StoreWrite refused(std::string detail) {
  StoreWrite result;
  result.detail = std::move(detail);
  return result;
}

StoreRead envelope_in(const Result<RedisReply>& reply) {
  StoreRead result;
  if (reply && reply->kind == RedisReply::Kind::nil) {
    result.status = StoreStatus::miss;
    return result;
  }
  result.detail = failure_of(reply, RedisReply::Kind::string);
  if (!result.detail.empty()) return result;
  if (reply->text.size() > RedisStore::kMaxEnvelope) {
    result.detail = "the record is longer than allowed";
    return result;
  }
  result.status = StoreStatus::hit;
  result.envelope = reply->text;
  return result;
}

}  // namespace

// This worker's own change is seen at once: before the channel tells of it, and by reads under way.
class RedisStore::OwnWrite {
 public:
  OwnWrite(SessionCache* cache, const StoreKey& key) noexcept : cache_(cache), key_(key) {
    forget();
  }
  OwnWrite(const OwnWrite&) = delete;
  OwnWrite& operator=(const OwnWrite&) = delete;
  ~OwnWrite() { forget(); }

 private:
  void forget() noexcept {
    if (cache_ != nullptr) cache_->invalidate(key_);
  }
  SessionCache* cache_;
  const StoreKey key_;
};

RedisStore::RedisStore(Redis& redis, std::string prefix)
    : redis_(redis),
      prefix_(std::move(prefix)),
      replace_script_(kReplaceScript),
      touch_script_(kTouchScript) {}

void RedisStore::report_to(SessionCache& cache) {
  cache_ = &cache;
  redis_.watch(std::make_shared<RedisWatch>(RedisWatch{std::string(prefix_).append(":"), &cache}));
}

std::string RedisStore::name_of(const StoreKey& key) const {
  return std::string(prefix_).append(":").append(key.view());
}

Task<StoreRead> RedisStore::read(StoreKey key) {
  if (cache_ != nullptr) co_return co_await read_and_report(key);
  const std::string name = name_of(key);
  std::string command = redis_command({"GET", name});
  const Result<RedisReply> reply = co_await redis_.run(name, std::move(command));
  co_return envelope_in(reply);
}

Task<StoreRead> RedisStore::read_and_report(StoreKey key) {
  const SessionCache::Reading reading(*cache_, key, ngx_current_msec);
  const std::string name = name_of(key);
  redis_.want(name);
  std::string commands = redis_command({"GET", name});
  append_redis_command(commands, {"PTTL", name});
  const Result<RedisReply> both = co_await redis_.run(name, std::move(commands), 2);
  if (!both || both->kind == RedisReply::Kind::error) co_return envelope_in(both);
  const Result<RedisReply> value(both->elements[0]);
  StoreRead result = envelope_in(value);
  if (result.status == StoreStatus::miss) cache_->invalidate(key);
  if (result.status != StoreStatus::hit) co_return result;
  const RedisReply& left = both->elements[1];
  if (left.kind == RedisReply::Kind::integer && left.integer > 0) {
    const CacheMark mark{both->place, both->tracked};
    const std::string_view generation(result.envelope.data(),
                                      std::min(result.envelope.size(), kGenerationSize));
    cache_->confirm(reading, generation, mark, Milliseconds(left.integer));
  }
  co_return result;
}

Task<StoreWrite> RedisStore::insert(StoreKey key, std::string envelope, Milliseconds ttl) {
  if (envelope.size() > kMaxEnvelope) co_return refused("the record is longer than allowed");
  const OwnWrite own(cache_, key);
  const std::string name = name_of(key);
  std::string command = redis_command({"SET", name, envelope, "PX", redis_milliseconds(ttl)});
  Result<RedisReply> reply = co_await redis_.run(name, std::move(command));
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
  const OwnWrite own(cache_, key);
  std::vector<std::string> arguments{std::move(expected_generation), std::move(envelope),
                                     redis_milliseconds(ttl)};
  Result<RedisReply> reply =
      co_await run_script(redis_, replace_script_, name_of(key), std::move(arguments));
  co_return counted(reply);
}

Task<StoreWrite> RedisStore::touch(StoreKey key, Milliseconds ttl) {
  std::vector<std::string> arguments{redis_milliseconds(ttl), redis_milliseconds(grace_of(ttl))};
  Result<RedisReply> reply =
      co_await run_script(redis_, touch_script_, name_of(key), std::move(arguments));
  const StoreWrite result = counted(reply);
  if (cache_ != nullptr && result.status == StoreStatus::miss) cache_->invalidate(key);
  co_return result;
}

Task<StoreWrite> RedisStore::erase(StoreKey key) {
  const OwnWrite own(cache_, key);
  const std::string name = name_of(key);
  std::string command = redis_command({"UNLINK", name});
  Result<RedisReply> reply = co_await redis_.run(name, std::move(command));
  StoreWrite result = counted(reply);
  if (result.status == StoreStatus::miss) result.status = StoreStatus::hit;
  co_return result;
}

}  // namespace oidc
