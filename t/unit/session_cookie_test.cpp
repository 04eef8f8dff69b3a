#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "oidc/base64url.h"
#include "oidc/session.h"
#include "oidc/verified_cookies.h"
#include "session_sample.h"

namespace oidc {
namespace {

using test::identity;
using test::kCookieName;
using test::key_ring;
using test::kNow;
using test::kSecret;

class SessionCookies : public testing::Test {
 protected:
  [[nodiscard]] std::string seal(const SessionCookie& cookie) const {
    return seal_session_cookie(cookie, keys_, kCookieName, identity());
  }
  [[nodiscard]] std::optional<SessionCookie> open(std::string_view value,
                                                  Seconds now = kNow) const {
    return open_session_cookie(value, keys_, kCookieName, identity(), now);
  }

  const KeyRing keys_ = key_ring({kSecret});
  const SessionCookie cookie_ = make_session_cookie(kNow, 3600);
};

TEST_F(SessionCookies, RoundTrip) {
  const std::string value = seal(cookie_);
  EXPECT_EQ(value.size(), 63U);
  EXPECT_TRUE(std::all_of(value.begin(), value.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  }));
  const std::optional<SessionCookie> opened = open(value);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->sid, cookie_.sid);
  EXPECT_EQ(opened->created, kNow);
  EXPECT_EQ(opened->absolute_end, kNow + 3600);
}

TEST_F(SessionCookies, AreKnownAgainForTheSameNameIdentityAndKeysAlone) {
  const std::string value = seal(cookie_);
  EXPECT_EQ(keys_.verified().find(value, kCookieName, identity()), nullptr);
  ASSERT_TRUE(open(value));
  const SessionCookie* known = keys_.verified().find(value, kCookieName, identity());
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known->sid, cookie_.sid);
  EXPECT_EQ(known->created, cookie_.created);
  EXPECT_EQ(known->absolute_end, cookie_.absolute_end);
  EXPECT_EQ(keys_.verified().find(value, "other", identity()), nullptr);
  EXPECT_EQ(keys_.verified().find(value, kCookieName, identity("another")), nullptr);
  EXPECT_EQ(keys_.verified().find({}, {}, {}), nullptr);
  EXPECT_FALSE(open_session_cookie(value, keys_, "other", identity(), kNow));
  EXPECT_FALSE(open_session_cookie(value, keys_, kCookieName, identity("another"), kNow));
  EXPECT_FALSE(open_session_cookie(value, keys_.remember(), kCookieName, identity(), kNow));
  test::for_each_bit_flip(value, [this](const std::string& flipped, std::size_t at) {
    EXPECT_EQ(keys_.verified().find(flipped, kCookieName, identity()), nullptr) << at;
  });
  EXPECT_TRUE(open(value, kNow + 3599));
  EXPECT_FALSE(open(value, kNow + 3600)) << "known, and over";
}

TEST_F(SessionCookies, WhatDoesNotVerifyIsNotKnownLater) {
  std::string forged = seal(cookie_);
  forged.back() = forged.back() == 'A' ? 'E' : 'A';
  EXPECT_FALSE(open(forged));
  EXPECT_EQ(keys_.verified().find(forged, kCookieName, identity()), nullptr);
  EXPECT_FALSE(open(forged));
}

TEST_F(SessionCookies, ManyDriveEachOtherOutAndVerifyAgain) {
  std::vector<std::string> values;
  for (std::size_t i = 0; i < 3 * VerifiedCookies::kPlaces; ++i) {
    values.push_back(seal(make_session_cookie(kNow, 3600)));
    ASSERT_TRUE(open(values.back()));
  }
  std::size_t known = 0;
  for (const std::string& value : values) {
    known += keys_.verified().find(value, kCookieName, identity()) != nullptr ? 1 : 0;
  }
  for (const std::string& value : values) ASSERT_TRUE(open(value));
  EXPECT_GT(known, VerifiedCookies::kPlaces / 2);
}

