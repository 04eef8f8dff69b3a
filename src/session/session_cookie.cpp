#include <algorithm>
#include <array>
#include <span>

#include "oidc/base64url.h"
#include "oidc/crypto.h"
#include "oidc/session.h"
#include "oidc/verified_cookies.h"

namespace oidc {
namespace {

constexpr unsigned char kVersion = 1;
constexpr std::string_view kPurpose = "session cookie";
constexpr std::size_t kTimeSize = 5;
constexpr std::size_t kMacSize = 16;
constexpr std::size_t kKeyIdAt = 1;
constexpr std::size_t kSidAt = kKeyIdAt + 4;
constexpr std::size_t kCreatedAt = kSidAt + kSidSize;
constexpr std::size_t kEndAt = kCreatedAt + kTimeSize;
constexpr std::size_t kMacAt = kEndAt + kTimeSize;
constexpr std::size_t kSize = kMacAt + kMacSize;

using Bytes = std::array<unsigned char, kSize>;

void put_time(unsigned char* out, Seconds time) noexcept {
  const auto value = static_cast<std::uint64_t>(time);
  for (std::size_t i = 0; i < kTimeSize; ++i) {
    out[i] = static_cast<unsigned char>(value >> (8 * (kTimeSize - 1 - i)));
  }
}

Seconds get_time(const unsigned char* bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kTimeSize; ++i) value = value << 8 | bytes[i];
  return static_cast<Seconds>(value);
}

std::string_view view_of(const Bytes& bytes, std::size_t at, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()) + at, size};
}

std::array<char, 4> length_prefix(std::size_t size) noexcept {
  return {static_cast<char>(size >> 24), static_cast<char>(size >> 16),
          static_cast<char>(size >> 8), static_cast<char>(size)};
}

Sha256 mac_of(const Bytes& bytes, const SessionKeys& keys, std::string_view cookie_name,
              std::string_view identity) {
  const std::array<std::string_view, 4> fields = {kPurpose, cookie_name, identity,
                                                  view_of(bytes, 0, kMacAt)};
  std::array<std::array<char, 4>, 4> lengths;
  std::array<std::string_view, 8> pieces;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    lengths[i] = length_prefix(fields[i].size());
    pieces[2 * i] = {lengths[i].data(), lengths[i].size()};
    pieces[2 * i + 1] = fields[i];
  }
  return keys.cookie_mac().sign(pieces);
}

}  // namespace

SessionCookie make_session_cookie(Seconds now, Seconds absolute_timeout) {
  SessionCookie cookie;
  random_bytes({reinterpret_cast<unsigned char*>(cookie.sid.data()), cookie.sid.size()});
  cookie.created = now;
  cookie.absolute_end = absolute_timeout == 0 ? 0 : add_saturated(now, absolute_timeout);
  return cookie;
}

std::string seal_session_cookie(const SessionCookie& cookie, const KeyRing& keys,
                                std::string_view cookie_name, std::string_view identity) {
  const SessionKeys& key = keys.sealing();
  Bytes bytes;
  bytes[0] = kVersion;
  std::copy(key.id().begin(), key.id().end(), bytes.begin() + kKeyIdAt);
  std::copy(cookie.sid.begin(), cookie.sid.end(), bytes.begin() + kSidAt);
  put_time(bytes.data() + kCreatedAt, cookie.created);
  put_time(bytes.data() + kEndAt, cookie.absolute_end);
  const Sha256 mac = mac_of(bytes, key, cookie_name, identity);
  std::copy_n(mac.begin(), kMacSize, bytes.begin() + kMacAt);
  return base64url_encode(view_of(bytes, 0, kSize));
}

namespace {

std::optional<SessionCookie> verified(std::string_view value, const KeyRing& keys,
                                      std::string_view cookie_name, std::string_view identity) {
  if (const SessionCookie* known = keys.verified().find(value, cookie_name, identity)) {
    return *known;
  }
  Bytes bytes;
  if (value.size() != (kSize * 4 + 2) / 3) return std::nullopt;
  if (base64url_decode_into(value, bytes) != static_cast<int>(kSize)) return std::nullopt;
  if (bytes[0] != kVersion) return std::nullopt;
  const SessionKeys* key = keys.find(view_of(bytes, kKeyIdAt, 4));
  if (key == nullptr) return std::nullopt;
  const Sha256 mac = mac_of(bytes, *key, cookie_name, identity);
  if (!constant_time_equal(as_view(mac).substr(0, kMacSize), view_of(bytes, kMacAt, kMacSize))) {
    return std::nullopt;
  }
  SessionCookie cookie;
  std::copy_n(bytes.begin() + kSidAt, kSidSize, cookie.sid.begin());
  cookie.created = get_time(bytes.data() + kCreatedAt);
  cookie.absolute_end = get_time(bytes.data() + kEndAt);
  keys.verified().keep(value, cookie_name, identity, cookie);
  return cookie;
}

}  // namespace

std::optional<SessionCookie> open_session_cookie(std::string_view value, const KeyRing& keys,
                                                 std::string_view cookie_name,
                                                 std::string_view identity, Seconds now) {
  std::optional<SessionCookie> cookie = verified(value, keys, cookie_name, identity);
  if (cookie && cookie->absolute_end != 0 && cookie->absolute_end <= now) return std::nullopt;
  return cookie;
}

StoreKey store_key(std::string_view sid) {
  std::string input = "store key";
  input.append(sid);
  const Sha256 hash = sha256(input);
  const std::string text = base64url_encode(as_view(hash));
  StoreKey key;
  std::copy_n(text.begin(), key.text.size(), key.text.begin());
  return key;
}

// Another hash than the store's key: a log line must not name a record in Redis.
std::string log_id(const StoreKey& key) {
  std::string input = "log";
  input.append(key.view());
  const Sha256 hash = sha256(input);
  return base64url_encode(as_view(hash).substr(0, 9));
}

}  // namespace oidc
