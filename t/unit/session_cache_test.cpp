#include "oidc/session_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "session_sample.h"

namespace oidc {
namespace {

using namespace std::chrono_literals;
using test::identity;
using test::key_ring;
using test::kNow;
using test::kSecret;

constexpr std::uint64_t kStart = 1'000'000;

class Watched final : public Coherence {
 public:
  [[nodiscard]] bool current(const CacheMark& mark) const noexcept override {
    return valid(mark) && mark.version == live;
  }
  [[nodiscard]] bool valid(const CacheMark& mark) const noexcept override {
    return mark.place == place;
  }
  std::uint64_t live = 1;
  std::uint64_t place = 0;
};

class SessionCaches : public testing::Test {
 protected:
  struct Session {
    SessionCookie cookie = make_session_cookie(kNow, 3600);
    StoreKey key = store_key(cookie.sid_view());
    std::string envelope;
    std::shared_ptr<const OpenSession> opened;
  };

  [[nodiscard]] Session make(std::string_view access_token = "token") const {
    Session session;
    SessionRecord record = test::sample_record();
    record.access_token = access_token;
    session.envelope =
        seal_envelope(encode_record(record), session.cookie.sid_view(), keys_, identity());
    session.opened = *open_session(session.envelope, session.cookie, session.key, keys_, identity());
    return session;
  }
  // What a request does that finds the session in the store.
  void read(const Session& session, std::uint64_t now = kStart, Milliseconds left = 900s) {
    const SessionCache::Reading reading(cache_, session.key, now);
    cache_.confirm(reading, envelope_generation(session.envelope), CacheMark{0, 1}, left);
    cache_.keep(session.opened, keys_, identity());
  }
  [[nodiscard]] bool has(const Session& session, std::uint64_t now = kStart) {
    return cache_.find(session.cookie, keys_, identity(), now) == session.opened;
  }

