#include "io/redis_ledger.h"

#include <utility>
#include <vector>

namespace oidc {

namespace {

// ARGV: the value that may be erased.
constexpr std::string_view kEraseScript =
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\n"
    "return redis.call('DEL', KEYS[1])\n";

// ARGV: member, milliseconds to live. By Redis's own clock: gateways' clocks differ.
constexpr std::string_view kJoinScript =
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
    "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)\n"
    "redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])\n"
    "local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')\n"
    "redis.call('PEXPIRE', KEYS[1], math.max(last[2] - now, 1))\n"
    "return 1\n";

constexpr std::string_view kMembersScript =
    "local t = redis.call('TIME')\n"
    "local now = t[1] * 1000 + math.floor(t[2] / 1000)\n"
    "return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf', 'LIMIT', 0, 1000)\n";
static_assert(kMostMembers == 1000);

}  // namespace

RedisLedger::RedisLedger(Redis& redis, std::string prefix)
    : redis_(redis),
      prefix_(std::move(prefix)),
      erase_script_(kEraseScript),
      join_script_(kJoinScript),
      members_script_(kMembersScript) {}

std::string RedisLedger::key_of(const std::string& name) const { return prefix_ + ":" + name; }

Task<LedgerRead> RedisLedger::read(std::string name) {
  const std::string key = key_of(name);
  std::string command = redis_command({"GET", key});
  Result<RedisReply> reply = co_await redis_.run(key, std::move(command));
  LedgerRead result;
  if (reply && reply->kind == RedisReply::Kind::nil) {
    result.status = StoreStatus::miss;
    co_return result;
  }
  result.detail = failure_of(reply, RedisReply::Kind::string);
  if (!result.detail.empty()) co_return result;
  result.status = StoreStatus::hit;
  result.value = std::move(reply->text);
  co_return result;
}

Task<StoreWrite> RedisLedger::write(std::string name, std::string value, Milliseconds ttl) {
  const std::string key = key_of(name);
  std::string command = redis_command({"SET", key, value, "PX", redis_milliseconds(ttl)});
  Result<RedisReply> reply = co_await redis_.run(key, std::move(command));
  std::string failure = failure_of(reply, RedisReply::Kind::status);
  if (!failure.empty()) co_return write_failed(reply, std::move(failure));
  StoreWrite result;
  result.status = StoreStatus::hit;
  co_return result;
}

// Sent again after a broken connection it may find its own value: no harm to a tombstone, and a
// lock's owner looks whose it is.
Task<StoreWrite> RedisLedger::add(std::string name, std::string value, Milliseconds ttl) {
  const std::string key = key_of(name);
  std::string command =
      redis_command({"SET", key, value, "NX", "PX", redis_milliseconds(ttl)});
  Result<RedisReply> reply = co_await redis_.run(key, std::move(command));
  StoreWrite result;
  if (reply && reply->kind == RedisReply::Kind::nil) {
    result.status = StoreStatus::miss;
    co_return result;
  }
  std::string failure = failure_of(reply, RedisReply::Kind::status);
  if (!failure.empty()) co_return write_failed(reply, std::move(failure));
  result.status = StoreStatus::hit;
  co_return result;
}

Task<StoreWrite> RedisLedger::erase_if_equal(std::string name, std::string value) {
  std::vector<std::string> arguments{std::move(value)};
  Result<RedisReply> reply =
      co_await run_script(redis_, erase_script_, key_of(name), std::move(arguments));
  co_return counted(reply);
}

Task<StoreWrite> RedisLedger::join(std::string set, std::string member, Milliseconds ttl) {
  std::vector<std::string> arguments{std::move(member), redis_milliseconds(ttl)};
  Result<RedisReply> reply =
      co_await run_script(redis_, join_script_, key_of(set), std::move(arguments));
  co_return counted(reply);
}

Task<StoreWrite> RedisLedger::leave(std::string set, std::string member) {
  const std::string key = key_of(set);
  std::string command = redis_command({"ZREM", key, member});
  Result<RedisReply> reply = co_await redis_.run(key, std::move(command));
  co_return counted(reply);
}

Task<LedgerMembers> RedisLedger::members(std::string set) {
  std::vector<std::string> none;
  Result<RedisReply> reply =
      co_await run_script(redis_, members_script_, key_of(set), std::move(none));
  LedgerMembers result;
  result.detail = failure_of(reply, RedisReply::Kind::array);
  if (!result.detail.empty()) co_return result;
  result.status = StoreStatus::hit;
  for (RedisReply& member : reply->elements) result.members.push_back(std::move(member.text));
  co_return result;
}

}  // namespace oidc
