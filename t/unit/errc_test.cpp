#include "oidc/errc.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace oidc {
namespace {

constexpr int kCodes = 0
#define OIDC_X(name, status, level, sentence) +1
    OIDC_ERRC_TABLE(OIDC_X)
#undef OIDC_X
    ;

TEST(Errc, EachCodeHasItsOwnEntry) {
  std::set<std::string_view> codes;
  std::set<std::string_view> sentences;
  for (int i = 0; i < kCodes; ++i) {
    const ErrcInfo& entry = info(static_cast<Errc>(i));
    EXPECT_TRUE(codes.insert(entry.code).second) << entry.code;
    EXPECT_TRUE(sentences.insert(entry.sentence).second) << entry.code;
    EXPECT_FALSE(entry.sentence.empty()) << entry.code;
  }
}

TEST(Errc, StatusIsAnHttpError) {
  EXPECT_EQ(info(Errc::none).status, 0);
  for (int i = 1; i < kCodes; ++i) {
    const ErrcInfo& entry = info(static_cast<Errc>(i));
    EXPECT_GE(entry.status, 400) << entry.code;
    EXPECT_LT(entry.status, 600) << entry.code;
  }
}

TEST(Errc, FaultsOfTheServerAreErrorsAndOthersAreNot) {
  for (int i = 1; i < kCodes; ++i) {
    const ErrcInfo& entry = info(static_cast<Errc>(i));
    const auto code = static_cast<Errc>(i);
    // The logout goes on all the same; anybody can send a token with an unknown kid.
    if (code == Errc::revocation_failed || code == Errc::keys_unavailable) continue;
    EXPECT_EQ(entry.level == LogLevel::error, entry.status >= 500) << entry.code;
  }
}

TEST(Errc, SaysWhatTheTableSays) {
  const ErrcInfo& entry = info(Errc::state_mismatch);
  EXPECT_EQ(entry.code, "state_mismatch");
  EXPECT_EQ(entry.status, 400);
  EXPECT_EQ(entry.level, LogLevel::warn);
}

TEST(Errc, ANumberThatIsNoCodeIsInternal) {
  EXPECT_EQ(info(static_cast<Errc>(255)).code, "internal");
}

}  // namespace
}  // namespace oidc
