// Random inputs whose seed is in the message of a test that fails: OIDC_TEST_SEED=N repeats it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

namespace oidc::test {

class RandomInput : public testing::Test {
 protected:
  RandomInput() {
    const char* wanted = std::getenv("OIDC_TEST_SEED");
    seed_ = wanted != nullptr ? std::strtoul(wanted, nullptr, 10) : std::random_device{}();
    random_.seed(seed_);
  }
  void SetUp() override { RecordProperty("seed", std::to_string(seed_)); }
  void TearDown() override {
    if (HasFailure()) std::printf("repeat it with OIDC_TEST_SEED=%lu\n", seed_);
  }

  // As often as fits into a second, and once at least.
  template <class Round>
  void repeatedly(Round round) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    do {
      round();
    } while (!HasFailure() && std::chrono::steady_clock::now() < until);
  }

  std::size_t below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  std::string bytes(std::size_t most) {
    std::string text(below(most + 1), '\0');
    for (char& c : text) c = static_cast<char>(random_());
    return text;
  }

 private:
  unsigned long seed_ = 0;
  std::mt19937_64 random_;
};

// Each text that one of ours may become on its way: a bit changed, cut anywhere, or begun as this
// one and ended as another one of ours. At most `most` of them, evenly chosen; 0: all.
template <class Use>
void for_each_damage(const std::string& text, const std::string& other, std::size_t most, Use use) {
  const std::size_t all = text.size() * 10;
  const std::size_t step = most == 0 || all <= most ? 1 : all / most;
  for (std::size_t number = 0; number < all; number += step) {
    const std::size_t at = number / 10;
    const std::size_t how = number % 10;
    std::string damaged = text;
    if (how < 8) {
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << how));
    } else if (how == 8) {
      damaged.resize(at);
    } else {
      damaged.resize(at);
      if (at < other.size()) damaged.append(other, at);
    }
    if (damaged != text && damaged != other) use(damaged);
  }
}

}  // namespace oidc::test
