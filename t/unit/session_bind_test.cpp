// oidc_session_bind, and what oidc_session_request_headers and _response_headers say.
#include <gtest/gtest.h>

#include <string>

#include "flows_everywhere.h"
#include "oidc/session_facts.h"

namespace oidc {
namespace {

using namespace test;

std::shared_ptr<RequestFacts> from(const Browser& browser, std::string addr, std::string agent,
                                   bool https = true) {
  auto facts = browser.fetch("/");
  facts->remote_addr = std::move(addr);
  facts->user_agent = std::move(agent);
  facts->https = https;
  return facts;
}

class Bound : public testing::Test {
 protected:
  void log_in(bool ip, bool scheme, bool user_agent) {
    world_.settings.session.bind = {ip, scheme, user_agent};
    world_.settings.base_url = kOrigin;
    const auto at_home = [](std::shared_ptr<RequestFacts> facts) {
      facts->remote_addr = "192.0.2.1";
      facts->user_agent = "Browser/1";
      return facts;
    };
    const Outcome start = world_.access(at_home(browser_.navigate("/")));
    browser_.take(start);
    const Form answer = world_.op.authorize(World::location(start));
    browser_.take(world_.callback(at_home(browser_.navigate("/callback?" + answer.encode()))));
  }
  [[nodiscard]] bool gets_in(std::string addr, std::string agent, bool https = true) {
    return passes(world_.access(from(browser_, std::move(addr), std::move(agent), https)));
  }

  World world_;
  Browser browser_;
};

TEST_F(Bound, ToNothing) {
  log_in(false, false, false);
  EXPECT_TRUE(gets_in("198.51.100.7", "Thief/2"));
}

TEST_F(Bound, ToTheAddress) {
  log_in(true, false, false);
  EXPECT_TRUE(gets_in("192.0.2.1", "Browser/2"));
  EXPECT_FALSE(gets_in("198.51.100.7", "Browser/1"));
  EXPECT_FALSE(gets_in("", "Browser/1"));
}

TEST_F(Bound, ToTheBrowser) {
  log_in(false, false, true);
  EXPECT_TRUE(gets_in("198.51.100.7", "Browser/1"));
  EXPECT_FALSE(gets_in("192.0.2.1", "Browser/2"));
  EXPECT_FALSE(gets_in("192.0.2.1", ""));
}

TEST_F(Bound, ToTheScheme) {
  log_in(false, true, false);
  EXPECT_TRUE(gets_in("198.51.100.7", "Thief/2"));
  EXPECT_FALSE(gets_in("192.0.2.1", "Browser/1", false));
}

// Each part has its length before it: nothing moves from one to the next.
TEST_F(Bound, PartsDoNotRunIntoEachOther) {
  log_in(true, false, true);
  EXPECT_TRUE(gets_in("192.0.2.1", "Browser/1"));
  EXPECT_FALSE(gets_in("192.0.2.1B", "rowser/1"));
  EXPECT_FALSE(gets_in("192.0.2.", "1Browser/1"));
}

TEST_F(Bound, AStolenCookieIsLoggedOnce) {
  log_in(true, false, false);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(denies(world_.access(from(browser_, "198.51.100.7", "Browser/1")),
                       Errc::session_invalid));
  }
  EXPECT_EQ(world_.log.count(Errc::session_invalid), 1U);
}

TEST_F(Bound, ARenewedCookieIsBoundToo) {
  world_.settings.session.idling_timeout = 0;
  world_.op.expires_in = 86'400;
  log_in(true, false, false);
  world_.loop.advance(Milliseconds(2'700'000));
  const Outcome outcome = world_.access(from(browser_, "192.0.2.1", "Browser/1"));
  ASSERT_EQ(outcome.set_cookies.size(), 1U);
  browser_.take(outcome);
  EXPECT_TRUE(gets_in("192.0.2.1", "Browser/1"));
  EXPECT_FALSE(gets_in("198.51.100.7", "Browser/1"));
}

// ---- session facts -------------------------------------------------------------------------------

std::shared_ptr<const OpenSession> sample_session() {
  SessionCookie cookie;
  cookie.sid.fill('s');
  return OpenSession::make(cookie, store_key(cookie.sid_view()), std::string(8, 'g'),
                           encode_record(sample_record()))
      .value();
}

std::string value_of(SessionFact fact, const Settings& settings, Seconds now) {
  const FactHeaders headers = session_facts(*sample_session(), settings, {fact}, now);
  return headers.empty() ? "none" : headers.front().second;
}

TEST(SessionFacts, AreSecondsThatAreLeft) {
  const Settings settings = sample_settings();
  const Seconds now = kNow + 100;
  EXPECT_EQ(value_of(SessionFact::idling_timeout, settings, now), "900");
  EXPECT_EQ(value_of(SessionFact::rolling_timeout, settings, now), "3500");
  EXPECT_EQ(value_of(SessionFact::absolute_timeout, settings, now), "86300");
  EXPECT_EQ(value_of(SessionFact::timeout, settings, now), "900");
  EXPECT_EQ(value_of(SessionFact::timeout, settings, kNow + 3000), "600");
  EXPECT_EQ(value_of(SessionFact::timeout, settings, kNow + 100'000), "0");
}

TEST(SessionFacts, ATimeoutThatIsOffIsNotTold) {
  Settings settings = sample_settings();
  settings.session.idling_timeout = 0;
  settings.session.rolling_timeout = 0;
  EXPECT_EQ(value_of(SessionFact::idling_timeout, settings, kNow), "none");
  EXPECT_EQ(value_of(SessionFact::rolling_timeout, settings, kNow), "none");
  EXPECT_EQ(value_of(SessionFact::timeout, settings, kNow), "86400");
}

TEST(SessionFacts, NameWhoAndWhat) {
  const Settings settings = sample_settings();
  EXPECT_EQ(value_of(SessionFact::subject, settings, kNow), "alice");
  EXPECT_EQ(value_of(SessionFact::audience, settings, kNow), "default");
  const std::string id = value_of(SessionFact::id, settings, kNow);
  EXPECT_EQ(id, log_id(sample_session()->key()));
  EXPECT_EQ(std::string(sample_session()->key().view()).find(id), std::string::npos);
  EXPECT_EQ(header_of(SessionFact::id), "session-id");
  EXPECT_EQ(header_of(SessionFact::absolute_timeout), "session-absolute-timeout");
}

}  // namespace
}  // namespace oidc
