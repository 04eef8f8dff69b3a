// Session cookies whose MAC was verified, by their text: the second request of a browser costs neither
// the MAC nor the decoding. A MAC over the same bytes under the same key can only say the same again;
// what the cookie stands for, and whether that still lives, is asked each time.
//
// Of one key ring in one worker, and of fixed size: a cookie drives out another one at most. Nothing
// that does not verify gets in.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/session.h"

namespace oidc {

class VerifiedCookies {
 public:
  static constexpr std::size_t kPlaces = 4096;  // of about 320 bytes, once there is a first cookie

  VerifiedCookies();
  VerifiedCookies(const VerifiedCookies&) = delete;
  VerifiedCookies& operator=(const VerifiedCookies&) = delete;
  ~VerifiedCookies() = default;

  // nullptr: verify it. Found by a keyed hash, compared in constant time.
  [[nodiscard]] const SessionCookie* find(std::string_view value, std::string_view name,
                                          std::string_view identity) const noexcept;
  // `value` was verified under this name for this identity.
  void keep(std::string_view value, std::string_view name, std::string_view identity,
            const SessionCookie& cookie);

 private:
  struct Place {
    std::string value, name, identity;  // empty: nobody's
    SessionCookie cookie;
  };

  [[nodiscard]] std::size_t place_of(std::string_view value) const noexcept;

  std::array<std::uint64_t, 2> seed_{};
  std::vector<Place> places_;
};

}  // namespace oidc
