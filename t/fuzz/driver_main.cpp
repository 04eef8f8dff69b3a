// Runs a fuzz target where libFuzzer is not to be had: replays files, then changes them at random.
//   FUZZ_TARGET [-runs=N] [-seconds=N] [-seed=N] [-dict=FILE] FILE|DIRECTORY...
// -seconds: of CPU time. An input that reaches a new block of the code (see coverage.h) is changed
// further. The input at which the target dies is written to ./crash-input.
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "coverage.h"
#include "mutator.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

namespace fs = std::filesystem;

const std::string* current = nullptr;

void keep_current() {
  if (current == nullptr) return;
  if (std::FILE* file = std::fopen("crash-input", "wb")) {
    std::fwrite(current->data(), 1, current->size(), file);
    std::fclose(file);
  }
  current = nullptr;
}

// Whether it reached something new.
bool run(const std::string& input) {
  current = &input;
  oidc::fuzz::begin_coverage();
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  const bool found = oidc::fuzz::end_coverage();
  current = nullptr;
  return found;
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// libFuzzer's form: one word in quotes on each line, with \\, \" and \xNN in it.
std::vector<std::string> read_words(const fs::path& path) {
  std::vector<std::string> words;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    const std::size_t open = line.find('"');
    const std::size_t close = line.rfind('"');
    if (line.starts_with('#') || open == std::string::npos || close == open) continue;
    std::string word;
    for (std::size_t i = open + 1; i < close; ++i) {
      if (line[i] == '\\' && line[i + 1] == 'x' && i + 3 < close) {
        word.push_back(static_cast<char>(std::stoi(line.substr(i + 2, 2), nullptr, 16)));
        i += 3;
      } else {
        if (line[i] == '\\') ++i;
        word.push_back(line[i]);
      }
    }
    words.push_back(std::move(word));
  }
  return words;
}

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

std::uint64_t cpu_seconds() {
  return static_cast<std::uint64_t>(std::clock() / CLOCKS_PER_SEC);
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view kDict = "-dict=";
  std::uint64_t runs = 0, seconds = 0, seed = 1;
  std::vector<std::string> inputs, words;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (parse_option(argument, "-runs=", runs) || parse_option(argument, "-seconds=", seconds) ||
        parse_option(argument, "-seed=", seed)) {
      continue;
    }
    const std::string_view path = argument.substr(argument.starts_with(kDict) ? kDict.size() : 0);
    if (!fs::exists(path)) {
      std::fprintf(stderr, "no such input: %s\n", argv[i]);
      return 2;
    }
    if (argument.starts_with(kDict)) {
      words = read_words(path);
    } else {
      collect(path, inputs);
    }
  }
  if (inputs.empty()) {
    std::fprintf(stderr, "no inputs\n");
    return 2;
  }
  std::signal(SIGABRT, [](int) { keep_current(); });
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(keep_current);

  const std::size_t replayed = inputs.size();
  for (const std::string& input : inputs) run(input);
  const std::size_t known = oidc::fuzz::blocks_reached();
  oidc::fuzz::Mutator mutator(inputs, words, seed);
  std::uint64_t done = 0;
  while (done < runs || cpu_seconds() < seconds) {
    std::string input = mutator.next();
    ++done;
    if (run(input)) inputs.push_back(std::move(input));
  }
  std::printf("%zu inputs replayed, %llu changed ones run", replayed,
              static_cast<unsigned long long>(done));
  if (known != 0) {
    std::printf("; blocks reached: %zu, then %zu; inputs kept: %zu", known,
                oidc::fuzz::blocks_reached(), inputs.size() - replayed);
  }
  std::printf("\n");
  return 0;
}
