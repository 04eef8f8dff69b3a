#include <gtest/gtest.h>

#include <random>
#include <string>

#include "oidc/pending_login.h"
#include "session_sample.h"

namespace oidc {
namespace {

using test::identity;
using test::key_ring;
using test::kNow;
using test::kSecret;

LoginState sample(std::string target) {
  LoginState state;
  state.login_id = "6553f100abcdefgh";
  state.created = kNow;
  state.restarts = 1;
  state.settings = "settings";
  state.target = std::move(target);
  return state;
}

// Text that does not deflate: base64 has 6 bits of 8, so let all 94 printable characters appear.
std::string incompressible(std::size_t size) {
  std::mt19937 random(5);
  std::uniform_int_distribution<int> printable('!', '~');
  std::string text = "/";
  while (text.size() < size) text.push_back(static_cast<char>(printable(random)));
  return text;
}

class LoginStates : public testing::Test {
 protected:
  [[nodiscard]] std::optional<std::string> seal(std::string target) const {
    return seal_state(sample(std::move(target)), keys_, identity());
  }
  [[nodiscard]] std::optional<LoginState> open(std::string_view value) const {
    return open_state(value, keys_, identity());
  }
  const KeyRing keys_ = key_ring({kSecret});
};

TEST_F(LoginStates, RoundTrip) {
  const auto sealed = seal("/path?query=1");
  ASSERT_TRUE(sealed);
  const std::optional<LoginState> state = open(*sealed);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->login_id, "6553f100abcdefgh");
  EXPECT_EQ(state->created, kNow);
  EXPECT_EQ(state->restarts, 1);
  EXPECT_EQ(state->settings, "settings");
  EXPECT_EQ(state->target, "/path?query=1");
}

TEST_F(LoginStates, TargetsOfManySizesComeBackAsTheyWere) {
  for (const std::size_t size : {0U, 1U, 199U, 200U, 201U, 500U, 1000U, 1024U}) {
    const std::string target = incompressible(size);
    const auto sealed = seal(target);
    ASSERT_TRUE(sealed) << size;
    const auto state = open(*sealed);
    ASSERT_TRUE(state) << size;
    EXPECT_EQ(state->target, target) << size;
  }
}

TEST_F(LoginStates, LongTargetsAreDeflated) {
  std::string target = "/reports?";
  while (target.size() < 8000) target += "filter[]=department&";
  const auto sealed = seal(target);
  ASSERT_TRUE(sealed);
  EXPECT_LT(sealed->size(), 600U);
  const auto state = open(*sealed);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->target, target);
}

TEST_F(LoginStates, TargetsThatDoNotFitAreRefused) {
  EXPECT_FALSE(seal(incompressible(1400)));
  EXPECT_FALSE(seal(incompressible(8000)));
  EXPECT_TRUE(seal(std::string(64 * 1024, 'a')));
  EXPECT_FALSE(seal(std::string(64 * 1024 + 1, 'a')));
  EXPECT_FALSE(seal(std::string(10'000'000, 'a')));
}

TEST_F(LoginStates, StayBelowTwoKilobytes) {
  for (const std::size_t size : {1024U, 1100U, 1200U, 1300U}) {
    const auto sealed = seal(incompressible(size));
    EXPECT_LT(sealed ? sealed->size() : 0, 2000U) << size;
  }
}

TEST_F(LoginStates, EveryBitAndEveryLengthCount) {
  std::string target = "/reports?";
  while (target.size() < 300) target += "filter[]=department&";
  for (const std::string& one : {std::string("/short"), target}) {
    const std::string value = *seal(one);
    test::for_each_bit_flip(value, [this](const std::string& flipped, std::size_t at) {
      EXPECT_FALSE(open(flipped)) << at;
    });
    for (std::size_t size = 0; size < value.size(); ++size) {
      EXPECT_FALSE(open(std::string_view(value).substr(0, size))) << size;
    }
    EXPECT_FALSE(open(value + "AAAA"));
  }
}

TEST_F(LoginStates, BelongToIdentityAndKey) {
  const std::string value = *seal("/");
  EXPECT_TRUE(open(value));
  EXPECT_FALSE(open_state(value, keys_, identity("other")));
  EXPECT_FALSE(open_state(value, key_ring({test::kNewSecret}), identity()));
  EXPECT_TRUE(open_state(value, key_ring({test::kNewSecret, kSecret}), identity()));
}

TEST_F(LoginStates, GarbageDoesNotOpen) {
  for (const char* value : {"", "x", "====", "the-state", "%00", "AAAAAAAAAAAAAAAAAAAAAAAAAAAA"}) {
    EXPECT_FALSE(open(value)) << value;
  }
  EXPECT_FALSE(open(std::string(100'000, 'A')));
}

TEST_F(LoginStates, AreNeverTheSame) {
  EXPECT_NE(*seal("/"), *seal("/"));
}

}  // namespace
}  // namespace oidc
