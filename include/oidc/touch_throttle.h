// When a session's idle deadline was last moved, in a table of fixed size: two sessions that share a
// place only cost a touch too many.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "oidc/io.h"
#include "oidc/time.h"

namespace oidc {

class TouchThrottle {
 public:
  // True, and remembered, when the last touch of `key` is `interval` seconds ago or unknown.
  [[nodiscard]] bool due(const StoreKey& key, Seconds now, Seconds interval) noexcept {
    std::uint64_t hash = 0;
    std::memcpy(&hash, key.text.data(), sizeof hash);
    Place& place = places_[(hash ^ hash >> 29) % places_.size()];
    if (place.hash == hash && now - place.at < interval) return false;
    place = {hash, now};
    return true;
  }

 private:
  struct Place {
    std::uint64_t hash = 0;
    Seconds at = 0;
  };
  std::array<Place, 16384> places_{};
};

}  // namespace oidc
