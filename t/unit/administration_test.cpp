#include <gtest/gtest.h>

#include <string>

#include "flows_everywhere.h"
#include "oidc/logout_flows.h"

namespace oidc {
namespace {

using namespace test;

class Administration : public testing::Test {
 protected:
  Administration() {
    world_.log_in(browser_);
    world_.loop.advance(Milliseconds(1000));
    world_.settle();
  }
  // curl: it says nothing about itself.
  static std::shared_ptr<RequestFacts> plain(std::string method, const std::string& query) {
    auto facts = Browser().fetch("/admin?" + query);
    facts->method = std::move(method);
    facts->sec_fetch_site = facts->sec_fetch_mode = facts->sec_fetch_dest = "";
    return facts;
  }
  Outcome ask(const std::shared_ptr<RequestFacts>& facts) {
    const Outcome outcome = world_.loop.run(administration_flow(world_.worker.services, facts));
    EXPECT_EQ(outcome.kind, Outcome::Kind::answer);
    EXPECT_EQ(World::header(outcome, "Cache-Control"), "private, no-store");
    EXPECT_EQ(World::header(outcome, "Access-Control-Allow-Origin"), "");
    EXPECT_EQ(outcome.content_type, "application/json");
    return outcome;
  }
  Outcome ask(std::string method, const std::string& query) {
    return ask(plain(std::move(method), query));
  }
  static Json body(const Outcome& outcome) { return Json::parse(outcome.body); }
  [[nodiscard]] bool logged_in() { return world_.session_of(browser_) != nullptr; }

