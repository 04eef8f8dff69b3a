#include "io/redis_slots.h"

#include <array>
#include <charconv>
#include <utility>

namespace oidc {

namespace {

// CRC-16/XMODEM: polynomial 0x1021, from 0, nothing reflected.
constexpr std::array<std::uint16_t, 256> kCrcTable = [] {
  std::array<std::uint16_t, 256> table{};
  for (unsigned i = 0; i < table.size(); ++i) {
    unsigned crc = i << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000U) != 0 ? crc << 1 ^ 0x1021U : crc << 1;
    table[i] = static_cast<std::uint16_t>(crc);
  }
  return table;
}();

std::string_view hashed_part(std::string_view key) noexcept {
  const std::size_t open = key.find('{');
  if (open == std::string_view::npos) return key;
  const std::size_t close = key.find('}', open + 1);
  if (close == std::string_view::npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

template <class Number>
std::optional<Number> number_of(std::string_view text) noexcept {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return number;
}

std::optional<std::uint16_t> slot_of(const RedisReply& reply) noexcept {
  if (reply.kind != RedisReply::Kind::integer || reply.integer < 0 ||
      reply.integer >= static_cast<std::int64_t>(kRedisSlots)) {
    return std::nullopt;
  }
  return static_cast<std::uint16_t>(reply.integer);
}

}  // namespace

std::uint16_t redis_slot(std::string_view key) noexcept {
  unsigned crc = 0;
  for (const char c : hashed_part(key)) {
    crc = (crc << 8 & 0xffffU) ^ kCrcTable[(crc >> 8 ^ static_cast<unsigned char>(c)) & 0xffU];
  }
  return static_cast<std::uint16_t>(crc % kRedisSlots);
}

// Some 16384 tries, a fraction of a millisecond.
std::string redis_tag_of(std::uint16_t slot) {
  std::uint32_t number = 0;
  std::string tag;
  do {
    tag = std::to_string(number++);
  } while (redis_slot(tag) != slot);
  return tag;
}

std::optional<std::vector<RedisSlotRange>> redis_slot_ranges(const RedisReply& reply,
                                                             const RedisNode& answered) {
  using Kind = RedisReply::Kind;
  if (reply.kind != Kind::array) return std::nullopt;
  std::vector<RedisSlotRange> ranges;
  for (const RedisReply& range : reply.elements) {
    if (range.kind != Kind::array || range.elements.size() < 3) return std::nullopt;
    const std::optional<std::uint16_t> first = slot_of(range.elements[0]);
    const std::optional<std::uint16_t> last = slot_of(range.elements[1]);
    const RedisReply& master = range.elements[2];
    if (!first || !last || *first > *last) return std::nullopt;
    if (master.kind != Kind::array || master.elements.size() < 2) return std::nullopt;
    const RedisReply& host = master.elements[0];
    const RedisReply& port = master.elements[1];
    if (port.kind != Kind::integer || port.integer < 0 || port.integer > 65535) {
      return std::nullopt;
    }
    if (!is_redis_host(host.text) || port.integer == 0) continue;
    ranges.push_back({*first, *last,
                      {host.text.empty() ? answered.host : host.text,
                       static_cast<std::uint16_t>(port.integer)}});
  }
  return ranges;
}

std::optional<RedisRedirection> redis_redirection(std::string_view error,
                                                  const RedisNode& answered) {
  const std::size_t before_slot = error.find(' ');
  const std::size_t before_node = error.find(' ', before_slot + 1);
  if (before_slot == std::string_view::npos || before_node == std::string_view::npos) {
    return std::nullopt;
  }
  const auto slot =
      number_of<std::uint16_t>(error.substr(before_slot + 1, before_node - before_slot - 1));
  const std::string_view node = error.substr(before_node + 1);
  const std::size_t colon = node.rfind(':');  // addresses of IPv6 come without brackets
  if (!slot || *slot >= kRedisSlots || colon == std::string_view::npos) return std::nullopt;
  const std::string_view host = node.substr(0, colon);
  auto place = redis_node(host.empty() ? answered.host : host, node.substr(colon + 1));
  if (!place) return std::nullopt;
  return RedisRedirection{*slot, std::move(*place)};
}

}  // namespace oidc
