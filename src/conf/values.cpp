#include "values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "../base/utf8.h"

namespace oidc {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
// From large to small: the order in which nginx wants them.
constexpr std::array<Unit, 8> kUnits = {{{"y", 365LL * 86400000},
                                         {"M", 30LL * 86400000},
                                         {"w", 7LL * 86400000},
                                         {"d", 86400000},
                                         {"h", 3600000},
                                         {"m", 60000},
                                         {"s", 1000},
                                         {"ms", 1}}};

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// Takes the digits at the front. False: there are none, or too many.
bool take_number(std::string_view& text, std::uint64_t& number) noexcept {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end == text.data()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

// Takes the unit at the front and the units that may still follow it. "m" and "ms" begin alike.
const Unit* take_unit(std::string_view& text, std::size_t& next_unit) noexcept {
  std::size_t length = 0;
  while (length < text.size() && !is_digit(text[length]) && text[length] != ' ') ++length;
  const std::string_view name = text.substr(0, length);
  for (std::size_t i = next_unit; i < kUnits.size(); ++i) {
    if (kUnits[i].name != name) continue;
    text.remove_prefix(length);
    next_unit = i + 1;
    return &kUnits[i];
  }
  return nullptr;
}

std::optional<std::int64_t> milliseconds(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    std::uint64_t number = 0;
    if (!take_number(text, number)) return std::nullopt;
    std::int64_t factor = 1000;
    if (text.empty()) {
      // A bare number is seconds, and nothing but larger units may stand before it.
      if (next_unit > 6) return std::nullopt;
    } else {
      const Unit* unit = take_unit(text, next_unit);
      if (unit == nullptr) return std::nullopt;
      factor = unit->milliseconds;
    }
    const auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / 4);
    if (number > limit / static_cast<std::uint64_t>(factor)) return std::nullopt;
    total += static_cast<std::int64_t>(number) * factor;
    if (static_cast<std::uint64_t>(total) > limit) return std::nullopt;
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  return total;
}

std::string time_text(std::int64_t ms) {
  for (const Unit& unit : kUnits) {
    if (unit.name == "M" || unit.name == "w" || unit.name == "y") continue;
    if (ms != 0 && ms % unit.milliseconds == 0) {
      return std::to_string(ms / unit.milliseconds).append(unit.name);
    }
  }
  return "0";
}

// A URL for an error message: what may be a password is not shown.
std::string without_user_information(std::string_view url) {
  const std::size_t at = url.rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  const std::size_t scheme_end = url.substr(0, at).find("://");
  const std::size_t begin = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
  return std::string(url.substr(0, begin)).append("***").append(url.substr(at));
}

Error not_in_range(std::string_view value, const std::string& min, const std::string& max) {
  return bad_value(value, "it must be between " + min + " and " + max);
}

}  // namespace

Error bad_value(std::string_view value, std::string_view expected) {
  std::string detail = "invalid value \"";
  detail.append(value.substr(0, 200)).append("\": ").append(expected);
  return {Errc::invalid_configuration, std::move(detail)};
}

Result<bool> parse_flag(std::string_view word) {
  if (word == "on") return true;
  if (word == "off") return false;
  return bad_value(word, "it must be on or off");
}

Result<std::int64_t> parse_milliseconds(std::string_view word, std::int64_t min, std::int64_t max) {
  const std::optional<std::int64_t> time = milliseconds(word);
  if (!time) return bad_value(word, "a time such as 500ms, 10s or 1h30m is expected");
  if (*time < min || *time > max) return not_in_range(word, time_text(min), time_text(max));
  return *time;
}

Result<Seconds> parse_seconds(std::string_view word, Seconds min, Seconds max) {
  const std::optional<std::int64_t> time = milliseconds(word);
  if (!time || *time % 1000 != 0) {
    return bad_value(word, "a time in whole seconds such as 10s or 1h30m is expected");
  }
  if (*time < min * 1000 || *time > max * 1000) {
    return not_in_range(word, time_text(min * 1000), time_text(max * 1000));
  }
  return *time / 1000;
}

Result<std::size_t> parse_size(std::string_view word, std::size_t min, std::size_t max) {
  std::string_view text = word;
  std::uint64_t number = 0;
  std::uint64_t factor = 1;
  if (!take_number(text, number)) return bad_value(word, "a size such as 512k or 16m is expected");
  if (text == "k" || text == "K") {
    factor = 1024;
  } else if (text == "m" || text == "M") {
    factor = 1024 * 1024;
  } else if (text == "g" || text == "G") {
    factor = 1024 * 1024 * 1024;
  } else if (!text.empty()) {
    return bad_value(word, "a size such as 512k or 16m is expected");
  }
  if (number > max / factor || number * factor < min) {
    return not_in_range(word, std::to_string(min / 1024) + "k", std::to_string(max / 1024) + "k");
  }
  return static_cast<std::size_t>(number * factor);
}

Result<std::uint64_t> parse_number(std::string_view word, std::uint64_t min, std::uint64_t max) {
  std::string_view text = word;
  std::uint64_t number = 0;
  if (!take_number(text, number) || !text.empty()) {
    return bad_value(word, "a whole number is expected");
  }
  if (number < min || number > max) {
    return not_in_range(word, std::to_string(min), std::to_string(max));
  }
  return number;
}

Result<Url> parse_http_url(std::string_view word) {
  Result<Url> url = parse_url(word);
  if (!url || url->has_fragment) {
    return bad_value(without_user_information(word),
                     "an absolute http or https URL without user information and fragment "
                     "is expected");
  }
  return url;
}

Result<Url> parse_origin(std::string_view word) {
  Result<Url> url = parse_http_url(word);
  if (!url || url->has_query || (!url->path.empty() && url->path != "/")) {
    return bad_value(without_user_information(word),
                     "scheme, host and optional port are expected, as in "
                     "https://www.example.com");
  }
  return url;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

bool is_visible(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_one_line(std::string_view text) noexcept {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return is_utf8(text) && std::none_of(text.begin(), text.end(), is_control);
}

bool is_scope_token(std::string_view text) noexcept {
  return !text.empty() && is_visible(text) && text.find_first_of("\"\\") == std::string_view::npos;
}

}  // namespace oidc
