// The index of sessions, and the tombstones of logouts that went through it.
#include <gtest/gtest.h>

#include <string>

#include "flows_everywhere.h"
#include "indexed_world.h"

namespace oidc {
namespace {

using namespace test;

TEST_F(Index, ALoginIsFoundBySubjectAndByTheProvidersSession) {
  world_.log_in(browser_);
  const auto session = world_.session_of(browser_);
  for (const IndexName& name : {kAlice, kProviderSession}) {
    const auto found = listed(name);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].key, session->key());
    EXPECT_EQ(found[0].created, session->record().created);
  }
  EXPECT_TRUE(listed({IndexedBy::subject, "bob"}).empty());
  EXPECT_TRUE(listed({IndexedBy::provider_sid, "alice"}).empty());
}

TEST_F(Index, EachIdentityHasItsOwn) {
  world_.log_in(browser_);
  world_.settings.identity = sha256_text("somebody else");
  EXPECT_TRUE(listed(kAlice).empty());
  EXPECT_EQ(end(kAlice).value(), 0U);
  EXPECT_EQ(world_.store.size(), 1U);
}

TEST_F(Index, NamesHoldTheSubjectOnlyWhereAllowed) {
  const auto holds = [this](std::string_view text) {
    for (const std::string& name : world_.ledger.names()) {
      if (name.find(text) != std::string::npos) return true;
    }
    return false;
  };
  world_.log_in(browser_);
  EXPECT_TRUE(holds("by-subject:"));
  EXPECT_TRUE(holds("by-sid:"));
  EXPECT_FALSE(holds("alice"));
  EXPECT_FALSE(holds("provider-session"));
  ASSERT_TRUE(end(kAlice));
  ASSERT_TRUE(end(kProviderSession));
  EXPECT_TRUE(holds("logged-out:"));
  EXPECT_FALSE(holds("alice"));
  EXPECT_FALSE(holds("provider-session"));
  world_.settings.session.hash_subject = false;
  world_.loop.advance(Milliseconds(2000));
  world_.log_in(browser_);
  EXPECT_TRUE(holds(":alice"));
  EXPECT_FALSE(holds("provider-session"));
  EXPECT_EQ(end(kAlice).value(), 1U);
}

TEST_F(Index, WithoutMetadataThereIsNone) {
  world_.settings.session.store_metadata = false;
  world_.log_in(browser_);
  EXPECT_TRUE(world_.ledger.names().empty());
  world_.settings.logout.uri_suffix = "/logout";
  world_.access(browser_.post("/logout"));
  EXPECT_EQ(world_.io.count("ledger"), world_.io.count("ledger read"));
}

TEST_F(Index, ALogoutLeavesIt) {
  world_.settings.logout.uri_suffix = "/logout";
  world_.log_in(browser_);
  world_.access(browser_.post("/logout"));
  EXPECT_TRUE(listed(kAlice).empty());
  EXPECT_TRUE(listed(kProviderSession).empty());
}