TEST_F(SessionCookies, SidsAreRandom) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(seen.insert(std::string(make_session_cookie(kNow, 0).sid_view())).second);
  }
}

TEST_F(SessionCookies, EveryBitCounts) {
  const std::string value = seal(cookie_);
  test::for_each_bit_flip(value, [this](const std::string& flipped, std::size_t at) {
    EXPECT_FALSE(open(flipped)) << at;
  });
  // The bytes themselves, in a value that is well-formed.
  const std::string bytes = *base64url_decode(value);
  test::for_each_bit_flip(bytes, [this](const std::string& flipped, std::size_t at) {
    EXPECT_FALSE(open(base64url_encode(flipped))) << at;
  });
}

TEST_F(SessionCookies, EveryLengthButOneIsRefused) {
  const std::string value = seal(cookie_);
  for (std::size_t size = 0; size < value.size(); ++size) {
    EXPECT_FALSE(open(std::string_view(value).substr(0, size))) << size;
  }
  for (const char* tail : {"A", "=", " ", "AA", "\""}) EXPECT_FALSE(open(value + tail)) << tail;
  EXPECT_FALSE(open(value + value));
  EXPECT_FALSE(open(std::string(100000, 'A')));
}

TEST_F(SessionCookies, BelongToNameIdentityAndKey) {
  const std::string value = seal(cookie_);
  const KeyRing other = key_ring({test::kNewSecret});
  const auto opens = [&value](const KeyRing& keys, std::string_view name, const std::string& who) {
    return open_session_cookie(value, keys, name, who, kNow).has_value();
  };
  EXPECT_TRUE(opens(keys_, kCookieName, identity()));
  EXPECT_FALSE(opens(keys_, "session", identity()));
  EXPECT_FALSE(opens(keys_, "__Host-sessio", identity()));
  EXPECT_FALSE(opens(keys_, kCookieName, identity("other")));
  EXPECT_FALSE(opens(other, kCookieName, identity()));
}

// Without length prefixes these two would have the same MAC.
TEST_F(SessionCookies, NameAndIdentityDoNotRunTogether) {
  const std::string value = seal_session_cookie(cookie_, keys_, "ab", "cd");
  EXPECT_TRUE(open_session_cookie(value, keys_, "ab", "cd", kNow));
  EXPECT_FALSE(open_session_cookie(value, keys_, "abc", "d", kNow));
  EXPECT_FALSE(open_session_cookie(value, keys_, "a", "bcd", kNow));
}

TEST_F(SessionCookies, EndAtTheAbsoluteTimeout) {
  const std::string value = seal(cookie_);
  EXPECT_TRUE(open(value, kNow + 3599));
  EXPECT_FALSE(open(value, kNow + 3600));
  EXPECT_FALSE(open(value, kNow + 100000));
  const std::string endless = seal(make_session_cookie(kNow, 0));
  EXPECT_TRUE(open(endless, kNow + 100LL * 365 * 86400));
}

TEST_F(SessionCookies, TheStoreKeyIsAHashOfTheSid) {
  const StoreKey key = store_key(cookie_.sid_view());
  EXPECT_EQ(key, store_key(cookie_.sid_view()));
  EXPECT_NE(key, store_key(make_session_cookie(kNow, 0).sid_view()));
  EXPECT_EQ(key.view().find(base64url_encode(cookie_.sid_view())), std::string_view::npos);
  EXPECT_TRUE(base64url_decode(key.view()));
}

TEST_F(SessionCookies, LogsNameNeitherSidNorRecord) {
  const StoreKey key = store_key(cookie_.sid_view());
  const std::string id = log_id(key);
  EXPECT_EQ(id.size(), 12U);
  EXPECT_EQ(id, log_id(key));
  EXPECT_EQ(key.view().find(id), std::string_view::npos);
}

}  // namespace
}  // namespace oidc
