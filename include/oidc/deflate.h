// Raw deflate for small texts that we sealed ourselves. Never applied to a client's own input.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "oidc/result.h"

namespace oidc {

[[nodiscard]] std::string deflate_text(std::string_view text);
// Fails with Errc::malformed, or Errc::too_large beyond `max_bytes`.
[[nodiscard]] Result<std::string> inflate_text(std::string_view bytes, std::size_t max_bytes);

}  // namespace oidc
