// A session cut into cookies: what comes back, what must not open, and what does not fit.
#include "oidc/session_parts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "oidc/base64url.h"
#include "oidc/cookie_store.h"
#include "oidc/crypto.h"
#include "oidc/deflate.h"
#include "session_sample.h"

namespace oidc {
namespace {

using namespace test;

constexpr std::size_t kLimit = kMostParts * kPartSize;

class PartsTest : public ::testing::Test {
 protected:
  KeyRing keys = key_ring({kSecret});
  CookieAttributes base{.name = std::string(kCookieName), .secure = true};
  std::string who = identity();
  SessionCookie cookie = make_session_cookie(kNow, 3600);

  // As large as told, and not to be deflated.
  std::shared_ptr<const OpenSession> session(std::size_t size,
                                             std::string generation = "generatn") const {
    const std::string token = base64url_encode(random_string(size * 3 / 4));
    SessionRecord record = sample_record();
    record.access_token = token;
    return OpenSession::make(cookie, store_key(cookie.sid_view()), std::move(generation),
                             encode_record(record))
        .value();
  }
  std::vector<std::string> seal(const OpenSession& session, Seconds issued = kNow,
                                std::size_t limit = kLimit) const {
    return seal_parts(session, keys, base, who, issued, limit).values;
  }
  std::string header(const std::vector<std::string>& values) const {
    std::string text = "other=1";
    for (std::size_t i = 0; i < values.size(); ++i) {
      text.append("; ").append(part_attributes(base, i + 1).name).append("=").append(values[i]);
    }
    return text;
  }
  // What opens of it, for this cookie, under this name and identity; null: nothing.
  std::shared_ptr<const OpenSession> open(const std::string& header) const {
    PartsFinder parts(base.name);
    parts.look_at(header);
    for (std::size_t i = 0; const auto set = parts.set(i); ++i) {
      auto opened = open_parts(*set, cookie, keys, base.name, who);
      if (opened) return *opened;
    }
    return nullptr;
  }
};

TEST_F(PartsTest, ComeBackWhateverTheirNumber) {
  for (const std::size_t size : {10U, 900U, 3900U, 4100U, 9000U, 15000U, 24000U}) {
    const auto made = session(size);
    const std::vector<std::string> values = seal(*made);
    ASSERT_FALSE(values.empty()) << size;
    const auto opened = open(header(values));
    ASSERT_NE(opened, nullptr) << size;
    EXPECT_EQ(encode_record(opened->record()), encode_record(made->record()));
    EXPECT_EQ(opened->generation(), made->generation());
    EXPECT_EQ(opened->key(), made->key());
  }
}

TEST_F(PartsTest, AreNoLargerThanACookieMayBe) {
  base.domain = "a.rather.long.domain.example.org";
  base.path = "/some/path";
  const auto made = session(16000);
  const auto values = seal(*made);
  ASSERT_GE(values.size(), 4U);
  std::size_t in_header = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const CookieAttributes part = part_attributes(base, i + 1);
    const std::size_t size = set_cookie(part, values[i], std::nullopt).size();
    EXPECT_LE(size, kPartSize);
    if (i + 1 < values.size()) {
      EXPECT_EQ(size, kPartSize);
    }
    in_header += part.name.size() + 1 + values[i].size() + 2;
  }
  EXPECT_EQ(seal_parts(*made, keys, base, who, kNow, kLimit).size, in_header);
}

TEST_F(PartsTest, ShrinkToFewer) {
  EXPECT_EQ(seal(*session(9000)).size(), 3U);
  EXPECT_EQ(seal(*session(5000)).size(), 2U);
  EXPECT_EQ(seal(*session(100)).size(), 1U);
  // What is left of the longer version does no harm.
  std::vector<std::string> values = seal(*session(100, "shorter1"), kNow + 1);
  const std::vector<std::string> longer = seal(*session(9000, "longer 1"));
  values.insert(values.end(), longer.begin() + 1, longer.end());
  const auto opened = open(header(values));
  ASSERT_NE(opened, nullptr);
  EXPECT_EQ(opened->generation(), "shorter1");
}

TEST_F(PartsTest, AreDeflatedFromOneKilobyteOn) {
  SessionRecord record = sample_record();
  const std::string token(20000, 'a');
  record.access_token = token;
  const auto made = OpenSession::make(cookie, store_key(cookie.sid_view()), "generatn",
                                      encode_record(record)).value();
  const auto values = seal(*made);
  ASSERT_EQ(values.size(), 1U);
  EXPECT_LT(values.front().size(), 1000U);
  EXPECT_EQ(open(header(values))->record().access_token, token);
}

TEST_F(PartsTest, WhatDoesNotFitIsNotSealed) {
  const auto made = session(9000);
  const SealedParts all = seal_parts(*made, keys, base, who, kNow, kLimit);
  ASSERT_FALSE(all.values.empty());
  EXPECT_FALSE(seal_parts(*made, keys, base, who, kNow, all.size).values.empty());
  const SealedParts none = seal_parts(*made, keys, base, who, kNow, all.size - 1);
  EXPECT_TRUE(none.values.empty());
  EXPECT_EQ(none.size, all.size);
  EXPECT_TRUE(seal(*session(40000)).empty());
  // It would deflate to nothing, but not open again.
  SessionRecord record = sample_record();
  const std::string token(100'000, 'a');
  record.access_token = token;
  const auto large = OpenSession::make(cookie, store_key(cookie.sid_view()), "generatn",
                                       encode_record(record)).value();
  EXPECT_TRUE(seal(*large).empty());
}

TEST_F(PartsTest, OrderInTheHeaderDoesNotMatter) {
  const auto values = seal(*session(9000));
  ASSERT_EQ(values.size(), 3U);
  const auto pair = [&](std::size_t i) {
    return part_attributes(base, i + 1).name + "=" + values[i] + "; ";
  };
  EXPECT_NE(open(pair(2) + pair(0) + pair(1)), nullptr);
  EXPECT_NE(open(pair(1) + pair(1) + pair(2) + pair(0)), nullptr) << "twice the same";
  EXPECT_EQ(open(pair(0) + pair(1)), nullptr);
  EXPECT_EQ(open(pair(1) + pair(2)), nullptr);
}

TEST_F(PartsTest, PartsUnderEachOthersNamesDoNotOpen) {
  auto values = seal(*session(9000));
  std::swap(values[0], values[1]);
  EXPECT_EQ(open(header(values)), nullptr);
}

TEST_F(PartsTest, EachChangedCharacterIsSeen) {
  const auto values = seal(*session(5000));
  ASSERT_EQ(values.size(), 2U);
  for (std::size_t part = 0; part < values.size(); ++part) {
    for (std::size_t at = 0; at < values[part].size(); at += at < 60 ? 1 : 37) {
      auto changed = values;
      changed[part][at] = changed[part][at] == 'A' ? 'B' : 'A';
      EXPECT_EQ(open(header(changed)), nullptr) << part << " " << at;
    }
  }
}

TEST_F(PartsTest, TruncatedAndExtendedOnesDoNotOpen) {
  const auto values = seal(*session(5000));
  for (std::size_t part = 0; part < values.size(); ++part) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kPartHeadText - 1, kPartHeadText,
                                   values[part].size() - 1}) {
      auto cut = values;
      cut[part].resize(size);
      EXPECT_EQ(open(header(cut)), nullptr) << part << " " << size;
    }
    auto longer = values;
    longer[part].append("AAAA");
    EXPECT_EQ(open(header(longer)), nullptr);
  }
}

