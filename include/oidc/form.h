// application/x-www-form-urlencoded: request bodies, query strings, token requests
// (RFC 6749 appendix B).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/result.h"

namespace oidc {

struct FormField {
  std::string name;
  std::string value;
};

class Form {
 public:
  // Refuses a broken percent-encoding, NUL bytes in names and values, and more than `max_fields`
  // fields (Errc::malformed, Errc::too_large). Empty pieces between '&' are passed over.
  [[nodiscard]] static Result<Form> parse(std::string_view text, std::size_t max_fields = 64);

  // The value, if the field is there exactly once or more often (then the first).
  [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
  [[nodiscard]] const std::vector<FormField>& fields() const { return fields_; }

  void add(std::string_view name, std::string_view value);
  [[nodiscard]] std::string encode() const;  // in the order of add()
  void wipe() noexcept;                      // cleanses all values

 private:
  std::vector<FormField> fields_;
};

// Form-encodes one value: space becomes '+', unreserved characters stay.
[[nodiscard]] std::string form_encode(std::string_view text);

}  // namespace oidc
