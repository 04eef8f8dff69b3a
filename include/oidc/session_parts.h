// A session that lives in cookies: its sealed record, cut into NAME_1, NAME_2, ... beside the
// session's own cookie, which names the sid.
//
// A part is base64url of its head - version 1, flags 1, parts 1, time 6, generation 8, index 1: 18
// bytes, 24 characters - and after it a slice of base64url of the sealed record: key id 4, AES-256-GCM
// under a key of secret and sid. Additional data: purpose, the cookie's name, identity, and the head
// but its index. So parts of two versions, of another name or in another number never open.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/cookie.h"
#include "oidc/key_ring.h"
#include "oidc/result.h"
#include "oidc/session.h"

namespace oidc {

inline constexpr std::size_t kMostParts = 8;
// Of one cookie with name and attributes: what every browser keeps.
inline constexpr std::size_t kPartSize = 4096;
// From this size on a record is deflated.
inline constexpr std::size_t kDeflateFrom = 1024;
inline constexpr std::size_t kPartHeadSize = 18;
inline constexpr std::size_t kPartHeadText = kPartHeadSize * 4 / 3;

// 1 to kMostParts; 0: `name` is no part of a session in cookies of the name `base`.
[[nodiscard]] std::size_t part_index(std::string_view name, std::string_view base) noexcept;
// The cookie in which the part of this index (from 1 on) lives.
[[nodiscard]] CookieAttributes part_attributes(const CookieAttributes& base, std::size_t index);

struct SealedParts {
  std::vector<std::string> values;  // at most kMostParts; empty: it is too large
  std::size_t size = 0;             // of all parts in a Cookie header
};
// `issued`: the idle time counts from here. `limit`: for size.
[[nodiscard]] SealedParts seal_parts(const OpenSession& session, const KeyRing& keys,
                                     const CookieAttributes& base, std::string_view identity,
                                     Seconds issued, std::size_t limit);

// All parts of one version, as they came.
struct PartSet {
  std::array<unsigned char, kPartHeadSize - 1> head{};  // without the index
  std::array<std::string_view, kMostParts> values;      // whole, with their heads
  std::size_t count = 0;

  [[nodiscard]] Seconds issued() const noexcept;
  [[nodiscard]] std::string_view generation() const noexcept;
};

// The parts among the cookies of a request. Views into the headers; no allocation.
class PartsFinder {
 public:
  explicit PartsFinder(std::string_view base) noexcept : base_(base) {}
  void look_at(std::string_view cookie_header) noexcept;

  // The complete sets, that which was issued last first: ask with 0, 1, 2, ... A set with two values
  // for one part is none.
  [[nodiscard]] std::optional<PartSet> set(std::size_t nth) const noexcept;
  // Whether a cookie of this index came, whatever is in it.
  [[nodiscard]] bool saw(std::size_t index) const noexcept { return (seen_ >> index & 1U) != 0; }
  [[nodiscard]] bool saw_any() const noexcept { return seen_ != 0; }

 private:
  struct Part {
    std::array<unsigned char, kPartHeadSize> head{};
    std::string_view value;
  };
  static constexpr std::size_t kMostSeen = 32;

  [[nodiscard]] std::optional<PartSet> complete(std::size_t first) const noexcept;

  std::string_view base_;
  std::array<Part, kMostSeen> parts_;
  std::size_t count_ = 0;
  unsigned seen_ = 0;
};

// Errc::session_record_invalid when it does not open.
[[nodiscard]] Result<std::shared_ptr<const OpenSession>> open_parts(const PartSet& set,
                                                                    const SessionCookie& cookie,
                                                                    const KeyRing& keys,
                                                                    std::string_view name,
                                                                    std::string_view identity);

}  // namespace oidc