TEST_F(Index, AMemberLivesAsLongAsItsSession) {
  world_.settings.session.idling_timeout = 900;
  world_.log_in(browser_);
  world_.loop.advance(Milliseconds(800'000));
  world_.op.expires_in = 100'000;
  ASSERT_TRUE(passes(world_.access(browser_.navigate("/"))));
  world_.settle();
  world_.loop.advance(Milliseconds(850'000));
  EXPECT_EQ(listed(kAlice).size(), 1U);
  EXPECT_TRUE(alive(browser_));
  world_.loop.advance(Milliseconds(200'000));
  EXPECT_TRUE(listed(kAlice).empty());
  EXPECT_TRUE(listed(kProviderSession).empty());
}

TEST_F(Index, ALogoutBySubjectEndsAllOfThem) {
  Browser other;
  world_.log_in(browser_);
  world_.log_in(other);
  world_.loop.advance(Milliseconds(1000));
  EXPECT_EQ(end(kAlice).value(), 2U);
  EXPECT_EQ(world_.store.size(), 0U);
  EXPECT_TRUE(listed(kAlice).empty());
  EXPECT_TRUE(starts_login(world_.access(browser_.navigate("/"))));
}

TEST_F(Index, ALogoutByProviderSessionLeavesTheOthers) {
  Browser other;
  world_.log_in(browser_);
  world_.op.edit_id_token = [](Json& claims) { claims["sid"] = "another"; };
  world_.log_in(other);
  EXPECT_EQ(end(kProviderSession).value(), 1U);
  EXPECT_FALSE(alive(browser_));
  EXPECT_TRUE(alive(other));
}

TEST_F(Index, ALoginThatCannotBeIndexedFails) {
  for (const char* call : {"ledger join", "ledger read"}) {
    world_.io.break_all(call, Fault::error);
    EXPECT_TRUE(denies(world_.log_in(browser_), Errc::store_unavailable)) << call;
    EXPECT_EQ(world_.store.size(), 0U) << call;
    EXPECT_EQ(browser_.count("__Host-session"), 0U);
    world_.io.repair();
    EXPECT_TRUE(listed(kAlice).empty());
  }
}

TEST_F(Index, AStoreThatIsDownIsNoLogout) {
  world_.log_in(browser_);
  for (const char* call : {"ledger write", "ledger members", "store erase"}) {
    world_.io.break_all(call, Fault::error);
    EXPECT_EQ(code_of(end(kAlice)), Errc::store_unavailable) << call;
    EXPECT_TRUE(alive(browser_));
    world_.io.repair();
  }
}

TEST_F(Index, WithoutRoomForATombstoneWhatIsKnownEndsAllTheSame) {
  world_.log_in(browser_);
  world_.ledger.has_no_room = true;
  EXPECT_EQ(code_of(end(kAlice)), Errc::store_full);
  EXPECT_FALSE(alive(browser_));
  world_.ledger.has_no_room = false;
  EXPECT_EQ(code_of(end(kAlice)), Errc::none);
}

TEST_F(Index, BrokenMembersAreNoSessions) {
  const std::string key(43, 'k');
  for (const std::string& text :
       {std::string(), std::string("1700000000"), "." + key, "17x." + key, "1700000000." + key + "k",
        std::string("1700000000.").append(42, 'k').append("!"), "1700000000:" + key}) {
    EXPECT_FALSE(IndexedSession::parse(text)) << text;
  }
  EXPECT_EQ(IndexedSession::parse("1700000000." + key)->member(), "1700000000." + key);
}

// ---- logout against what is in flight ----------------------------------------------------------

// Begins `flow`, takes `steps` steps, logs `name` out, runs both. False: it had ended before.
bool log_out_within(World& world, Task<Outcome> flow, const IndexName& name, std::size_t steps,
                    Outcome& outcome) {
  Root<Outcome> root(std::move(flow));
  for (std::size_t i = 0; i < steps && !root.ended(); ++i) EXPECT_TRUE(world.loop.step());
  const bool overlapped = !root.ended();
  Root<Result<std::size_t>> logout(end_sessions_of(world.worker.services, name));
  world.settle();
  EXPECT_TRUE(root.ended() && logout.ended());
  EXPECT_TRUE(logout.take());
  outcome = root.take();
  return overlapped;
}

void log_out_during_login(const IndexName& name) {
  bool overlapped = true;
  std::size_t steps = 0;
  for (; overlapped; ++steps) {
    ASSERT_LT(steps, 1000U);
    SCOPED_TRACE("logout after step " + std::to_string(steps));
    World world;
    Browser browser;
    keep_answer(world, browser);
    ScriptedBody none(world.io, "");
    Outcome outcome;
    overlapped =
        log_out_within(world, begin_callback(world, browser, none), name, steps, outcome);
    browser.take(outcome);
    EXPECT_EQ(world.store.size(), 0U);
    EXPECT_FALSE(passes(world.access(browser.navigate("/"))));
    if (overlapped && outcome.kind == Outcome::Kind::deny) {
      EXPECT_TRUE(denies(outcome, Errc::session_logged_out)) << describe(outcome);
    }
    expect_quiet(world);
  }
  EXPECT_GE(steps, 8U);
}

TEST(IndexInterleaved, LogoutBeatsALogin) {
  log_out_during_login(kAlice);
  log_out_during_login(kProviderSession);
}

// Refresh finds its record gone, whether by compare-and-set or by the tombstone.
TEST(IndexInterleaved, LogoutBeatsARefresh) {
  for (const char* broken : {"nothing", "store replace"}) {
    bool overlapped = true;
    std::size_t steps = 0;
    for (; overlapped; ++steps) {
      ASSERT_LT(steps, 1000U);
      SCOPED_TRACE(std::string(broken) + ", logout after step " + std::to_string(steps));
      World world;
      Browser browser;
      world.log_in(browser);
      world.loop.advance(Milliseconds(250'000));
      world.settle();
      world.io.break_all(broken, Fault::error);
      Outcome outcome;
      overlapped = log_out_within(world, access_flow(world.worker.services, browser.navigate("/")),
                                  kAlice, steps, outcome);
      EXPECT_EQ(world.store.size(), 0U);
      EXPECT_TRUE(starts_login(world.access(browser.navigate("/"))));
      expect_quiet(world);
    }
    EXPECT_GE(steps, 5U);
  }
}

// A record that the index did not name when the logout looked: the tombstone alone ends it.
TEST_F(Index, ATombstoneEndsWhatTheIndexDidNotName) {
  world_.log_in(browser_);
  const auto session = world_.session_of(browser_);
  const Membership who = membership_of(session->key(), session->record());
  world_.loop.run(unindex_session(world_.worker.services, who));
  world_.loop.advance(Milliseconds(250'000));
  EXPECT_EQ(end(kProviderSession).value(), 0U);
  ASSERT_TRUE(alive(browser_));
  EXPECT_TRUE(starts_login(world_.access(browser_.navigate("/"))));
  EXPECT_FALSE(alive(browser_));
}

TEST_F(Index, ALogoutDoesNotEndALoginThatBeganAfterIt) {
  world_.log_in(browser_);
  ASSERT_TRUE(end(kAlice));
  ASSERT_TRUE(end(kProviderSession));
  world_.loop.advance(Milliseconds(1000));
  EXPECT_TRUE(redirects_to(world_.log_in(browser_), "https://app.example.org/"));
  EXPECT_TRUE(alive(browser_));
  world_.loop.advance(Milliseconds(250'000));  // nor its refresh
  EXPECT_TRUE(passes(world_.access(browser_.navigate("/"))));
}

TEST_F(Index, ATombstoneLivesAsLongAsALoginMayTake) {
  keep_answer(world_, browser_);
  ASSERT_TRUE(end(kAlice));
  world_.loop.advance(Milliseconds(590'000));
  ScriptedBody none(world_.io, "");
  EXPECT_TRUE(denies(world_.loop.run(begin_callback(world_, browser_, none)),
                     Errc::session_logged_out));
  world_.loop.advance(longest_flight(world_.settings));
  for (const std::string& name : world_.ledger.names()) {
    EXPECT_FALSE(name.starts_with("logged-out:")) << name;
  }
}

TEST_F(Index, ABrokenTombstoneLetsNobodyIn) {
  ASSERT_TRUE(end(kAlice));
  const std::vector<std::string> names = world_.ledger.names();
  ASSERT_EQ(names.size(), 1U);
  world_.ledger.put(names[0], "yesterday", Milliseconds(1'000'000));
  EXPECT_TRUE(denies(world_.log_in(browser_), Errc::store_unavailable));
}

}  // namespace
}  // namespace oidc
