#include "rule_values.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace oidc {
namespace {

using Operator = ClaimRule::Operator;

// Of a JSON string that is there already: no copy.
std::string_view text_of(const Json& string) { return string.get_ref<const std::string&>(); }

bool is_one_of_words(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t space = std::min(words.find(' '), words.size());
    if (words.substr(0, space) == word) return true;
    words.remove_prefix(std::min(space + 1, words.size()));
  }
  return false;
}

// -1, 0 or 1 as the number is below, equal to or above the other; exact for whole numbers, and a
// long double holds each of them.
int compare(const Json& number, std::int64_t other) {
  const auto right = static_cast<long double>(other);
  long double left = 0;
  if (number.is_number_float()) {
    left = static_cast<long double>(number.get<double>());
  } else if (number.is_number_unsigned()) {
    left = static_cast<long double>(number.get<std::uint64_t>());
  } else {
    left = static_cast<long double>(number.get<std::int64_t>());
  }
  return left < right ? -1 : static_cast<int>(left > right);
}

bool equals(const Json& value, const RuleValue& wanted) {
  if (value.is_string()) return text_of(value) == wanted.text;
  if (value.is_boolean()) return wanted.text == (value.get<bool>() ? "true" : "false");
  if (!value.is_number()) return false;
  return wanted.number ? compare(value, *wanted.number) == 0 : claim_text(value) == wanted.text;
}

bool is_any_of(const Json& value, const std::vector<RuleValue>& wanted) {
  return std::any_of(wanted.begin(), wanted.end(),
                     [&value](const RuleValue& each) { return equals(value, each); });
}

// The claim itself, or any member of an array.
template <class Test>
bool any_member(const Json& claim, Test test) {
  if (!claim.is_array()) return test(claim);
  return std::any_of(claim.begin(), claim.end(), test);
}

// Every member is something that could be equal, and is not.
bool differs(const Json& claim, const RuleValue& unwanted) {
  const auto is_other = [&unwanted](const Json& value) {
    return !value.is_structured() && !value.is_null() && !equals(value, unwanted);
  };
  if (!claim.is_array()) return is_other(claim);
  return std::all_of(claim.begin(), claim.end(), is_other);
}

bool contains_all(const Json& claim, const std::vector<RuleValue>& wanted) {
  const auto contained = [&claim](const RuleValue& each) {
    if (claim.is_string()) return is_one_of_words(text_of(claim), each.text);
    return claim.is_array() && any_member(claim, [&each](const Json& value) {
      return equals(value, each);
    });
  };
  return std::all_of(wanted.begin(), wanted.end(), contained);
}

bool is_in_order(Operator op, int order) {
  switch (op) {
    case Operator::at_least: return order >= 0;
    case Operator::at_most: return order <= 0;
    case Operator::above: return order > 0;
    case Operator::below: return order < 0;
    default: return false;
  }
}

}  // namespace

bool has_word(const Json& claim, std::string_view word) {
  if (claim.is_string()) return is_one_of_words(text_of(claim), word);
  return any_member(claim, [word](const Json& value) {
    if (value.is_string()) return text_of(value) == word;
    return value.is_number_integer() && claim_text(value) == word;
  });
}

bool holds(const ClaimRule& rule, const Json& claim) {
  switch (rule.op) {
    case Operator::exists:
      return true;
    case Operator::equal:
    case Operator::in:
      return any_member(claim, [&](const Json& value) { return is_any_of(value, rule.values); });
    case Operator::not_equal:
      return differs(claim, rule.values.front());
    case Operator::contains:
      return contains_all(claim, rule.values);
    case Operator::matches:
      return any_member(claim, [&](const Json& value) {
        return value.is_string() && rule.pattern->matches(text_of(value));
      });
    case Operator::at_least:
    case Operator::at_most:
    case Operator::above:
    case Operator::below:
      return any_member(claim, [&](const Json& value) {
        return value.is_number() && is_in_order(rule.op, compare(value, *rule.values.front().number));
      });
  }
  return false;
}

}  // namespace oidc