TEST_F(PartsTest, OfTwoVersionsNeverMix) {
  const auto first = seal(*session(5000, "version1"));
  const auto second = seal(*session(5000, "version2"));
  EXPECT_EQ(open(header({first[0], second[1]})), nullptr);
  EXPECT_EQ(open(header({second[0], first[1]})), nullptr);
  // Nor when only the time differs, or the seal alone.
  const auto made = session(5000);
  const auto early = seal(*made);
  const auto late = seal(*made, kNow + 1);
  const auto again = seal(*made);
  EXPECT_EQ(open(header({early[0], late[1]})), nullptr);
  EXPECT_EQ(open(header({early[0], again[1]})), nullptr);
  EXPECT_NE(open(header(late)), nullptr);
}

TEST_F(PartsTest, PlantedOnesAreIgnoredOrTheEndOfIt) {
  const auto values = seal(*session(5000));
  const std::string name = part_attributes(base, 1).name;
  const std::string good = header(values);
  EXPECT_NE(open(name + "=garbage; " + good), nullptr);
  EXPECT_NE(open(good + "; " + name + "=" + std::string(3000, 'A')), nullptr);
  // Two values for one part of one version: neither is believed.
  std::string twin = values[0];
  twin[100] = twin[100] == 'A' ? 'B' : 'A';
  EXPECT_EQ(open(good + "; " + name + "=" + twin), nullptr);
  // Newer ones of somebody else do not open, those of the session do.
  const SessionCookie theirs = make_session_cookie(kNow, 3600);
  const auto planted = OpenSession::make(theirs, store_key(theirs.sid_view()), "planted!",
                                         encode_record(sample_record())).value();
  EXPECT_NE(open(header(seal(*planted, kNow + 100)) + "; " + good), nullptr);
  std::string flood;
  for (int i = 0; i < 500; ++i) flood.append(name).append("=").append(values[0]).append("; ");
  EXPECT_EQ(open(flood), nullptr);
}

