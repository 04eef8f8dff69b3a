#include "oidc/pending_login.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "session_sample.h"

namespace oidc {
namespace {

using test::identity;
using test::key_ring;
using test::kNow;
using test::kSecret;

constexpr std::string_view kName = "__Host-login_6553f100abcdefgh";

PendingLogin sample() {
  PendingLogin login;
  login.created = kNow;
  login.nonce = "the-nonce";
  login.code_verifier = "the-verifier";
  login.state_hash = test::sha256_text("state");
  login.redirect_uri = "https://app.example.org/callback";
  login.replaces = std::string(43, 'k');
  login.prompt_none = true;
  login.restarts = 1;
  return login;
}

TEST(LoginId, ShowsItsTime) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string id = make_login_id(kNow);
    EXPECT_EQ(id.size(), 16U);
    EXPECT_EQ(login_id_time(id), kNow);
    EXPECT_TRUE(seen.insert(id).second);
  }
  EXPECT_EQ(make_login_id(kNow).substr(0, 8), "6553f100");
}

TEST(LoginId, WhatIsNoneHasNoTime) {
  for (const char* id : {"", "6553f100", "6553f100abcdefg", "6553f100abcdefghi", "6553g100abcdefgh",
                         "-553f100abcdefgh", " 553f100abcdefgh", "+553f100abcdefgh",
                         "0x53f100abcdefgh", "00000000abcdefgh"}) {
    EXPECT_EQ(login_id_time(id), 0) << id;
  }
}

class PendingLogins : public testing::Test {
 protected:
  [[nodiscard]] std::string seal(const PendingLogin& login) const {
    return seal_pending_login(login, keys_, kName, identity());
  }
  [[nodiscard]] std::optional<PendingLogin> open(std::string_view value) const {
    return open_pending_login(value, keys_, kName, identity());
  }
  const KeyRing keys_ = key_ring({kSecret});
};

TEST_F(PendingLogins, RoundTrip) {
  const std::optional<PendingLogin> login = open(seal(sample()));
  ASSERT_TRUE(login);
  EXPECT_EQ(login->created, kNow);
  EXPECT_EQ(login->nonce, "the-nonce");
  EXPECT_EQ(login->code_verifier, "the-verifier");
  EXPECT_EQ(login->state_hash, test::sha256_text("state"));
  EXPECT_EQ(login->redirect_uri, "https://app.example.org/callback");
  EXPECT_EQ(login->replaces, std::string(43, 'k'));
  EXPECT_TRUE(login->prompt_none);
  EXPECT_EQ(login->restarts, 1);
}

TEST_F(PendingLogins, RoundTripOfTheEmptyOne) {
  const std::optional<PendingLogin> login = open(seal(PendingLogin{}));
  ASSERT_TRUE(login);
  EXPECT_EQ(login->code_verifier, "");
  EXPECT_FALSE(login->prompt_none);
  EXPECT_EQ(login->restarts, 0);
}

TEST_F(PendingLogins, AreSmallAndShowNothing) {
  const std::string value = seal(sample());
  EXPECT_LT(kName.size() + value.size(), 600U);
  EXPECT_EQ(value.find("nonce"), std::string::npos);
  EXPECT_NE(value, seal(sample()));
}

TEST_F(PendingLogins, BelongToTheirCookieIdentityAndKey) {
  const std::string value = seal(sample());
  EXPECT_TRUE(open(value));
  EXPECT_FALSE(open_pending_login(value, keys_, "__Host-login_6553f100abcdefgi", identity()));
  EXPECT_FALSE(open_pending_login(value, keys_, "login_6553f100abcdefgh", identity()));
  EXPECT_FALSE(open_pending_login(value, keys_, kName, identity("other")));
  EXPECT_FALSE(open_pending_login(value, key_ring({test::kNewSecret}), kName, identity()));
  const KeyRing rotated = key_ring({test::kNewSecret, kSecret});
  EXPECT_TRUE(open_pending_login(value, rotated, kName, identity()));
}

TEST_F(PendingLogins, EveryBitAndEveryLengthCount) {
  const std::string value = seal(sample());
  test::for_each_bit_flip(value, [this](const std::string& flipped, std::size_t at) {
    EXPECT_FALSE(open(flipped)) << at;
  });
  for (std::size_t size = 0; size < value.size(); ++size) {
    EXPECT_FALSE(open(std::string_view(value).substr(0, size))) << size;
  }
  EXPECT_FALSE(open(value + "A"));
}

TEST_F(PendingLogins, AStateIsNotOne) {
  LoginState state;
  state.login_id = "6553f100abcdefgh";
  const std::optional<std::string> sealed = seal_state(state, keys_, identity());
  ASSERT_TRUE(sealed);
  EXPECT_FALSE(open_pending_login(*sealed, keys_, kName, identity()));
  EXPECT_FALSE(open_pending_login(*sealed, keys_, "", identity()));
  EXPECT_FALSE(open_state(seal_pending_login(sample(), keys_, "", identity()), keys_, identity()));
}

}  // namespace
}  // namespace oidc
