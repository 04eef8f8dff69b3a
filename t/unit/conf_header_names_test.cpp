#include <gtest/gtest.h>

#include "oidc/header_names.h"

namespace oidc {
namespace {

TEST(HeaderNames, LettersAndDigitsCount) {
  EXPECT_EQ(normalised_header_name("X-User_Name.2"), "xusername2");
  EXPECT_EQ(normalised_header_name("-_-"), "");
}

TEST(HeaderNames, TakesSpellingsForOneAnother) {
  HeaderNameSet set;
  set.add("x-user");
  set.add("authorization");
  for (const char* name : {"x-user", "X-USER", "x_user", "XUser", "x.user", "-x--user-", "x user",
                           "Authorization", "author-ization"}) {
    EXPECT_TRUE(set.contains(name)) << name;
  }
  for (const char* name : {"", "-", "x-users", "x-use", "y-user", "x-user1", "user-x", "xxuser",
                           "authorisation", "x-us\xc3\xa9r"}) {
    EXPECT_FALSE(set.contains(name)) << name;
  }
}

TEST(HeaderNames, KeepsEachNameOnce) {
  HeaderNameSet set;
  EXPECT_TRUE(set.empty());
  set.add("X-User");
  set.add("x_user");
  set.add("--");
  EXPECT_EQ(set.names(), std::vector<std::string>{"xuser"});
}

TEST(HeaderNames, LongNames) {
  HeaderNameSet set;
  set.add(std::string(100, 'a'));
  EXPECT_TRUE(set.contains(std::string(100, 'A')));
  EXPECT_FALSE(set.contains(std::string(101, 'a')));
  EXPECT_FALSE(set.contains(std::string(63, 'a')));
}

}  // namespace
}  // namespace oidc
