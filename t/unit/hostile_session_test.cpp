// The same inputs at the flows: no session, for the reason that they are, told once, and the store
// and the provider are not asked where that is not needed.
#include <gtest/gtest.h>

#include <string>

#include "flow/remember.h"
#include "random_input.h"
#include "scripted_world.h"

namespace oidc {
namespace {

using namespace test;

constexpr std::size_t kSome = 300;

Settings hostile_settings() {
  Settings settings = sample_settings();
  settings.session.remember.on = true;
  settings.session.remember.cookie.name = "remember";
  return settings;
}

class HostileSession : public test::RandomInput {
 protected:
  HostileSession() : world_(hostile_settings()) {
    world_.log_in(browser_);
    world_.log_in(other_);
    world_.settle();
  }
  ~HostileSession() override { world_.loop.cancel_tasks(); }

  [[nodiscard]] static std::string value_of(const Browser& browser, std::string_view name) {
    return browser.cookies.at(std::string(name)).value;
  }
  // Of a browser that has this one cookie.
  Outcome ask_with(std::string_view name, std::string value, bool navigates = false) {
    Browser browser;
    browser.cookies[std::string(name)] = {std::move(value), ""};
    return world_.access(navigates ? browser.navigate("/") : browser.fetch("/"));
  }
  void expect_one_line(const Outcome& outcome, Errc reason) {
    const std::size_t lines = outcome.reason == reason ? 1 : 0;
    EXPECT_EQ(lines + world_.log.count(reason), 1U) << describe(outcome);
    world_.log.lines.clear();
  }

