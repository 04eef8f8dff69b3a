#include <gtest/gtest.h>

#include <array>
#include <string>

#include "oidc/session.h"
#include "result_code.h"
#include "session_sample.h"

namespace oidc {
namespace {

using test::code_of;
using test::identity;
using test::key_ring;
using test::kNow;
using test::kSecret;

class Envelopes : public testing::Test {
 protected:
  [[nodiscard]] std::string seal() const {
    return seal_envelope(record_, cookie_.sid_view(), keys_, identity());
  }
  [[nodiscard]] bool opens(const std::string& envelope) const {
    return opens_with(envelope, cookie_.sid_view(), keys_, identity());
  }
  [[nodiscard]] static bool opens_with(const std::string& envelope, std::string_view sid,
                                       const KeyRing& keys, const std::string& who) {
    std::array<unsigned char, 4096> out;
    return open_envelope_into(envelope, sid, keys, who, out) >= 0;
  }

  const KeyRing keys_ = key_ring({kSecret});
  const SessionCookie cookie_ = make_session_cookie(kNow, 3600);
  const StoreKey key_ = store_key(cookie_.sid_view());
  const std::string record_ = encode_record(test::sample_record());
};

TEST_F(Envelopes, RoundTrip) {
  const std::string envelope = seal();
  EXPECT_EQ(envelope.size(), record_.size() + kEnvelopeOverhead);
  std::array<unsigned char, 4096> out;
  const int size = open_envelope_into(envelope, cookie_.sid_view(), keys_, identity(), out);
  ASSERT_EQ(size, static_cast<int>(record_.size()));
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(out.data()), record_.size()), record_);

  const auto session = open_session(envelope, cookie_, key_, keys_, identity());
  ASSERT_TRUE(session);
  EXPECT_EQ((*session)->record().subject, "alice");
  EXPECT_EQ((*session)->generation(), envelope_generation(envelope));
  EXPECT_EQ((*session)->key(), key_);
}

TEST_F(Envelopes, ShowNothingOfTheRecord) {
  const std::string envelope = seal();
  for (const std::string_view text : {"alice", "the-access-token", "provider-session"}) {
    EXPECT_EQ(envelope.find(text), std::string::npos) << text;
  }
}

TEST_F(Envelopes, EachSealIsAnotherGeneration) {
  const std::string a = seal();
  const std::string b = seal();
  EXPECT_EQ(envelope_generation(a).size(), kGenerationSize);
  EXPECT_NE(envelope_generation(a), envelope_generation(b));
  EXPECT_NE(a.substr(kGenerationSize), b.substr(kGenerationSize));
}

TEST_F(Envelopes, EveryBitCounts) {
  test::for_each_bit_flip(seal(), [this](const std::string& flipped, std::size_t at) {
    EXPECT_FALSE(opens(flipped)) << at;
  });
}

TEST_F(Envelopes, EveryLengthCounts) {
  const std::string envelope = seal();
  for (std::size_t size = 0; size < envelope.size(); ++size) {
    EXPECT_FALSE(opens(envelope.substr(0, size))) << size;
    EXPECT_EQ(code_of(open_session(envelope.substr(0, size), cookie_, key_, keys_, identity())),
              Errc::session_record_invalid)
        << size;
  }
  EXPECT_FALSE(opens(envelope + "x"));
}

TEST_F(Envelopes, BelongToSidIdentityAndKey) {
  const std::string envelope = seal();
  EXPECT_TRUE(opens(envelope));
  const SessionCookie other = make_session_cookie(kNow, 3600);
  EXPECT_FALSE(opens_with(envelope, other.sid_view(), keys_, identity()));
  EXPECT_FALSE(opens_with(envelope, cookie_.sid_view(), keys_, identity("other")));
  EXPECT_FALSE(opens_with(envelope, cookie_.sid_view(), key_ring({test::kNewSecret}), identity()));
}

TEST_F(Envelopes, TheGenerationIsAuthenticated) {
  const std::string a = seal();
  const std::string b = seal();
  EXPECT_FALSE(opens(std::string(envelope_generation(a)) + b.substr(kGenerationSize)));
}

TEST_F(Envelopes, AnOldKeyOpens) {
  const std::string envelope = seal();
  const KeyRing rotated = key_ring({test::kNewSecret, kSecret});
  EXPECT_TRUE(opens_with(envelope, cookie_.sid_view(), rotated, identity()));
}

TEST_F(Envelopes, AnEmptyRecordFitsAndATooSmallBufferDoesNot) {
  const std::string empty = seal_envelope("", cookie_.sid_view(), keys_, identity());
  EXPECT_EQ(empty.size(), kEnvelopeOverhead);
  EXPECT_EQ(open_envelope_into(empty, cookie_.sid_view(), keys_, identity(), {}), 0);
  EXPECT_EQ(code_of(open_session(empty, cookie_, key_, keys_, identity())),
            Errc::session_record_invalid);
  std::array<unsigned char, 8> small;
  EXPECT_EQ(open_envelope_into(seal(), cookie_.sid_view(), keys_, identity(), small), -1);
}

}  // namespace
}  // namespace oidc
