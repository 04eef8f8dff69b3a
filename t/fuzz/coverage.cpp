#include "coverage.h"

#include <bit>
#include <cstdint>

namespace {

constexpr std::size_t kPlaces = 1U << 18;

// Static memory and no calls of the library: what is called here must not be traced itself.
bool recording = false;
std::uint8_t counts[kPlaces];
std::uint8_t most_ever[kPlaces];  // as powers of two
std::uint32_t touched[kPlaces];
std::size_t touched_size = 0;
std::size_t reached = 0;

}  // namespace

extern "C" __attribute__((no_sanitize_coverage)) void __sanitizer_cov_trace_pc() {
  if (!recording) return;
  const auto pc = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  const std::size_t place = (pc * 0x9e3779b97f4a7c15ULL) >> 46;
  if (counts[place] == 0) touched[touched_size++] = static_cast<std::uint32_t>(place);
  if (counts[place] < 255) ++counts[place];
}

namespace oidc::fuzz {

void begin_coverage() noexcept {
  touched_size = 0;
  recording = true;
}

bool end_coverage() noexcept {
  recording = false;
  bool found = false;
  for (std::size_t i = 0; i < touched_size; ++i) {
    const std::size_t place = touched[i];
    const auto width = static_cast<std::uint8_t>(std::bit_width(counts[place]));
    counts[place] = 0;
    if (width <= most_ever[place]) continue;
    if (most_ever[place] == 0) ++reached;
    most_ever[place] = width;
    found = true;
  }
  return found;
}

std::size_t blocks_reached() noexcept {
  return reached;
}

}  // namespace oidc::fuzz
