// Parsers of the usual kinds of directive, as templates over the member of Settings that they set.
// A path of members, outermost first: <&Settings::provider, &ProviderSettings::keepalive>.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "draft.h"
#include "values.h"

namespace oidc::setters {

inline constexpr Seconds kDay = 86400;
inline constexpr Seconds kYear = 365 * kDay;

template <auto First, auto... Rest>
auto& member(auto& object) {
  if constexpr (sizeof...(Rest) == 0) {
    return object.*First;
  } else {
    return member<Rest...>(object.*First);
  }
}

template <class T>
Result<void> assign(auto& target, Result<T> value) {
  if (!value) return std::move(value).error();
  target = std::move(value).value();
  return {};
}

template <auto... Path>
Result<void> flag(SettingsDraft& draft, const DirectiveUse& use) {
  return assign(member<Path...>(draft.settings), parse_flag(use.words[0]));
}

// For directives that are read from the words directly.
inline Result<void> flag_only(SettingsDraft&, const DirectiveUse& use) {
  Result<bool> value = parse_flag(use.words[0]);
  if (!value) return std::move(value).error();
  return {};
}

template <Seconds Min, Seconds Max, auto... Path>
Result<void> seconds(SettingsDraft& draft, const DirectiveUse& use) {
  return assign(member<Path...>(draft.settings), parse_seconds(use.words[0], Min, Max));
}

template <Seconds Min, Seconds Max, auto... Path>
Result<void> seconds_or_off(SettingsDraft& draft, const DirectiveUse& use) {
  auto& target = member<Path...>(draft.settings);
  target = {};
  if (is_off(use.words)) return {};
  return assign(target, parse_seconds(use.words[0], Min, Max));
}

template <std::int64_t Min, std::int64_t Max, auto... Path>
Result<void> milliseconds(SettingsDraft& draft, const DirectiveUse& use) {
  return assign(member<Path...>(draft.settings), parse_milliseconds(use.words[0], Min, Max));
}

template <std::uint64_t Min, std::uint64_t Max, auto... Path>
Result<void> number(SettingsDraft& draft, const DirectiveUse& use) {
  auto& target = member<Path...>(draft.settings);
  Result<std::uint64_t> value = parse_number(use.words[0], Min, Max);
  if (!value) return std::move(value).error();
  target = static_cast<std::remove_reference_t<decltype(target)>>(*value);
  return {};
}

// Any text without white space and control characters.
template <auto... Path>
Result<void> text(SettingsDraft& draft, const DirectiveUse& use) {
  if (use.words[0].empty() || !is_visible(use.words[0])) {
    return bad_value(use.words[0], "printable characters without spaces are expected");
  }
  member<Path...>(draft.settings) = use.words[0];
  return {};
}

template <auto... Path>
Result<void> text_or_off(SettingsDraft& draft, const DirectiveUse& use) {
  if (!is_off(use.words)) return text<Path...>(draft, use);
  member<Path...>(draft.settings).clear();
  return {};
}

template <auto... Path>
Result<void> texts_or_off(SettingsDraft& draft, const DirectiveUse& use) {
  auto& target = member<Path...>(draft.settings);
  target.clear();
  if (is_off(use.words)) return {};
  for (const std::string& word : use.words) {
    if (word.empty() || word == "off" || !is_visible(word)) {
      return bad_value(word, "printable words without spaces are expected, or off alone");
    }
    target.push_back(word);
  }
  return {};
}

template <auto... Path>
Result<void> file_or_off(SettingsDraft& draft, const DirectiveUse& use) {
  auto& target = member<Path...>(draft.settings);
  target.clear();
  if (is_off(use.words)) return {};
  return assign(target, parse_file_name(use.words[0], draft.facts));
}

template <auto... Path>
Result<void> secret_or_off(SettingsDraft& draft, const DirectiveUse& use) {
  auto& target = member<Path...>(draft.settings);
  target = Secret();
  if (is_off(use.words)) return {};
  return assign(target, parse_secret(use.words[0], draft.facts));
}

template <class T, std::size_t N>
using Choices = std::array<std::pair<std::string_view, T>, N>;

template <class T, std::size_t N>
Result<T> choose(const Choices<T, N>& choices, std::string_view word) {
  std::string expected = "it must be ";
  for (std::size_t i = 0; i < N; ++i) {
    if (lower_case(word) == choices[i].first) return choices[i].second;
    if (i > 0) expected.append(i + 1 == N ? " or " : ", ");
    expected.append(choices[i].first);
  }
  return bad_value(word, expected);
}

template <const auto& Words, auto... Path>
Result<void> choice(SettingsDraft& draft, const DirectiveUse& use) {
  return assign(member<Path...>(draft.settings), choose(Words, use.words[0]));
}

}  // namespace oidc::setters