  World world_;
  Browser browser_;
  Browser other_;
};

TEST_F(HostileSession, CookiesAreNoSession) {
  const std::string ours = value_of(browser_, kCookieName);
  world_.io.forget();
  for_each_damage(ours, value_of(other_, kCookieName), 0, [&](const std::string& damaged) {
    const Outcome outcome = ask_with(kCookieName, damaged);
    ASSERT_TRUE(denies(outcome, Errc::session_invalid)) << describe(outcome) << " " << damaged;
    expect_one_line(outcome, Errc::session_invalid);
  });
  EXPECT_EQ(world_.io.count("store"), 0U) << "a bad cookie costs no question";
  const Outcome browses = ask_with(kCookieName, ours.substr(1), true);
  EXPECT_TRUE(starts_login(browses));
  expect_one_line(browses, Errc::session_invalid);
  EXPECT_TRUE(passes(ask_with(kCookieName, ours)));
}

TEST_F(HostileSession, RecordsAreNoSession) {
  const auto session = world_.session_of(browser_);
  const auto stranger = world_.session_of(other_);
  const std::string ours = world_.store.envelope(session->key());
  const std::string theirs = world_.store.envelope(stranger->key());
  const std::string cookie = value_of(browser_, kCookieName);
  const auto expect_none = [&](const std::string& envelope) {
    world_.store.put(session->key(), envelope, Milliseconds(600'000));
    const Outcome outcome = ask_with(kCookieName, cookie);
    ASSERT_TRUE(denies(outcome, Errc::session_record_invalid)) << describe(outcome);
    expect_one_line(outcome, Errc::session_record_invalid);
    const Outcome browses = ask_with(kCookieName, cookie, true);
    ASSERT_TRUE(starts_login(browses)) << describe(browses);
    expect_one_line(browses, Errc::session_record_invalid);
  };
  for_each_damage(ours, theirs, kSome, expect_none);
  const std::string record = encode_record(session->record());
  const std::string_view sid = session->cookie().sid_view();
  expect_none(theirs);
  expect_none(seal_envelope(record, sid, world_.keys, test::sha256_text("another tenant")));
  expect_none(seal_envelope(record, sid, key_ring({kNewSecret}), world_.settings.identity));
  expect_none(seal_envelope(record, sid, world_.keys.remember(), world_.settings.identity));
  expect_none(seal_envelope(bytes(200), sid, world_.keys, world_.settings.identity));
  expect_none("");
  world_.store.put(session->key(), ours, Milliseconds(600'000));
  EXPECT_TRUE(passes(ask_with(kCookieName, cookie)));
}

TEST_F(HostileSession, RememberCookiesMakeNoSession) {
  const std::string name = "__Host-remember";
  const std::string ours = value_of(browser_, name);
  world_.io.forget();
  for_each_damage(ours, value_of(other_, name), 0, [&](const std::string& damaged) {
    const Outcome outcome = ask_with(name, damaged);
    ASSERT_TRUE(denies(outcome, Errc::unauthenticated)) << describe(outcome);
  });
  EXPECT_EQ(world_.io.count("store"), 0U);
  EXPECT_TRUE(denies(ask_with(name, value_of(browser_, kCookieName)), Errc::unauthenticated));
  EXPECT_TRUE(passes(ask_with(name, ours)));
}

TEST_F(HostileSession, RememberedRecordsMakeNoSession) {
  const std::string name = "__Host-remember";
  const auto key_of = [&](const Browser& browser) {
    const auto cookie = remember_cookie_of(world_.worker.services, *browser.navigate("/"));
    return store_key(cookie->sid_view());
  };
  const StoreKey key = key_of(browser_);
  const std::string ours = world_.store.envelope(key);
  const std::string theirs = world_.store.envelope(key_of(other_));
  const std::size_t sessions = world_.store.inserts();
  const auto expect_none = [&](const std::string& envelope) {
    world_.store.put(key, envelope, Milliseconds(600'000));
    const Outcome outcome = ask_with(name, value_of(browser_, name));
    ASSERT_TRUE(denies(outcome, Errc::unauthenticated)) << describe(outcome);
    expect_one_line(outcome, Errc::session_record_invalid);
  };
  for_each_damage(ours, theirs, kSome, expect_none);
  expect_none(theirs);
  expect_none("");
  EXPECT_EQ(world_.store.inserts(), sessions);
  world_.store.put(key, ours, Milliseconds(600'000));
  EXPECT_TRUE(passes(ask_with(name, value_of(browser_, name))));
}

class HostileCallback : public HostileSession {
 protected:
  HostileCallback() {
    answer_ = world_.op.authorize(World::location(world_.visit(newcomer_, "/wanted")));
    another_ = world_.op.authorize(World::location(world_.visit(other_newcomer_, "/wanted")));
  }
  static Browser::Cookies::value_type pending(const Browser& browser) {
    return *browser.cookies.lower_bound("__Host-login_");
  }
  Outcome come_back(const std::string& cookie, const std::string& value, const Form& answer) {
    Browser browser;
    browser.cookies[cookie] = {value, ""};
    return world_.callback(browser.navigate("/callback?" + answer.encode()));
  }
  [[nodiscard]] Form answer_with_state(const std::string& state) const {
    Form form;
    for (const FormField& field : answer_.fields()) {
      form.add(field.name, field.name == "state" ? state : field.value);
    }
    return form;
  }

  Browser newcomer_, other_newcomer_;
  Form answer_, another_;
};

TEST_F(HostileCallback, PendingLoginsAreNone) {
  const auto [name, cookie] = pending(newcomer_);
  const std::string theirs = pending(other_newcomer_).second.value;
  world_.io.forget();
  for_each_damage(cookie.value, theirs, kSome, [&](const std::string& damaged) {
    const Outcome outcome = come_back(name, damaged, answer_);
    ASSERT_TRUE(denies(outcome, Errc::login_cookie_missing)) << describe(outcome);
    EXPECT_TRUE(outcome.set_cookies.empty() ||
                outcome.set_cookies.front().find("session") == std::string::npos);
  });
  // Somebody else's, under the name of ours and under its own.
  EXPECT_TRUE(denies(come_back(name, theirs, answer_), Errc::login_cookie_missing));
  EXPECT_TRUE(denies(come_back(pending(other_newcomer_).first, theirs, answer_),
                     Errc::login_cookie_missing));
  EXPECT_EQ(world_.io.count("POST /token"), 0U);
  EXPECT_TRUE(redirects_to(come_back(name, cookie.value, answer_), "https://app.example.org/"));
}

TEST_F(HostileCallback, StatesAreNone) {
  const auto [name, cookie] = pending(newcomer_);
  const std::string state(*answer_.get("state"));
  world_.io.forget();
  for_each_damage(
      state, std::string(*another_.get("state")), kSome, [&](const std::string& damaged) {
        const Outcome outcome = come_back(name, cookie.value, answer_with_state(damaged));
        const Errc reason = damaged.empty() ? Errc::state_missing : outcome.reason;
        ASSERT_TRUE(denies(outcome, reason)) << describe(outcome);
        ASSERT_TRUE(reason == Errc::state_missing || reason == Errc::state_invalid ||
                    reason == Errc::parameter_malformed)
            << describe(outcome);
      });
  EXPECT_EQ(world_.io.count("POST /token"), 0U);
  EXPECT_TRUE(redirects_to(come_back(name, cookie.value, answer_), "https://app.example.org/"));
}

}  // namespace
}  // namespace oidc
