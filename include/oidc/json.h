// JSON from outside: parsed with limits, duplicate member names refused (RFC 8259 section 4 leaves
// them open, and two parsers that disagree are an attack).
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/result.h"

namespace oidc {

using Json = nlohmann::json;

struct JsonLimits {
  std::size_t max_bytes = 1024 * 1024;
  std::size_t max_depth = 16;
  std::size_t max_values = 20000;  // members and elements together
};

// Fails with Errc::malformed or Errc::too_large. Invalid UTF-8 is malformed; numbers that are not
// finite are malformed.
[[nodiscard]] Result<Json> parse_json(std::string_view text, const JsonLimits& limits = {});
// The same, and the value must be an object.
[[nodiscard]] Result<Json> parse_json_object(std::string_view text, const JsonLimits& limits = {});

// Members of an object: absent and of another type are both nullopt.
[[nodiscard]] std::optional<std::string> json_string(const Json& object, std::string_view name);
[[nodiscard]] std::optional<bool> json_bool(const Json& object, std::string_view name);
// A list of strings; a single string counts as a list of one. nullopt when absent or anything else.
[[nodiscard]] std::optional<std::vector<std::string>> json_strings(const Json& object,
                                                                   std::string_view name);

// A dotted path into nested objects; "\." is a dot inside a name, "\\" a backslash.
class ClaimPath {
 public:
  // Fails with Errc::malformed on an empty path, an empty name, or a stray backslash.
  [[nodiscard]] static Result<ClaimPath> parse(std::string_view text);
  // The value, or nullptr. A name that matches the whole rest of the path wins over nesting never:
  // each step is one member.
  [[nodiscard]] const Json* find(const Json& claims) const;
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
};

// A claim as text for a header or a variable: a string as it is, numbers and booleans in JSON's
// notation, an array of scalars joined by ',' (a ',' or '\' inside an element is escaped by '\'),
// anything else as compact JSON. null is the empty string.
[[nodiscard]] std::string claim_text(const Json& value);

}  // namespace oidc
