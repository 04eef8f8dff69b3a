#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>

#include "oidc/session.h"
#include "result_code.h"
#include "session_sample.h"

namespace oidc {
namespace {

using namespace std::chrono_literals;
using test::code_of;
using test::kNow;
using test::sample_record;

TEST(SessionRecord, RoundTrip) {
  const std::string bytes = encode_record(sample_record());
  const Result<SessionRecord> record = decode_record(bytes);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->method, 2);
  EXPECT_EQ(record->created, kNow);
  EXPECT_EQ(record->absolute_end, kNow + 86400);
  EXPECT_EQ(record->access_expires, kNow + 300);
  EXPECT_EQ(record->tokens_since, kNow);
  EXPECT_EQ(record->auth_time, kNow - 5);
  EXPECT_EQ(record->subject, "alice");
  EXPECT_EQ(record->provider_sid, "provider-session");
  EXPECT_EQ(record->scope, "openid profile");
  EXPECT_EQ(record->access_token, "the-access-token");
  EXPECT_EQ(record->refresh_token, "the-refresh-token");
  EXPECT_EQ(record->id_token, "header.payload.signature");
  EXPECT_EQ(record->nonce, "the-nonce");
  EXPECT_EQ(record->acr, "gold");
  EXPECT_EQ(record->answer_jwt, "the.signed.answer");
  EXPECT_EQ(record->jwk, R"({"kty":"EC"})");
}

TEST(SessionRecord, ItsTextsPointIntoTheBytes) {
  const std::string bytes = encode_record(sample_record());
  const Result<SessionRecord> record = decode_record(bytes);
  ASSERT_TRUE(record);
  for (const std::string_view text : {record->subject, record->access_token, record->nonce}) {
    EXPECT_GE(text.data(), bytes.data());
    EXPECT_LE(text.data() + text.size(), bytes.data() + bytes.size());
  }
}

TEST(SessionRecord, HoldsAnyTokenOfAnySize) {
  SessionRecord before = sample_record();
  const std::string large(100'000, 't');
  before.access_token = large;
  before.refresh_token = {};
  before.access_expires = std::numeric_limits<Seconds>::max();
  before.created = std::numeric_limits<Seconds>::min();
  const std::string bytes = encode_record(before);
  const Result<SessionRecord> record = decode_record(bytes);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->access_token, large);
  EXPECT_EQ(record->refresh_token, "");
  EXPECT_EQ(record->access_expires, before.access_expires);
  EXPECT_EQ(record->created, before.created);
}

TEST(SessionRecord, CutShortAtAnyLengthIsRefused) {
  const std::string bytes = encode_record(sample_record());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(code_of(decode_record(std::string_view(bytes).substr(0, size))),
              Errc::session_record_invalid)
        << size;
  }
  EXPECT_EQ(code_of(decode_record(bytes + '\0')), Errc::session_record_invalid);
}

TEST(SessionRecord, AnotherVersionIsRefused) {
  std::string bytes = encode_record(sample_record());
  const int known = static_cast<unsigned char>(bytes[0]);
  for (const int version : {0, known - 1, known + 1, 255}) {
    bytes[0] = static_cast<char>(version);
    EXPECT_EQ(code_of(decode_record(bytes)), Errc::session_record_invalid) << version;
  }
}

TEST(OpenedSession, OwnsItsBytes) {
  const SessionCookie cookie = make_session_cookie(kNow, 3600);
  const StoreKey key = store_key(cookie.sid_view());
  auto session = OpenSession::make(cookie, key, "generatn", encode_record(sample_record()));
  ASSERT_TRUE(session);
  const std::shared_ptr<const OpenSession> copy = *session;
  EXPECT_EQ(copy->record().subject, "alice");
  EXPECT_EQ(copy->record().access_token, "the-access-token");
  EXPECT_EQ(copy->cookie().sid, cookie.sid);
  EXPECT_EQ(copy->key(), key);
  EXPECT_EQ(copy->generation(), "generatn");
  EXPECT_EQ(code_of(OpenSession::make(cookie, key, "generatn", "garbage")),
            Errc::session_record_invalid);
}

TEST(StoreTtl, IsTheNearerOfIdleAndAbsoluteEnd) {
  EXPECT_EQ(store_ttl(kNow + 86400, 900, kNow), 900s);
  EXPECT_EQ(store_ttl(kNow + 100, 900, kNow), 100s);
  EXPECT_EQ(store_ttl(kNow + 86400, 0, kNow), 86400s);
  EXPECT_EQ(store_ttl(0, 900, kNow), 900s);
}

TEST(StoreTtl, OfAnEndedSessionIsNotPositive) {
  EXPECT_LE(store_ttl(kNow, 900, kNow), 0s);
  EXPECT_LE(store_ttl(kNow - 1000, 900, kNow), 0s);
}

TEST(StoreTtl, WithoutAnyTimeoutIsStillFinite) {
  EXPECT_GT(store_ttl(0, 0, kNow), 24h * 365);
  EXPECT_LE(store_ttl(0, 0, kNow), 24h * 400);
  const Seconds never = std::numeric_limits<Seconds>::max();
  EXPECT_LE(store_ttl(never, 0, kNow), 24h * 400);
}

}  // namespace
}  // namespace oidc
