// How the values of claims compare with the words of rules. What has another type is never equal, and
// nothing compares by a part of it: "admin" is not in "administrator".
#pragma once

#include <string_view>

#include "oidc/json.h"
#include "oidc/rules.h"

namespace oidc {

// A claim of words: a string of them separated by spaces, a whole number, or an array of strings and
// whole numbers, each of them one word with whatever spaces it holds.
[[nodiscard]] bool has_word(const Json& claim, std::string_view word);

// Whether the rule holds for this value, which is not null.
[[nodiscard]] bool holds(const ClaimRule& rule, const Json& claim);

}  // namespace oidc
