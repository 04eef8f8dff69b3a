// Whatever is done to what we sealed, it is nothing: each bit changed, cut anywhere, joined with
// another one of ours, brought to another tenant, session, name, secret or purpose.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "oidc/base64url.h"
#include "oidc/pending_login.h"
#include "oidc/session.h"
#include "random_input.h"
#include "result_code.h"
#include "session_sample.h"

namespace oidc {
namespace {

using test::code_of;
using test::for_each_damage;
using test::kNow;

class HostileInput : public test::RandomInput {
 protected:
  SessionCookie any_cookie() {
    SessionCookie cookie = make_session_cookie(kNow - static_cast<Seconds>(below(100'000)), 0);
    if (below(2) == 0) cookie.absolute_end = kNow + 1 + static_cast<Seconds>(below(1U << 30));
    return cookie;
  }
  // Its texts live as long as the test.
  SessionRecord any_record() {
    SessionRecord record;
    record.method = static_cast<std::uint8_t>(below(256));
    for (Seconds* time : {&record.created, &record.absolute_end, &record.access_expires,
                          &record.tokens_since, &record.auth_time, &record.sid_since}) {
      *time = static_cast<Seconds>(below(static_cast<std::size_t>(-1)));
    }
    for (std::string_view* text :
         {&record.subject, &record.provider_sid, &record.scope, &record.access_token, &record.nonce,
          &record.acr, &record.previous, &record.remember_sid, &record.next_sid,
          &record.introspection}) {
      *text = keep(bytes(24));
    }
    record.refresh_token = keep(bytes(40));
    record.id_token = keep("eyJhbGciOiJFUzI1NiJ9." + base64url_encode(bytes(40)) + ".c2ln");
    return record;
  }
  PendingLogin any_login() {
    PendingLogin login;
    login.created = kNow;
    login.nonce = bytes(32);
    login.code_verifier = bytes(43);
    login.state_hash = bytes(32);
    login.redirect_uri = bytes(60);
    login.restarts = static_cast<std::uint8_t>(below(256));
    return login;
  }

  const KeyRing keys_ = test::key_ring({std::string(32, 'k') + bytes(32)});
  const KeyRing others_ = test::key_ring({std::string(32, 'o') + bytes(32)});
  const std::string identity_ = test::sha256_text("a" + bytes(40));
  const std::string tenant_ = test::sha256_text("b" + bytes(40));

 private:
  const std::string& keep(std::string text) {
    kept_.push_back(std::make_unique<std::string>(std::move(text)));
    return *kept_.back();
  }
  std::vector<std::unique_ptr<std::string>> kept_;
};

TEST_F(HostileInput, SessionAndRememberCookies) {
  const std::string name = "__Host-session";
  for (const KeyRing* keys : {&keys_, &keys_.remember()}) {
    const KeyRing& purpose = keys == &keys_ ? keys_.remember() : keys_;
    repeatedly([&] {
      const SessionCookie cookie = any_cookie();
      const std::string value = seal_session_cookie(cookie, *keys, name, identity_);
      const std::string other = seal_session_cookie(any_cookie(), *keys, name, identity_);
      const auto opens = [&](std::string_view text) {
        return open_session_cookie(text, *keys, name, identity_, kNow).has_value();
      };
      ASSERT_TRUE(opens(value));
      for_each_damage(value, other, 0,
                      [&](const std::string& damaged) { ASSERT_FALSE(opens(damaged)) << damaged; });
      for_each_damage(
          *base64url_decode(value), *base64url_decode(other), 0,
          [&](const std::string& damaged) { ASSERT_FALSE(opens(base64url_encode(damaged))); });
      ASSERT_FALSE(opens(value + bytes(8) + "A"));
      ASSERT_FALSE(open_session_cookie(value, *keys, name + "2", identity_, kNow));
      ASSERT_FALSE(open_session_cookie(value, *keys, name, tenant_, kNow));
      ASSERT_FALSE(open_session_cookie(value, others_, name, identity_, kNow));
      ASSERT_FALSE(open_session_cookie(value, others_.remember(), name, identity_, kNow));
      ASSERT_FALSE(open_session_cookie(value, purpose, name, identity_, kNow));
    });
  }
}

TEST_F(HostileInput, Envelopes) {
  repeatedly([&] {
    const SessionCookie cookie = any_cookie();
    const SessionCookie stranger = any_cookie();
    const std::string record = encode_record(any_record());
    const std::string envelope = seal_envelope(record, cookie.sid_view(), keys_, identity_);
    // The same session's next generation.
    const std::string next = seal_envelope(record, cookie.sid_view(), keys_, identity_);
    const auto open = [](std::string_view text, const SessionCookie& of, const KeyRing& keys,
                         const std::string& who) {
      return code_of(open_session(text, of, store_key(of.sid_view()), keys, who));
    };
    ASSERT_EQ(open(envelope, cookie, keys_, identity_), Errc::none);
    for_each_damage(envelope, next, 1500, [&](const std::string& damaged) {
      ASSERT_EQ(open(damaged, cookie, keys_, identity_), Errc::session_record_invalid);
    });
    for (const Errc refused :
         {open(envelope, stranger, keys_, identity_), open(envelope, cookie, keys_, tenant_),
          open(envelope, cookie, others_, identity_),
          open(envelope, cookie, keys_.remember(), identity_),
          open(envelope + bytes(8) + "x", cookie, keys_, identity_),
          open(bytes(300), cookie, keys_, identity_)}) {
      ASSERT_EQ(refused, Errc::session_record_invalid);
    }
  });
}

// Nobody can write these without the secret; but an older or a newer version of ours might.
TEST_F(HostileInput, Records) {
  repeatedly([&] {
    const std::string record = encode_record(any_record());
    const std::string other = encode_record(any_record());
    ASSERT_TRUE(decode_record(record));
    for_each_damage(record, other, 0, [&](const std::string& damaged) {
      const Result<SessionRecord> opened = decode_record(damaged);
      if (!opened) {
        ASSERT_EQ(opened.error().code, Errc::session_record_invalid);
      } else {
        ASSERT_EQ(encode_record(*opened), damaged);
      }
    });
    for (std::size_t size = 0; size < record.size(); ++size) {
      ASSERT_FALSE(decode_record(std::string_view(record).substr(0, size)));
    }
  });
}

TEST_F(HostileInput, PendingLoginsAndLogouts) {
  const std::string name = "__Host-login_6553f100abcdefgh";
  repeatedly([&] {
    const std::string login = seal_pending_login(any_login(), keys_, name, identity_);
    const std::string logout =
        seal_pending_logout({kNow, bytes(30), bytes(8)}, keys_, name, identity_);
    const auto opens = [](std::string_view text, const KeyRing& keys, const std::string& cookie,
                          const std::string& who) {
      return std::make_pair(open_pending_login(text, keys, cookie, who).has_value(),
                            open_pending_logout(text, keys, cookie, who).has_value());
    };
    const auto nothing = std::make_pair(false, false);
    ASSERT_EQ(opens(login, keys_, name, identity_), std::make_pair(true, false));
    ASSERT_EQ(opens(logout, keys_, name, identity_), std::make_pair(false, true));
    for (const auto& [text, another] :
         {std::make_pair(login, logout), std::make_pair(logout, login)}) {
      for_each_damage(text, another, 1000, [&](const std::string& damaged) {
        ASSERT_EQ(opens(damaged, keys_, name, identity_), nothing) << damaged;
      });
      ASSERT_EQ(opens(text, keys_, name + "i", identity_), nothing);
      ASSERT_EQ(opens(text, keys_, name, tenant_), nothing);
      ASSERT_EQ(opens(text, others_, name, identity_), nothing);
      ASSERT_EQ(opens(text, keys_.remember(), name, identity_), nothing);
      ASSERT_FALSE(open_state(text, keys_, identity_));
    }
  });
}

TEST_F(HostileInput, States) {
  repeatedly([&] {
    LoginState state;
    state.login_id = "6553f100abcdefgh";
    state.created = kNow;
    state.settings = bytes(8);
    for (std::size_t i = below(40); i > 0; --i) state.target.append("/wanted?a=b");
    const auto sealed = seal_state(state, keys_, identity_);
    state.login_id = "6553f100abcdefgi";
    const auto other = seal_state(state, keys_, identity_);
    ASSERT_TRUE(sealed && other);
    ASSERT_EQ(open_state(*sealed, keys_, identity_)->target, state.target);
    for_each_damage(*sealed, *other, 1000, [&](const std::string& damaged) {
      ASSERT_FALSE(open_state(damaged, keys_, identity_)) << damaged;
    });
    ASSERT_FALSE(open_state(*sealed, keys_, tenant_));
    ASSERT_FALSE(open_state(*sealed, others_, identity_));
    ASSERT_FALSE(open_pending_login(*sealed, keys_, "", identity_));
  });
}

}  // namespace
}  // namespace oidc
