// The parts of a compact token, to take it to pieces and put it together again.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "oidc/base64url.h"

namespace oidc::test {

using Parts = std::vector<std::string>;

[[nodiscard]] inline Parts parts_of(std::string_view compact) {
  Parts parts(1);
  for (const char c : compact) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

[[nodiscard]] inline std::string joined(const Parts& parts) {
  std::string compact;
  for (const std::string& part : parts) compact.append(compact.empty() ? "" : ".").append(part);
  return compact;
}

}  // namespace oidc::test
