// How many sessions the index holds for a subject, who leaves it and when, and its tombstones' lives.
#include <gtest/gtest.h>

#include <string>

#include "indexed_world.h"
#include "oidc/logout_flows.h"

namespace oidc {
namespace {

using namespace test;

// ---- oidc_session_max_per_subject --------------------------------------------------------------

class Limit : public Index {
 protected:
  Limit() { world_.settings.session.max_per_subject = 2; }
  void log_in(Browser& browser) {
    EXPECT_TRUE(redirects_to(world_.log_in(browser), "https://app.example.org/"));
    world_.loop.advance(Milliseconds(1000));
    world_.settle();
  }
  Browser first_, second_, third_;
};

TEST_F(Limit, TheOldestGoes) {
  log_in(first_);
  log_in(second_);
  EXPECT_TRUE(alive(first_));
  log_in(third_);
  EXPECT_FALSE(alive(first_));
  EXPECT_TRUE(alive(second_));
  EXPECT_TRUE(alive(third_));
  EXPECT_EQ(listed(kAlice).size(), 2U);
}

TEST_F(Limit, TheDeadDoNotCount) {
  log_in(first_);
  log_in(second_);
  const auto session = world_.session_of(second_);
  world_.loop.run(world_.store.erase(session->key()));
  log_in(third_);
  EXPECT_TRUE(alive(first_));
  EXPECT_TRUE(alive(third_));
}

TEST_F(Limit, ASessionThatIsReplacedDoesNotCount) {
  log_in(first_);
  log_in(second_);
  // The second browser logs in anew, over the session that it has.
  LoginStart start;
  start.target = "/";
  const Outcome begun =
      world_.loop.run(start_login(world_.worker.services, second_.navigate("/"), start));
  second_.take(begun);
  world_.come_back(second_, world_.op.authorize(World::location(begun)));
  EXPECT_TRUE(alive(first_));
  EXPECT_TRUE(alive(second_));
}

TEST_F(Limit, ANewLoginIsNeverTheOldest) {
  world_.settings.session.max_per_subject = 1;
  log_in(first_);
  world_.loop.shift_wall_clock(-100);  // another gateway's clock
  log_in(second_);
  EXPECT_FALSE(alive(first_));
  EXPECT_TRUE(alive(second_));
}

TEST_F(Limit, OthersKeepTheirs) {
  log_in(first_);
  log_in(second_);
  world_.op.subject = "bob";
  log_in(third_);
  EXPECT_TRUE(alive(first_));
}

TEST_F(Limit, WhatCannotBeLimitedIsNotLetIn) {
  log_in(first_);
  log_in(second_);
  for (const char* call : {"ledger members", "store read", "store erase"}) {
    Browser browser;
    world_.io.break_all(call, Fault::error);
    EXPECT_TRUE(denies(world_.log_in(browser), Errc::store_unavailable)) << call;
    EXPECT_EQ(browser.count("__Host-session"), 0U);
    world_.io.repair();
  }
  EXPECT_TRUE(alive(first_));
  EXPECT_TRUE(alive(second_));
}

// Without a limit of the operator's there is one all the same.
TEST_F(Limit, AFixedOneWhereNoneIsConfigured) {
  world_.settings.session.max_per_subject = 0;
  log_in(first_);
  const auto session = world_.session_of(first_);
  // Newer ones, made elsewhere.
  for (std::size_t i = 1; i <= kMostSessions; ++i) {
    const StoreKey key = store_key("session " + std::to_string(i));
    const Membership who{{key, world_.loop.now()}, "alice", ""};
    world_.store.put(key, "sealed", Milliseconds(900'000));
    ASSERT_TRUE(world_.loop.run(
        index_session(world_.worker.services, who, Milliseconds(900'000), world_.loop.now())));
  }
  log_in(second_);
  EXPECT_FALSE(alive(first_));
  EXPECT_TRUE(alive(second_));
  EXPECT_EQ(listed(kAlice).size(), kMostSessions);
  EXPECT_EQ(world_.log.count(Errc::store_full), 1U);
}

TEST_F(Limit, TheDeadLeaveASetThatIsFullOfThem) {
  world_.settings.session.max_per_subject = 0;
  log_in(first_);
  for (std::size_t i = 0; i < kMostSessions + 100; ++i) {
    const Membership who{{store_key("dead " + std::to_string(i)), world_.loop.now()}, "alice", ""};
    ASSERT_TRUE(world_.loop.run(
        index_session(world_.worker.services, who, Milliseconds(900'000), world_.loop.now())));
  }
  log_in(second_);
  EXPECT_TRUE(alive(first_));
  EXPECT_TRUE(alive(second_));
  EXPECT_EQ(listed(kAlice).size(), 2U);
  EXPECT_EQ(world_.log.count(Errc::store_full), 0U);
}

// shm's sets have an end.
TEST_F(Limit, ASetThatTakesNoMoreMakesRoom) {
  world_.settings.session.max_per_subject = 0;
  world_.ledger.most_members = 450;
  for (std::size_t i = 0; i < 450; ++i) {
    const StoreKey key = store_key("session " + std::to_string(i));
    const Membership who{{key, world_.loop.now() - 1000}, "alice", ""};
    world_.store.put(key, "sealed", Milliseconds(900'000));
    ASSERT_TRUE(world_.loop.run(
        index_session(world_.worker.services, who, Milliseconds(900'000), world_.loop.now())));
  }
  log_in(first_);
  EXPECT_TRUE(alive(first_));
  EXPECT_EQ(listed(kAlice).size(), 400U);
}

// ---- nobody stays in the sets who is gone ------------------------------------------------------

TEST_F(Index, AReplacedSessionLeavesItsSetsWithItsGrace) {
  world_.log_in(browser_);
  world_.loop.advance(Milliseconds(1000));
  LoginStart start;
  start.target = "/";
  const Outcome begun =
      world_.loop.run(start_login(world_.worker.services, browser_.navigate("/"), start));
  browser_.take(begun);
  world_.come_back(browser_, world_.op.authorize(World::location(begun)));
  EXPECT_EQ(listed(kAlice).size(), 2U);
  world_.loop.advance(Milliseconds(15'000));
  for (const IndexName& name : {kAlice, kProviderSession}) {
    const auto left = listed(name);
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left[0].key, world_.session_of(browser_)->key());
  }
}

TEST_F(Index, AReplacedSessionOfSomebodyElseToo) {
  world_.log_in(browser_);
  world_.loop.advance(Milliseconds(1000));
  world_.op.subject = "bob";
  world_.op.edit_id_token = [](Json& claims) { claims["sid"] = "another"; };
  LoginStart start;
  start.target = "/";
  const Outcome begun =
      world_.loop.run(start_login(world_.worker.services, browser_.navigate("/"), start));
  browser_.take(begun);
  world_.come_back(browser_, world_.op.authorize(World::location(begun)));
  world_.loop.advance(Milliseconds(15'000));
  EXPECT_TRUE(listed(kAlice).empty());
  EXPECT_TRUE(listed(kProviderSession).empty());
}

// A request in flight with the old cookie does not prolong the place in the sets.
TEST_F(Index, ATouchInTheGraceProlongsNothing) {
  world_.settings.session.idling_timeout = 900;
  world_.log_in(browser_);
  const auto session = world_.session_of(browser_);
  world_.loop.run(world_.store.touch(session->key(), Milliseconds(10'000)));
  const Membership who = membership_of(session->key(), session->record());
  world_.loop.run(shorten_indexed(world_.worker.services, who, session->key(),
                                  Milliseconds(10'000)));
  world_.loop.advance(Milliseconds(1000));
  touch_session(world_.worker.services, *session);
  world_.settle();
  world_.loop.advance(Milliseconds(12'000));
  EXPECT_TRUE(listed(kAlice).empty());
}

// ---- the tombstone -----------------------------------------------------------------------------

TEST_F(Index, ATombstoneOutlivesTheLongestFlightOfTheIdentity) {
  world_.settings.longest_flight_ms = 3'600'000;
  EXPECT_EQ(longest_flight(world_.settings), Milliseconds(3'600'000));
  ASSERT_TRUE(end(kAlice));
  world_.loop.advance(Milliseconds(3'500'000));
  ASSERT_EQ(world_.ledger.names().size(), 1U);
  world_.loop.advance(Milliseconds(200'000));
  EXPECT_TRUE(world_.ledger.names().empty());
  world_.settings.longest_flight_ms = 0;
  EXPECT_EQ(longest_flight(world_.settings), flight_of(world_.settings));
}

// The clock of the machine where a login began may be ahead by two seconds.
TEST_F(Index, ClocksOfMachinesMayDiffer) {
  world_.settings.session.storage = StorageKind::redis;
  world_.log_in(browser_);
  const auto session = world_.session_of(browser_);
  const Membership who = membership_of(session->key(), session->record());
  ASSERT_TRUE(end(kAlice));
  const auto checked = [&](Seconds later) {
    return code_of(world_.loop.run(
        check_not_logged_out(world_.worker.services, who, world_.loop.now() + later)));
  };
  EXPECT_EQ(checked(2), Errc::session_logged_out);
  EXPECT_EQ(checked(3), Errc::none);
  world_.settings.session.storage = StorageKind::shm;  // one machine, one clock
  EXPECT_EQ(checked(0), Errc::session_logged_out);
  EXPECT_EQ(checked(1), Errc::none);
}

}  // namespace
}  // namespace oidc
