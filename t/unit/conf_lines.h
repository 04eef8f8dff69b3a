// Configurations as text, for tests: one directive a line, words separated by spaces, quotes around
// words with spaces, a ';' at the end if one likes.
#pragma once

#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "oidc/settings_builder.h"

namespace oidc {

inline std::vector<std::string> split_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool begun = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
      begun = true;
    } else if (!quoted && (c == ' ' || c == ';')) {
      if (begun) words.push_back(word);
      word.clear();
      begun = false;
    } else {
      word.push_back(c);
      begun = true;
    }
  }
  if (begun) words.push_back(word);
  return words;
}

class ConfLines {
 public:
  explicit ConfLines(const std::string& text) { add(text); }

  // As the web server does: the count of words is checked, a second line of a directive that is not
  // repeatable replaces the first (an inner block).
  void add(const std::string& text) {
    std::istringstream stream(text);
    std::map<std::size_t, DirectiveWords::Lines> inner;
    std::string line;
    while (std::getline(stream, line)) {
      std::vector<std::string> all = split_words(line);
      if (all.empty()) continue;
      const std::optional<std::size_t> index = find_directive(all[0]);
      if (!index) throw std::logic_error("unknown directive " + all[0]);
      DirectiveUse use;
      use.words.assign(all.begin() + 1, all.end());
      use.file = "test.conf";
      use.line = ++line_;
      const Directive& directive = directives()[*index];
      if (use.words.size() < directive.min_words || use.words.size() > directive.max_words) {
        throw std::logic_error("wrong number of words: " + line);
      }
      if (!directive.repeatable) inner[*index].clear();
      inner[*index].push_back(std::move(use));
    }
    for (auto& [index, lines] : inner) {
      lines_[index] = std::move(lines);
      words_.set(index, &lines_[index]);
    }
  }

  [[nodiscard]] const DirectiveWords& words() const { return words_; }

 private:
  std::map<std::size_t, DirectiveWords::Lines> lines_;
  DirectiveWords words_;
  std::size_t line_ = 0;
};

inline const char* const kMinimalConf =
    "oidc on\n"
    "oidc_issuer https://id.example.com/realms/demo\n"
    "oidc_client_id gateway\n"
    "oidc_client_secret 0123456789abcdef0123456789abcdef\n";

struct Built {
  std::unique_ptr<Settings> settings;  // null: refused
  std::string error;
  std::vector<std::string> warnings;
};

inline BuildFacts test_facts() {
  return {"/etc/nginx/", {"app.example.com"}};
}

// kMinimalConf with the lines of `text` on top.
inline Built build(const std::string& text, const BuildFacts& facts = test_facts()) {
  ConfLines lines(kMinimalConf);
  lines.add(text);
  Built built;
  Result<std::unique_ptr<Settings>> result = build_settings(lines.words(), facts, built.warnings);
  if (result) {
    built.settings = std::move(*result);
  } else {
    built.error = result.error().detail;
  }
  return built;
}

}  // namespace oidc
