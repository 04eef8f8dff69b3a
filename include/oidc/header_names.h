// Names of request headers that an upstream may take for one another: "X-User", "x_user" and
// "X.User" are one variable to a CGI-like upstream. All characters but letters and digits count as
// equal, that is, as nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oidc {

// Letters in lower case and digits; the rest is left out.
[[nodiscard]] std::string normalised_header_name(std::string_view name);

// A few names, looked up for every header of every request: no allocation, and the length of the
// normalised name decides most look-ups.
class HeaderNameSet {
 public:
  void add(std::string_view name);
  [[nodiscard]] bool contains(std::string_view name) const noexcept;
  [[nodiscard]] bool empty() const noexcept { return names_.empty(); }
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

 private:
  std::vector<std::string> names_;  // normalised, each once
  std::uint64_t lengths_ = 0;       // bit n: there is a name of n characters; bit 63: of 63 or more
};

}  // namespace oidc
