// Runs a fuzz target where libFuzzer is not to be had: replays files, and may change them at
// random.
//   FUZZ_TARGET [-runs=N] [-seed=N] FILE|DIRECTORY...
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

constexpr std::size_t kLongestInput = 16 * 1024;

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Changes inputs: bytes, bits, pieces taken out, doubled, or brought in from another input.
class Mutator {
 public:
  Mutator(const std::vector<std::string>& seeds, std::uint64_t seed)
      : seeds_(seeds), random_(seed) {}

  std::string next() {
    std::string input = any_seed();
    for (std::size_t step = 0, steps = 1 + below(6); step < steps; ++step) change(input);
    if (input.size() > kLongestInput) input.resize(kLongestInput);
    return input;
  }

 private:
  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  const std::string& any_seed() { return seeds_[below(seeds_.size())]; }

  std::string piece_of(const std::string& text) {
    const std::size_t start = below(text.size());
    return text.substr(start, 1 + below(32));
  }

  char interesting() {
    constexpr std::string_view kBytes = "\0\t\n\r %&+;=.\"\\/:@[]{},-_\x7f\x80\xff"sv;
    return kBytes[below(kBytes.size())];
  }

  void change(std::string& input) {
    const std::size_t at = below(input.size() + 1);
    switch (below(6)) {
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
      default:
        if (at < input.size()) input[at] = static_cast<char>(random_());
        break;
    }
  }

  const std::vector<std::string>& seeds_;
  std::mt19937_64 random_;
};

bool parse_option(std::string_view argument, std::string_view name, std::uint64_t& value) {
  if (!argument.starts_with(name)) return false;
  argument.remove_prefix(name.size());
  return std::from_chars(argument.data(), argument.data() + argument.size(), value).ec ==
         std::errc();
}

void collect(const fs::path& path, std::vector<std::string>& inputs) {
  if (!fs::is_directory(path)) {
    inputs.push_back(read_file(path));
    return;
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (entry.is_regular_file()) inputs.push_back(read_file(entry.path()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t runs = 0;
  std::uint64_t seed = 1;
  std::vector<std::string> inputs;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (parse_option(argument, "-runs=", runs) || parse_option(argument, "-seed=", seed)) continue;
    if (!fs::exists(argument)) {
      std::fprintf(stderr, "no such input: %s\n", argv[i]);
      return 2;
    }
    collect(argument, inputs);
  }
  if (inputs.empty()) {
    std::fprintf(stderr, "no inputs\n");
    return 2;
  }
  for (const std::string& input : inputs) run(input);
  Mutator mutator(inputs, seed);
  for (std::uint64_t i = 0; i < runs; ++i) run(mutator.next());
  std::printf("%zu inputs replayed, %llu changed ones run\n", inputs.size(),
              static_cast<unsigned long long>(runs));
  return 0;
}
