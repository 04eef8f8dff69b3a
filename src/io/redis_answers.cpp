#include "io/redis_answers.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <utility>

namespace oidc {

namespace {

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

std::string script_command(std::string_view verb, std::string_view script, std::string_view key,
                           const std::vector<std::string>& arguments) {
  std::vector<std::string_view> words{verb, script, "1", key};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return redis_command(words);
}

}  // namespace

RedisScript::RedisScript(std::string_view its_text) : text(its_text), digest(sha1_hex(its_text)) {}

Task<Result<RedisReply>> run_script(Redis& redis, const RedisScript& script,
                                    std::string key, std::vector<std::string> arguments) {
  std::string by_digest = script_command("EVALSHA", script.digest, key, arguments);
  Result<RedisReply> reply = co_await redis.run(key, std::move(by_digest));
  if (redis_error_name(reply) == "NOSCRIPT") {
    std::string by_text = script_command("EVAL", script.text, key, arguments);
    reply = co_await redis.run(key, std::move(by_text));
  }
  co_return reply;
}

std::string redis_milliseconds(Milliseconds ttl) {
  return std::to_string(std::max<Milliseconds::rep>(ttl.count(), 1));
}

std::string_view redis_error_name(const Result<RedisReply>& reply) {
  if (!reply || reply->kind != RedisReply::Kind::error) return {};
  return redis_error_name(reply->text);
}

std::string failure_of(const Result<RedisReply>& reply, RedisReply::Kind wanted) {
  if (!reply) return reply.error().detail;
  if (reply->kind == RedisReply::Kind::error) return redis_error_detail(reply->text);
  return reply->kind == wanted ? std::string() : "Redis answered with another type than expected";
}

StoreWrite write_failed(const Result<RedisReply>& reply, std::string detail) {
  StoreWrite result;
  result.full = redis_error_name(reply) == "OOM";
  result.detail = std::move(detail);
  return result;
}

StoreWrite counted(const Result<RedisReply>& reply) {
  std::string failure = failure_of(reply, RedisReply::Kind::integer);
  if (!failure.empty()) return write_failed(reply, std::move(failure));
  StoreWrite result;
  result.status = reply->integer > 0 ? StoreStatus::hit : StoreStatus::miss;
  return result;
}

}  // namespace oidc
