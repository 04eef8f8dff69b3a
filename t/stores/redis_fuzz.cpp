// What a server that says it is Redis, a cluster's node or a Sentinel may answer. The first byte
// says in what pieces the bytes come.
#include <string>

#include "../fuzz/require.h"
#include "io/redis_slots.h"

using oidc::RedisNode;
using oidc::RedisReply;
using oidc::fuzz::require;

namespace {

const RedisNode kAsked{"10.0.0.1", 7000};

void check_node(const RedisNode& node) {
  require(node.port != 0 && !node.host.empty(), "a node can be connected to");
  require(node.host.find_first_of("\r\n \"%") == std::string::npos, "and spoils no log");
}

void check_log(const std::string& detail) {
  require(detail.size() < 256, "a detail fits a log");
  for (const char c : detail) require(c >= ' ' && c <= '~', "and does not spoil it");
}

void check(const RedisReply& reply) {
  if (const auto ranges = oidc::redis_slot_ranges(reply, kAsked)) {
    for (const oidc::RedisSlotRange& range : *ranges) {
      require(range.first <= range.last && range.last < oidc::kRedisSlots, "a range of slots");
      check_node(range.master);
    }
  }
  if (const auto redirection = oidc::redis_redirection(reply.text, kAsked)) {
    require(redirection->slot < oidc::kRedisSlots, "a slot");
    check_node(redirection->node);
  }
  if (reply.kind == RedisReply::Kind::array && reply.elements.size() == 2) {
    const auto master = oidc::redis_node(reply.elements[0].text, reply.elements[1].text);
    if (master) check_node(*master);
  }
  static_cast<void>(oidc::redis_error_name(reply.text));
  check_log(oidc::redis_error_detail(reply.text));
  require(oidc::redis_slot(reply.text) < oidc::kRedisSlots, "a key has a slot");
  for (const RedisReply& element : reply.elements) check(element);
}

std::size_t read_all(std::string_view bytes, std::size_t piece, bool& broken) {
  oidc::RedisParser parser;
  std::size_t replies = 0;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    if (!parser.feed(bytes.substr(at, piece))) break;
    while (const auto reply = parser.next()) {
      ++replies;
      check(*reply);
    }
  }
  broken = parser.broken();
  if (broken) require(!parser.feed("+OK\r\n") && !parser.next(), "what is broken stays so");
  return replies;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes = oidc::fuzz::text_of(data, size).substr(1);
  bool broken_at_once = false;
  bool broken_in_pieces = false;
  const std::size_t at_once = read_all(bytes, bytes.size() + 1, broken_at_once);
  const std::size_t in_pieces = read_all(bytes, 1 + data[0] % 64, broken_in_pieces);
  require(at_once == in_pieces && broken_at_once == broken_in_pieces, "pieces do not matter");
  return 0;
}
