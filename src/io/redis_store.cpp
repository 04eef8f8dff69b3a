#include "io/redis_store.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

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

std::string sha1_hex(std::string_view text) {
  std::array<unsigned char, 20> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::string milliseconds(Milliseconds ttl) {
  return std::to_string(std::max<Milliseconds::rep>(ttl.count(), 1));
}

bool is_error(const Result<RedisReply>& reply, std::string_view name) {
  return reply && reply->kind == RedisReply::Kind::error && reply->text.starts_with(name);
}

// What is wrong with the reply; empty: nothing.
std::string failure_of(const Result<RedisReply>& reply, RedisReply::Kind wanted) {
  if (!reply) return reply.error().detail;
  if (reply->kind == RedisReply::Kind::error) return redis_error_detail(reply->text);
  return reply->kind == wanted ? std::string() : "Redis answered with another type than expected";
}

StoreWrite write_failed(const Result<RedisReply>& reply, std::string detail) {
  StoreWrite result;
  result.full = is_error(reply, "OOM ");
  result.detail = std::move(detail);
  return result;
}

// A reply that counts: 1 = done, 0 = nothing matched.
StoreWrite counted(const Result<RedisReply>& reply) {
  std::string failure = failure_of(reply, RedisReply::Kind::integer);
  if (!failure.empty()) return write_failed(reply, std::move(failure));
  StoreWrite result;
  result.status = reply->integer > 0 ? StoreStatus::hit : StoreStatus::miss;
  return result;
}

StoreWrite refused(std::string detail) {
  StoreWrite result;
  result.detail = std::move(detail);
  return result;
}

}  // namespace

RedisStore::RedisStore(RedisClient& client, std::string prefix)
    : client_(client),
      prefix_(prefix.empty() ? "session" : std::move(prefix)),
      replace_digest_(sha1_hex(kReplaceScript)),
      touch_digest_(sha1_hex(kTouchScript)) {}

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
  std::string command = redis_command({"SET", name_of(key), envelope, "PX", milliseconds(ttl)});
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
  const std::string name = name_of(key);
  const std::string life = milliseconds(ttl);
  std::string by_digest =
      redis_command({"EVALSHA", replace_digest_, "1", name, expected_generation, envelope, life});
  Result<RedisReply> reply = co_await client_.run(std::move(by_digest));
  if (is_error(reply, "NOSCRIPT")) {
    std::string by_text =
        redis_command({"EVAL", kReplaceScript, "1", name, expected_generation, envelope, life});
    reply = co_await client_.run(std::move(by_text));
  }
  co_return counted(reply);
}

Task<StoreWrite> RedisStore::touch(StoreKey key, Milliseconds ttl) {
  const std::string name = name_of(key);
  const std::string life = milliseconds(ttl);
  const std::string grace = milliseconds(grace_of(ttl));
  std::string by_digest = redis_command({"EVALSHA", touch_digest_, "1", name, life, grace});
  Result<RedisReply> reply = co_await client_.run(std::move(by_digest));
  if (is_error(reply, "NOSCRIPT")) {
    std::string by_text = redis_command({"EVAL", kTouchScript, "1", name, life, grace});
    reply = co_await client_.run(std::move(by_text));
  }
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