  const KeyRing keys_ = key_ring({kSecret});
  Watched watched_;
  SessionCache cache_{{1024 * 1024, 60s, 0s}, watched_};
};

TEST_F(SessionCaches, AnswerWhatWasReadAndOpened) {
  const Session session = make();
  EXPECT_FALSE(has(session));
  read(session);
  EXPECT_TRUE(has(session));
  EXPECT_EQ(cache_.left(session.key, kStart + 1000), 899s);
}

TEST_F(SessionCaches, BelongToOneIdentityAndOneKeyRing) {
  const Session session = make();
  read(session);
  const KeyRing equal = key_ring({kSecret});
  EXPECT_FALSE(cache_.find(session.cookie, keys_, identity("another"), kStart));
  EXPECT_FALSE(cache_.find(session.cookie, keys_, std::string(), kStart));
  EXPECT_FALSE(cache_.find(session.cookie, equal, identity(), kStart));
  EXPECT_TRUE(has(session));
}

TEST_F(SessionCaches, KeepNothingThatWasNotConfirmed) {
  const Session session = make();
  cache_.keep(session.opened, keys_, identity());
  EXPECT_FALSE(has(session));
  EXPECT_EQ(cache_.stats().entries, 0U);
}

TEST_F(SessionCaches, KeepNothingOfAnotherGeneration) {
  const Session old = make();
  Session renewed = old;
  SessionRecord record = test::sample_record();
  record.access_token = "renewed";
  renewed.envelope =
      seal_envelope(encode_record(record), old.cookie.sid_view(), keys_, identity());
  renewed.opened = *open_session(renewed.envelope, old.cookie, old.key, keys_, identity());
  read(old);
  const SessionCache::Reading reading(cache_, old.key, kStart);
  cache_.confirm(reading, envelope_generation(renewed.envelope), CacheMark{0, 1}, 900s);
  EXPECT_FALSE(has(old));  // confirmed anew, not opened yet
  cache_.keep(old.opened, keys_, identity());
  EXPECT_FALSE(has(old));
  cache_.keep(renewed.opened, keys_, identity());
  EXPECT_TRUE(has(renewed));
}

TEST_F(SessionCaches, LoseWhatHasChanged) {
  const Session one = make(), two = make();
  read(one);
  read(two);
  cache_.invalidate(one.key);
  EXPECT_FALSE(has(one));
  EXPECT_TRUE(has(two));
  cache_.flush();
  EXPECT_FALSE(has(two));
  EXPECT_EQ(cache_.stats().bytes, 0U);
}

TEST_F(SessionCaches, CountTheHeadersThatAreMadeOfASession) {
  const Session session = make();
  read(session);
  const std::size_t before = cache_.stats().bytes;
  session.opened->preparations().keep(1, nullptr, 5000);
  EXPECT_TRUE(has(session));
  EXPECT_EQ(cache_.stats().bytes, before + 5000);
  session.opened->preparations().keep(1, nullptr, 2000);  // made anew
  session.opened->preparations().keep(2, nullptr, 100);
  EXPECT_TRUE(has(session));
  EXPECT_EQ(cache_.stats().bytes, before + 2100);
  read(session);
  EXPECT_EQ(cache_.stats().bytes, before + 2100);
  session.opened->preparations().keep(3, nullptr, 2 * 1024 * 1024);
  EXPECT_TRUE(has(session)) << "this one hit";
  EXPECT_EQ(cache_.stats().entries, 0U) << "larger than the cache";
  EXPECT_EQ(cache_.stats().bytes, 0U);
  EXPECT_FALSE(has(session));
}

TEST_F(SessionCaches, DropAnAnswerThatAChangeOvertook) {
  const Session session = make();
  for (const bool flush : {false, true}) {
    const SessionCache::Reading early(cache_, session.key, kStart);
    if (flush) {
      cache_.flush();
    } else {
      cache_.invalidate(session.key);
    }
    const SessionCache::Reading late(cache_, session.key, kStart);
    cache_.confirm(early, envelope_generation(session.envelope), CacheMark{0, 1}, 900s);
    cache_.keep(session.opened, keys_, identity());
    EXPECT_FALSE(has(session));
    cache_.confirm(late, envelope_generation(session.envelope), CacheMark{0, 1}, 900s);
    cache_.keep(session.opened, keys_, identity());
    EXPECT_TRUE(has(session));
    cache_.invalidate(session.key);
  }
}

TEST_F(SessionCaches, AreOfNoUseWhereNobodyWatches) {
  const Session session = make();
  read(session);
  watched_.live = 2;
  EXPECT_FALSE(has(session));
  EXPECT_FALSE(cache_.left(session.key, kStart));
  read(session);  // under a mark that does not count
  EXPECT_FALSE(has(session));
}

TEST_F(SessionCaches, NeverOutliveTheRecord) {
  const Session session = make();
  read(session, kStart, 5s);
  EXPECT_TRUE(has(session, kStart + 4999));
  EXPECT_FALSE(has(session, kStart + 5000));
  EXPECT_EQ(cache_.stats().entries, 0U);
  read(session, kStart, -5s);
  EXPECT_FALSE(has(session, kStart));
}

TEST_F(SessionCaches, AskAgainAfterMaxAge) {
  const Session session = make();
  read(session);
  EXPECT_TRUE(has(session, kStart + 59'999));
  EXPECT_FALSE(has(session, kStart + 60'000));
  read(session, kStart + 60'000);
  EXPECT_TRUE(has(session, kStart + 60'000));
}

TEST_F(SessionCaches, StayWithinTheirBytes) {
  const std::string token(3000, 't');
  std::vector<Session> sessions;
  for (int i = 0; i < 1000; ++i) {
    sessions.push_back(make(token));
    read(sessions.back());
    EXPECT_TRUE(has(sessions.front()));  // in use: never the one that goes
    ASSERT_LE(cache_.stats().bytes, 1024U * 1024U);
  }
  const SessionCache::Stats stats = cache_.stats();
  EXPECT_GT(stats.entries, 200U);
  EXPECT_EQ(stats.entries + stats.evicted, 1000U);
  EXPECT_TRUE(has(sessions.back()));
  EXPECT_FALSE(has(sessions[1]));
}

TEST_F(SessionCaches, HoldNothingThatIsLargerThanTheyAre) {
  SessionCache tiny({1024, 60s, 0s}, watched_);
  const Session session = make(std::string(2000, 't'));
  const SessionCache::Reading reading(tiny, session.key, kStart);
  tiny.confirm(reading, envelope_generation(session.envelope), CacheMark{0, 1}, 900s);
  tiny.keep(session.opened, keys_, identity());
  EXPECT_FALSE(tiny.find(session.cookie, keys_, identity(), kStart));
  EXPECT_EQ(tiny.stats().bytes, 0U);
}

class SessionCachesInOutage : public SessionCaches {
 protected:
  SessionCachesInOutage() { watched_.live = 1; }
  SessionCache held_{{1024 * 1024, 60s, 300s}, watched_};

  [[nodiscard]] bool serves(const Session& session, std::uint64_t now, Milliseconds within) {
    return held_.find_confirmed(session.key, keys_, identity(), now, within) == session.opened;
  }
  void confirm(const Session& session, Milliseconds left, std::uint64_t version = 1) {
    const SessionCache::Reading reading(held_, session.key, kStart);
    held_.confirm(reading, envelope_generation(session.envelope), CacheMark{0, version}, left);
    held_.keep(session.opened, keys_, identity());
  }
};

TEST_F(SessionCachesInOutage, ServeWhatTheStoreConfirmed) {
  const Session session = make();
  confirm(session, 900s);
  watched_.live = 0;
  EXPECT_FALSE(held_.find(session.cookie, keys_, identity(), kStart));
  EXPECT_TRUE(serves(session, kStart + 299'999, 300s));
  EXPECT_FALSE(serves(session, kStart + 300'000, 300s));
}

TEST_F(SessionCachesInOutage, CountFromTheConfirmationAlone) {
  const Session session = make();
  confirm(session, 900s);
  for (std::uint64_t now = kStart; now < kStart + 10'000; now += 1000) {
    EXPECT_TRUE(serves(session, now, 10s));  // use prolongs nothing
  }
  EXPECT_FALSE(serves(session, kStart + 10'000, 10s));
}

TEST_F(SessionCachesInOutage, EndWithTheRecord) {
  const Session session = make();
  confirm(session, 20s);
  EXPECT_TRUE(serves(session, kStart + 19'999, 300s));
  EXPECT_FALSE(serves(session, kStart + 20'000, 300s));
}

TEST_F(SessionCachesInOutage, KeepWhatNobodyWatchesButNotWhatHasChanged) {
  const Session unwatched = make(), changed = make();
  confirm(unwatched, 900s, 7);
  confirm(changed, 900s);
  held_.invalidate(changed.key);
  EXPECT_FALSE(held_.find(unwatched.cookie, keys_, identity(), kStart));
  EXPECT_TRUE(serves(unwatched, kStart, 300s));
  EXPECT_FALSE(serves(changed, kStart, 300s));
}

TEST_F(SessionCachesInOutage, KeepNothingFromBeforeAFailover) {
  const Session before = make(), underway = make();
  confirm(before, 900s);
  watched_.place = 1;
  confirm(underway, 900s);  // asked before, answered after it
  EXPECT_FALSE(serves(underway, kStart, 300s));
  EXPECT_FALSE(serves(before, kStart, 300s));
  watched_.place = 0;
  EXPECT_FALSE(serves(before, kStart, 300s));
}

}  // namespace
}  // namespace oidc
