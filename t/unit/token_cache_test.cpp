#include "oidc/token_cache.h"

#include <gtest/gtest.h>

#include <string>

#include "session_sample.h"

namespace oidc {
namespace {

using namespace test;

class Tokens : public testing::Test {
 protected:
  Tokens() { other_.index = 1; }

  static std::shared_ptr<const OpenSession> session(std::string_view token) {
    SessionRecord record;
    record.method = static_cast<std::uint8_t>(Method::bearer);
    record.access_token = token;
    return *OpenSession::make({}, {}, {}, encode_record(record));
  }
  static TokenCache::Judgement good(std::string_view token, Seconds until = kNow + 60,
                                    std::optional<std::uint64_t> keys = 7) {
    return {session(token), {}, until, keys};
  }
  static TokenCache::Judgement bad(Seconds until = kNow + 10) {
    return {nullptr, {Errc::token_inactive, {}}, until, std::nullopt};
  }
  void keep(const std::string& token, TokenCache::Judgement judgement) {
    cache_.keep(settings_, token, std::move(judgement));
  }
  const TokenCache::Judgement* find(const std::string& token, Seconds now = kNow,
                                    std::optional<std::uint64_t> keys = 7) {
    return cache_.find(settings_, token, now, keys);
  }

  Settings settings_ = sample_settings(), other_ = sample_settings();
  TokenCache cache_{{3, 1024 * 1024}};
};

TEST_F(Tokens, AreFoundAgain) {
  EXPECT_EQ(find("a"), nullptr);
  keep("a", good("a"));
  ASSERT_NE(find("a"), nullptr);
  EXPECT_EQ(find("a")->session->record().access_token, "a");
  EXPECT_EQ(find("b"), nullptr);
  EXPECT_EQ(find(""), nullptr);
}

TEST_F(Tokens, BelongToOneSettings) {
  keep("a", good("a"));
  EXPECT_EQ(cache_.find(other_, "a", kNow, 7), nullptr);
  other_.index = settings_.index;  // even so
  EXPECT_EQ(cache_.find(other_, "a", kNow, 7), nullptr);
  EXPECT_NE(find("a"), nullptr);
}

TEST_F(Tokens, OfOneEndAreToldApart) {
  const std::string end(500, 's'), one = "one" + end, two = "two" + end;
  keep(one, good(one));
  EXPECT_EQ(find(two), nullptr);
  keep(two, bad());
  ASSERT_NE(find(one), nullptr) << "a forgery does not drive it out";
  EXPECT_EQ(find(one)->session->record().access_token, one);
  ASSERT_NE(find(two), nullptr);
  EXPECT_EQ(find(two)->session, nullptr);
  keep(two, good(two));
  EXPECT_EQ(find(two)->session->record().access_token, two);
  EXPECT_EQ(find(one), nullptr) << "one place for both";
}

TEST_F(Tokens, EndAtTheirTime) {
  keep("a", good("a", kNow + 5));
  EXPECT_NE(find("a", kNow + 4), nullptr);
  EXPECT_EQ(find("a", kNow + 5), nullptr);
  EXPECT_EQ(find("a", kNow + 4), nullptr) << "it is gone";
}

TEST_F(Tokens, EndWithTheirKeys) {
  keep("a", good("a"));
  EXPECT_EQ(find("a", kNow, 8), nullptr);
  keep("a", good("a"));
  EXPECT_EQ(find("a", kNow, std::nullopt), nullptr) << "no fresh key set";
  keep("a", good("a", kNow + 60, std::nullopt));
  EXPECT_NE(find("a", kNow, 8), nullptr) << "no key verified it";
}

TEST_F(Tokens, TheLeastRecentlyUsedGoes) {
  for (const char* token : {"a", "b", "c"}) keep(token, good(token));
  EXPECT_NE(find("a"), nullptr);
  keep("d", good("d"));
  EXPECT_EQ(find("b"), nullptr);
  for (const char* token : {"a", "c", "d"}) EXPECT_NE(find(token), nullptr) << token;
}

TEST_F(Tokens, AreBoundedByBytes) {
  TokenCache small({1000, 4096});
  for (int i = 0; i < 100; ++i) {
    const std::string token = std::to_string(i) + std::string(500, 'x');
    small.keep(settings_, token, good(token));
  }
  int there = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string token = std::to_string(i) + std::string(500, 'x');
    there += small.find(settings_, token, kNow, 7) != nullptr ? 1 : 0;
  }
  EXPECT_GE(there, 1);
  EXPECT_LE(there, 3);
}

TEST_F(Tokens, AFloodOfRefusalsPushesNoGoodOneOut) {
  keep("a", good("a"));
  for (int i = 0; i < 100; ++i) keep("bad-" + std::to_string(i), bad());
  EXPECT_NE(find("a"), nullptr);
  ASSERT_NE(find("bad-99"), nullptr);
  EXPECT_EQ(find("bad-99")->session, nullptr);
  EXPECT_EQ(find("bad-0"), nullptr);
}

TEST_F(Tokens, TheLastJudgementHolds) {
  keep("a", good("a"));
  keep("a", bad());
  ASSERT_NE(find("a"), nullptr);
  EXPECT_EQ(find("a")->session, nullptr);
  keep("a", good("a"));
  EXPECT_NE(find("a")->session, nullptr);
}

TEST_F(Tokens, OffKeepsNothing) {
  settings_.access_token.cache_size = 0;
  keep("a", good("a"));
  EXPECT_EQ(find("a"), nullptr);
}

TEST_F(Tokens, HugeOnesAreNotKept) {
  const std::string huge(20'000, 'x');
  keep(huge, good(huge));
  EXPECT_EQ(find(huge), nullptr);
}

TEST_F(Tokens, OneCallForEachToken) {
  EXPECT_EQ(cache_.under_way(settings_, "a"), nullptr);
  const auto arrival = cache_.begin(settings_, "a");
  EXPECT_EQ(cache_.under_way(settings_, "a"), arrival);
  EXPECT_EQ(cache_.under_way(settings_, "b"), nullptr);
  EXPECT_EQ(cache_.under_way(other_, "a"), nullptr);
  cache_.end(settings_, "a");
  EXPECT_EQ(cache_.under_way(settings_, "a"), nullptr);
}

TEST_F(Tokens, CallsAreBoundedForEachProvider) {
  other_.provider_index = settings_.provider_index + 1;
  for (std::size_t i = 0; i < kMostTokenCalls; ++i) {
    EXPECT_NE(cache_.begin(settings_, std::to_string(i)), nullptr);
  }
  EXPECT_EQ(cache_.begin(settings_, "one more"), nullptr);
  EXPECT_EQ(cache_.under_way(settings_, "one more"), nullptr);
  EXPECT_NE(cache_.begin(other_, "one more"), nullptr);
  cache_.end(settings_, "no such call");
  EXPECT_EQ(cache_.begin(settings_, "one more"), nullptr);
  cache_.end(settings_, "7");
  EXPECT_NE(cache_.begin(settings_, "one more"), nullptr);
}

}  // namespace
}  // namespace oidc
