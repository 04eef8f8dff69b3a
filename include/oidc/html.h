#pragma once

#include <string>
#include <string_view>

namespace oidc {

// Escapes & < > " ' for HTML text and quoted attribute values.
[[nodiscard]] std::string html_escape(std::string_view text);

}  // namespace oidc
