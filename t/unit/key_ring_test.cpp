#include "oidc/key_ring.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "session_sample.h"

namespace oidc {
namespace {

using test::key_ring;
using test::kNewSecret;
using test::kSecret;

TEST(KeyRing, TheSameSecretGivesTheSameKeys) {
  const KeyRing a = key_ring({kSecret});
  const KeyRing b = key_ring({kSecret});
  EXPECT_EQ(a.sealing().id(), b.sealing().id());
  EXPECT_EQ(a.sealing().login_key(), b.sealing().login_key());
  EXPECT_EQ(a.sealing().state_key(), b.sealing().state_key());
  EXPECT_EQ(a.sealing().record_key("sid"), b.sealing().record_key("sid"));
  EXPECT_EQ(a.sealing().cookie_mac().sign("x"), b.sealing().cookie_mac().sign("x"));
}

TEST(KeyRing, EachPurposeAndEachSecretHasItsOwnKey) {
  std::set<std::string> seen;
  for (const std::string_view secret : {kSecret, kNewSecret}) {
    const KeyRing ring = key_ring({secret});
    const SessionKeys& keys = ring.sealing();
    EXPECT_TRUE(seen.insert(std::string(keys.login_key())).second);
    EXPECT_TRUE(seen.insert(std::string(keys.state_key())).second);
    for (const char* sid : {"", "sid", "sid2"}) {
      const Sha256 key = keys.record_key(sid);
      EXPECT_TRUE(seen.insert(std::string(as_view(key))).second);
    }
    EXPECT_TRUE(seen.insert(std::string(keys.id())).second);
  }
}

TEST(KeyRing, TheFirstSealsAndAllAreFound) {
  const KeyRing ring = key_ring({kNewSecret, kSecret});
  const KeyRing old = key_ring({kSecret});
  const KeyRing fresh = key_ring({kNewSecret});
  EXPECT_EQ(ring.sealing().id(), fresh.sealing().id());
  const SessionKeys* found = ring.find(old.sealing().id());
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->state_key(), old.sealing().state_key());
  EXPECT_EQ(ring.find(ring.sealing().id()), &ring.sealing());
}

TEST(KeyRing, UnknownIdsAreNotFound) {
  const KeyRing ring = key_ring({kSecret});
  const KeyRing other = key_ring({kNewSecret});
  EXPECT_EQ(ring.find(other.sealing().id()), nullptr);
  EXPECT_EQ(ring.find(""), nullptr);
  EXPECT_EQ(ring.find(ring.sealing().id().substr(0, 3)), nullptr);
  EXPECT_EQ(ring.find(std::string(ring.sealing().id()) + "x"), nullptr);
}

// Three steps: accept the new one everywhere, seal with it, drop the old one.
TEST(KeyRotation, LosesNoSession) {
  const KeyRing before = key_ring({kSecret});
  const KeyRing accepting = key_ring({kSecret, kNewSecret});
  const KeyRing sealing = key_ring({kNewSecret, kSecret});
  const KeyRing after = key_ring({kNewSecret});
  const SessionCookie cookie = make_session_cookie(test::kNow, 3600);
  const auto opens = [&cookie](const KeyRing& with, const KeyRing& sealed_by) {
    const std::string value =
        seal_session_cookie(cookie, sealed_by, test::kCookieName, test::identity());
    const auto opened =
        open_session_cookie(value, with, test::kCookieName, test::identity(), test::kNow);
    return opened && opened->sid == cookie.sid;
  };
  // Neighbouring steps understand each other, in both directions.
  EXPECT_TRUE(opens(accepting, before) && opens(before, accepting));
  EXPECT_TRUE(opens(sealing, accepting) && opens(accepting, sealing));
  EXPECT_TRUE(opens(after, sealing) && opens(sealing, after));
  // Two steps at once do not.
  EXPECT_FALSE(opens(before, sealing));
  EXPECT_FALSE(opens(after, accepting));
}

}  // namespace
}  // namespace oidc
