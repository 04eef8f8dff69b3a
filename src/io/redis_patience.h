// Pauses between tries of one command: they double, and a random half of each keeps workers apart.
// They end some time after the first failure.
#pragma once

#include <algorithm>

#include "io/nginx.h"
#include "oidc/loop.h"

namespace oidc {

class RedisPatience {
 public:
  explicit RedisPatience(Milliseconds patience) noexcept : patience_(patience) {}

  // After a failure.
  [[nodiscard]] bool over(std::uint64_t now) noexcept {
    if (end_ == 0) end_ = now + static_cast<std::uint64_t>(patience_.count());
    return now >= end_;
  }
  // Not after the end.
  [[nodiscard]] Milliseconds next_pause(std::uint64_t now) noexcept {
    const Milliseconds left(static_cast<Milliseconds::rep>(end_ - now));
    const auto jitter = static_cast<Milliseconds::rep>(ngx_random()) % (pause_.count() / 2 + 1);
    const Milliseconds pause(pause_.count() / 2 + jitter);
    pause_ = std::min(pause_ * 2, kLongest);
    return std::min(pause, left);
  }

 private:
  static constexpr Milliseconds kFirst{20}, kLongest{250};
  Milliseconds patience_;
  Milliseconds pause_ = kFirst;
  std::uint64_t end_ = 0;  // 0: nothing failed yet
};

}  // namespace oidc
