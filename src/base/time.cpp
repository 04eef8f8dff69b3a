#include "oidc/time.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace oidc {
namespace {

// The largest integer up to which a double, and so every JSON implementation, is exact.
constexpr Seconds kLargest = Seconds{1} << 53;

const nlohmann::json* member(const nlohmann::json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

std::optional<Seconds> numeric_date(const nlohmann::json& object, std::string_view name) {
  const nlohmann::json* value = member(object, name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  if (value->is_number_unsigned()) {
    const auto number = value->get<std::uint64_t>();
    return number < static_cast<std::uint64_t>(kLargest) ? static_cast<Seconds>(number) : kLargest;
  }
  if (value->is_number_integer()) {
    const auto number = value->get<std::int64_t>();
    if (number < 0) return std::nullopt;
    return number < kLargest ? number : kLargest;
  }
  const auto number = value->get<double>();
  if (!std::isfinite(number) || number < 0) return std::nullopt;
  return number < static_cast<double>(kLargest) ? static_cast<Seconds>(number) : kLargest;
}

bool has_member(const nlohmann::json& object, std::string_view name) {
  return member(object, name) != nullptr;
}

Seconds add_saturated(Seconds a, Seconds b) noexcept {
  Seconds sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a < 0 ? std::numeric_limits<Seconds>::min() : std::numeric_limits<Seconds>::max();
}

}  // namespace oidc
