#include "oidc/header_names.h"

#include <algorithm>

namespace oidc {
namespace {

// The character that counts, or 0.
char normalised(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '\0';
}

std::uint64_t length_bit(std::size_t length) noexcept {
  return std::uint64_t{1} << std::min<std::size_t>(length, 63);
}

bool equals_normalised(std::string_view name, std::string_view wanted) noexcept {
  std::size_t matched = 0;
  for (const char raw : name) {
    const char c = normalised(raw);
    if (c == '\0') continue;
    if (matched == wanted.size() || wanted[matched] != c) return false;
    ++matched;
  }
  return matched == wanted.size();
}

}  // namespace

std::string normalised_header_name(std::string_view name) {
  std::string result;
  for (const char raw : name) {
    if (const char c = normalised(raw); c != '\0') result.push_back(c);
  }
  return result;
}

void HeaderNameSet::add(std::string_view name) {
  std::string wanted = normalised_header_name(name);
  if (wanted.empty() || contains(name)) return;
  lengths_ |= length_bit(wanted.size());
  names_.push_back(std::move(wanted));
}

bool HeaderNameSet::contains(std::string_view name) const noexcept {
  if (names_.empty()) return false;
  const auto length = static_cast<std::size_t>(
      std::count_if(name.begin(), name.end(), [](char c) { return normalised(c) != '\0'; }));
  if ((lengths_ & length_bit(length)) == 0) return false;
  return std::any_of(names_.begin(), names_.end(),
                     [name](const std::string& wanted) { return equals_normalised(name, wanted); });
}

}  // namespace oidc
