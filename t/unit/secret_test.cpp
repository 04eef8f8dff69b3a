#include "oidc/secret.h"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

namespace oidc {
namespace {

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret>);

TEST(Secret, HoldsBytes) {
  const Secret secret(std::string_view("a\0b", 3));
  EXPECT_EQ(secret.size(), 3U);
  EXPECT_EQ(secret.view(), std::string_view("a\0b", 3));
  EXPECT_EQ(secret.bytes()[2], 'b');
  EXPECT_FALSE(secret.empty());
}

TEST(Secret, OfNothing) {
  const Secret none;
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(none.view(), "");
  EXPECT_TRUE(none.equals(""));
  EXPECT_FALSE(none.equals("x"));
  EXPECT_TRUE(Secret(std::string_view()).empty());
  EXPECT_TRUE(Secret::of_size(0).empty());
  EXPECT_TRUE(none.clone().empty());
}

TEST(Secret, MovesAndLeavesNothing) {
  Secret source("secret");
  const char* const where = source.view().data();
  Secret target(std::move(source));
  EXPECT_EQ(target.view().data(), where);
  EXPECT_TRUE(source.empty());  // NOLINT(bugprone-use-after-move): what is tested
  Secret other("old");
  other = std::move(target);
  EXPECT_EQ(other.view(), "secret");
  EXPECT_TRUE(target.empty());  // NOLINT(bugprone-use-after-move): what is tested
  Secret& same = other;
  other = std::move(same);
  EXPECT_EQ(other.view(), "secret");
}

TEST(Secret, CloneIsItsOwn) {
  Secret original("secret");
  const Secret copy = original.clone();
  original.data()[0] = 'X';
  EXPECT_EQ(copy.view(), "secret");
  EXPECT_EQ(original.view(), "Xecret");
}

TEST(Secret, OfSizeIsZeroed) {
  Secret secret = Secret::of_size(64);
  EXPECT_EQ(secret.view(), std::string_view(std::string(64, '\0')));
}

TEST(Secret, Equals) {
  const Secret secret("secret");
  EXPECT_TRUE(secret.equals("secret"));
  EXPECT_FALSE(secret.equals("secreT"));
  EXPECT_FALSE(secret.equals("secre"));
  EXPECT_FALSE(secret.equals("secret "));
  EXPECT_FALSE(secret.equals(""));
}

TEST(Cleanse, WipesTheWholeBuffer) {
  std::string text(200, 's');
  text.resize(3);
  const volatile char* const where = text.data();
  cleanse(text);
  EXPECT_TRUE(text.empty());
  ASSERT_EQ(text.data(), where);
  ASSERT_GE(text.capacity(), 200U);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(where[i], '\0') << i;
}

TEST(Cleanse, OfNothing) {
  std::string text;
  cleanse(text);
  EXPECT_TRUE(text.empty());
}

}  // namespace
}  // namespace oidc
