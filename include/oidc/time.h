// Times: seconds since 1970 in 64 bits, and JSON's NumericDate (RFC 7519 section 2).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>

namespace oidc {

using Seconds = std::int64_t;  // a point in time or a length, by context

// The named member as NumericDate: a finite JSON number, saturated to [0, 2^53]; negative numbers,
// other types and absence are nullopt (has_member tells absence apart). Fractions are cut.
[[nodiscard]] std::optional<Seconds> numeric_date(const nlohmann::json& object,
                                                  std::string_view name);
[[nodiscard]] bool has_member(const nlohmann::json& object, std::string_view name);

// a + b without overflow; saturates.
[[nodiscard]] Seconds add_saturated(Seconds a, Seconds b) noexcept;

}  // namespace oidc