TEST_F(PartsTest, AreOfOneSessionNameIdentityAndSecret) {
  const std::string sent = header(seal(*session(500)));
  ASSERT_NE(open(sent), nullptr);
  PartsFinder parts(base.name);
  parts.look_at(sent);
  const PartSet set = *parts.set(0);
  const KeyRing others = key_ring({kNewSecret});
  const KeyRing rotated = key_ring({kNewSecret, kSecret});
  const SessionCookie another = make_session_cookie(kNow, 3600);
  EXPECT_FALSE(open_parts(set, cookie, keys, "session", who));
  EXPECT_FALSE(open_parts(set, cookie, keys, base.name, identity("another")));
  EXPECT_FALSE(open_parts(set, another, keys, base.name, who));
  EXPECT_FALSE(open_parts(set, cookie, others, base.name, who));
  EXPECT_TRUE(open_parts(set, cookie, rotated, base.name, who));
}

// Sealed as ours are, so only somebody with the secret could make it.
TEST_F(PartsTest, ADeflateBombIsNotInflated) {
  std::string head("\x01\x01\x01", 3);
  head.append(6, '\0').append("generatn");
  std::string fields;
  for (const std::string_view field : {std::string_view("session parts"),
                                       std::string_view(base.name), std::string_view(who),
                                       std::string_view(head)}) {
    append_field(fields, field);
  }
  const SessionKeys& key = keys.sealing();
  const Sha256 record_key = key.record_key(cookie.sid_view());
  for (const std::size_t size : {std::size_t{64 * 1024}, std::size_t{3'000'000}}) {
    std::string payload(key.id());
    payload.append(aead_seal(as_view(record_key), fields, deflate_text(std::string(size, 'a'))));
    const std::string value = base64url_encode(head + "\x01") + base64url_encode(payload);
    const std::string cookies = header({value});
    PartsFinder parts(base.name);
    parts.look_at(cookies);
    const auto set = parts.set(0);
    ASSERT_TRUE(set);
    const auto opened = open_parts(*set, cookie, keys, base.name, who);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::session_record_invalid);
    EXPECT_EQ(opened.error().detail.find("beyond the limit") != std::string::npos,
              size > 64 * 1024) << opened.error().detail;
  }
}

TEST(PartIndex, IsOneDigitBehindTheName) {
  EXPECT_EQ(part_index("session_1", "session"), 1U);
  EXPECT_EQ(part_index("session_8", "session"), 8U);
  for (const char* name : {"session", "session_", "session_0", "session_9", "session_10",
                           "session_x", "sessionx1", "other_1", ""}) {
    EXPECT_EQ(part_index(name, "session"), 0U) << name;
  }
}

TEST_F(PartsTest, OpenedOnesAreFoundByTheirVeryBytes) {
  OpenedParts cache(40'000);
  const auto made = session(5000);
  const std::string sent = header(seal(*made));
  PartsFinder parts(base.name);
  parts.look_at(sent);
  const PartSet set = *parts.set(0);
  EXPECT_EQ(cache.find(cookie, set), nullptr);
  cache.keep(made, set);
  EXPECT_EQ(cache.find(cookie, set), made);
  PartSet other = set;
  std::string changed(set.values[1]);
  changed[50] = changed[50] == 'A' ? 'B' : 'A';
  other.values[1] = changed;
  EXPECT_EQ(cache.find(cookie, other), nullptr);
  other = set;
  other.count = 1;
  EXPECT_EQ(cache.find(cookie, other), nullptr);
  EXPECT_EQ(cache.find(make_session_cookie(kNow, 60), set), nullptr);
  for (int i = 0; i < 100; ++i) {
    const SessionCookie more = make_session_cookie(kNow, 3600);
    const auto another = OpenSession::make(more, store_key(more.sid_view()), "generatn",
                                           encode_record(sample_record())).value();
    cache.keep(another, set);
  }
  EXPECT_EQ(cache.find(cookie, set), nullptr) << "the one used last stays";
  EXPECT_LT(cache.size(), 20U);
  OpenedParts off(0);
  off.keep(made, set);
  EXPECT_EQ(off.find(cookie, set), nullptr);
}

}  // namespace
}  // namespace oidc
