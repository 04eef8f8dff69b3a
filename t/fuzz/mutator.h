// Changes inputs: bytes, bits, pieces taken out, doubled, or brought in from another input or the
// dictionary.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace oidc::fuzz {

class Mutator {
 public:
  // Both may grow meanwhile.
  Mutator(const std::vector<std::string>& seeds, const std::vector<std::string>& words,
          std::uint64_t seed)
      : seeds_(seeds), words_(words), random_(seed) {}

  std::string next() {
    std::string input = any_seed();
    for (std::size_t step = 0, steps = 1 + below(6); step < steps; ++step) change(input);
    if (input.size() > kLongestInput) input.resize(kLongestInput);
    return input;
  }

 private:
  static constexpr std::size_t kLongestInput = 16 * 1024;

  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  const std::string& any_seed() { return seeds_[below(seeds_.size())]; }

  std::string piece_of(const std::string& text) {
    const std::size_t start = below(text.size());
    return text.substr(start, 1 + below(32));
  }

  char interesting() {
    using namespace std::string_view_literals;
    constexpr std::string_view kBytes = "\0\1\t\n\r %&+;=.\"\\/:@[]{},-_$*09AZaz\x7f\x80\xff"sv;
    return kBytes[below(kBytes.size())];
  }

  void change(std::string& input) {
    const std::size_t at = below(input.size() + 1);
    switch (below(words_.empty() ? 6 : 8)) {
      case 0:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
        break;
      case 1:
        input.insert(at, 1, interesting());
        break;
      case 2:
        input.erase(at, 1 + below(16));
        break;
      case 3:
        input.insert(at, piece_of(input));
        break;
      case 4:
        input.insert(at, piece_of(any_seed()));
        break;
      case 5:
        if (at < input.size()) input[at] = static_cast<char>(random_());
        break;
      default: {
        const std::string& word = words_[below(words_.size())];
        if (below(2) == 0) input.erase(at, word.size());
        input.insert(at, word);
        break;
      }
    }
  }

  const std::vector<std::string>& seeds_;
  const std::vector<std::string>& words_;
  std::mt19937_64 random_;
};

}  // namespace oidc::fuzz
