// Every directive of the module: one line each, in tables by topic (src/conf). The web server's
// command table, the checks, the defaults and the check of the documentation come from here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/result.h"

namespace oidc {

struct SettingsDraft;

// One line of the configuration.
struct DirectiveUse {
  std::vector<std::string> words;  // the arguments
  std::string file;                // empty: not from a file
  std::size_t line = 0;
};

enum class Contexts : std::uint8_t { http, all, location };  // all: http, server and location

inline constexpr std::size_t kManyWords = SIZE_MAX;

struct Directive {
  std::string_view name;
  std::size_t min_words, max_words;  // arguments
  Contexts contexts;
  bool repeatable;                // several lines in one block add up; else an error
  std::string_view default_text;  // taken as if it were written; empty: no default of that kind
  // Checks the words and puts their meaning into the draft.
  Result<void> (*apply)(SettingsDraft& draft, const DirectiveUse& use);
};

// In a fixed order; the position is what DirectiveWords and the glue know a directive by.
[[nodiscard]] std::span<const Directive> directives();
[[nodiscard]] std::optional<std::size_t> find_directive(std::string_view name);

}  // namespace oidc