  World world_;
  Browser browser_;
};

TEST_F(Administration, ListsByNameAndById) {
  const auto session = world_.session_of(browser_);
  const std::string id(session->key().view());
  for (const std::string& query :
       {std::string("subject=alice"), std::string("sid=provider-session"), "id=" + id}) {
    const Json list = body(ask("GET", query));
    ASSERT_EQ(list["sessions"].size(), 1U) << query;
    EXPECT_EQ(list["sessions"][0]["id"], id);
    EXPECT_EQ(list["sessions"][0]["log_id"], log_id(session->key()));
    EXPECT_EQ(list["more"], false);
  }
  EXPECT_EQ(body(ask("GET", "subject=alice"))["sessions"][0]["created"],
            session->record().created);
  EXPECT_TRUE(body(ask("GET", "subject=bob"))["sessions"].empty());
  EXPECT_TRUE(body(ask("GET", "id=" + std::string(43, 'A')))["sessions"].empty());
}

TEST_F(Administration, AnIdOpensNothing) {
  const Outcome outcome = ask("GET", "subject=alice");
  const std::string& cookie = browser_.cookies.at(World::session_cookie_name()).value;
  EXPECT_EQ(cookie.find(body(outcome)["sessions"][0]["id"].get<std::string>()), std::string::npos);
  for (const char* secret : {"access-", "refresh-", "alice"}) {
    EXPECT_EQ(outcome.body.find(secret), std::string::npos) << secret;
  }
}

TEST_F(Administration, EndsByNameAndById) {
  const std::string id(world_.session_of(browser_)->key().view());
  for (const std::string& query :
       {std::string("subject=alice"), std::string("sid=provider-session"), "id="+ id}) {
    Browser browser;
    world_.loop.advance(Milliseconds(2000));
    world_.log_in(browser);
    const auto session = world_.session_of(browser);
    ASSERT_NE(session, nullptr);
    const bool by_id = query.starts_with("id=");
    const Outcome outcome =
        ask("DELETE", by_id ? "id=" + std::string(session->key().view()) : query);
    EXPECT_EQ(outcome.status, 200);
    EXPECT_GE(body(outcome)["ended"].get<int>(), 1);
    EXPECT_EQ(world_.session_of(browser), nullptr) << query;
  }
  EXPECT_EQ(body(ask("DELETE", "id=" + id))["ended"], 0);
  EXPECT_EQ(body(ask("DELETE", "subject=nobody"))["ended"], 0);
}

TEST_F(Administration, TheDeadAreNotListed) {
  world_.loop.run(world_.store.erase(world_.session_of(browser_)->key()));
  EXPECT_TRUE(body(ask("GET", "subject=alice"))["sessions"].empty());
}

TEST_F(Administration, ListsAreBounded) {
  for (int i = 0; i < 120; ++i) {
    Browser browser;
    world_.log_in(browser);
  }
  const Json list = body(ask("GET", "subject=alice"));
  EXPECT_EQ(list["sessions"].size(), 100U);
  EXPECT_EQ(list["more"], true);
  EXPECT_EQ(body(ask("DELETE", "subject=alice"))["ended"], 121);
}

TEST_F(Administration, WhatItDoesNotUnderstandChangesNothing) {
  for (const std::string& query :
       {std::string(), std::string("subject="), std::string("subject=alice&sid=provider-session"),
        std::string("subject=alice&subject=alice"), std::string("user=alice"), std::string("id=x"),
        "id=" + std::string(43, '!'), "subject=" + std::string(2000, 'a'), std::string("subject=%zz"),
        std::string("subject=%00")}) {
    for (const char* method : {"GET", "DELETE"}) {
      const Outcome outcome = ask(method, query);
      EXPECT_EQ(outcome.status, 400) << query;
      EXPECT_EQ(outcome.reason, Errc::admin_request_invalid);
      EXPECT_EQ(body(outcome)["error"], "admin_request_invalid");
    }
  }
  for (const char* method : {"POST", "PUT", "PATCH", "OPTIONS"}) {
    const Outcome outcome = ask(method, "subject=alice");
    EXPECT_EQ(outcome.status, 405) << method;
    EXPECT_EQ(World::header(outcome, "Allow"), "GET, HEAD, DELETE");
  }
  EXPECT_TRUE(logged_in());
}

TEST_F(Administration, NoOtherSiteEndsSessions) {
  const auto from = [](auto change) {
    auto facts = plain("DELETE", "subject=alice");
    change(*facts);
    return facts;
  };
  for (const auto& facts :
       {from([](RequestFacts& f) { f.sec_fetch_site = "cross-site"; }),
        from([](RequestFacts& f) { f.sec_fetch_site = "same-site"; }),
        from([](RequestFacts& f) { f.origin = "https://evil.example"; }),
        from([](RequestFacts& f) { f.origin = "null"; }),
        from([](RequestFacts& f) {
          f.origin = "https://evil.example";
          f.sec_fetch_site = "same-origin";
        }),
        from([](RequestFacts& f) { f.referer = "https://evil.example/"; }),
        from([](RequestFacts& f) { f.sec_purpose = "prefetch"; }),
        from([](RequestFacts& f) {  // DNS rebinding
          f.host = "evil.example";
          f.origin = "https://evil.example";
        }),
        from([](RequestFacts& f) {
          f.host = "evil.example";
          f.sec_fetch_site = "same-origin";
        })}) {
    const Outcome outcome = ask(facts);
    EXPECT_EQ(outcome.status, 403);
    EXPECT_EQ(outcome.reason, Errc::logout_cross_site);
  }
  EXPECT_TRUE(logged_in());
  EXPECT_EQ(ask(from([](RequestFacts& f) { f.sec_fetch_site = "same-origin"; })).status, 200);
  EXPECT_FALSE(logged_in());
}

TEST_F(Administration, AStoreThatIsDownIsSaid) {
  const std::string id(world_.session_of(browser_)->key().view());
  world_.io.break_all("", Fault::error);
  for (const std::string& query : {std::string("subject=alice"), "id=" + id}) {
    for (const char* method : {"GET", "DELETE"}) {
      const Outcome outcome = ask(method, query);
      EXPECT_EQ(outcome.status, 503);
      EXPECT_EQ(outcome.reason, Errc::store_unavailable);
      EXPECT_NE(World::header(outcome, "Retry-After"), "");
    }
  }
  EXPECT_TRUE(logged_in());
}

TEST_F(Administration, CancelledAtEachStepItHarmsNobody) {
  for (const char* method : {"GET", "DELETE"}) {
    bool ended = false;
    for (std::size_t steps = 0; !ended; ++steps) {
      ASSERT_LT(steps, 100U);
      Root<Outcome> root(
          administration_flow(world_.worker.services, plain(method, "subject=alice")));
      for (std::size_t i = 0; i < steps && !root.ended(); ++i) ASSERT_TRUE(world_.loop.step());
      ended = root.ended();
      root.cancel();
      world_.settle();
      expect_quiet(world_);
    }
  }
  EXPECT_FALSE(logged_in());
}

}  // namespace
}  // namespace oidc
