// Whatever stands in the ledger where the index, a logout, a renewed sid or a refresh look: members
// of sets, tombstones, pointers, locks.
#include <algorithm>
#include <string>

#include "flow/refresh_lock.h"
#include "flow/session_index.h"
#include "require.h"
#include "scripted_world.h"

using oidc::fuzz::require;
using oidc::test::World;

namespace {

constexpr oidc::Milliseconds kLife{60'000};

void check_member(const std::string& text) {
  const auto session = oidc::IndexedSession::parse(text);
  if (session) {
    const auto again = oidc::IndexedSession::parse(session->member());
    require(again && again->key == session->key && again->created == session->created,
            "a member comes back");
  }
  const auto key = oidc::parse_store_key(text);
  require(!key || key->view() == text, "a key is its own name");
}

// Names that the logout of the subject left behind.
std::string name_of(World& world, std::string_view prefix) {
  for (const std::string& name : world.ledger.names()) {
    if (name.starts_with(prefix)) return name;
  }
  return {};
}

void check_logout(World& world, const std::string& text) {
  oidc::Services& services = world.worker.services;
  oidc::Membership who;
  who.session.key = oidc::store_key("sid");
  who.session.created = world.loop.now();
  who.subject = "alice";
  require(world.loop.run(oidc::index_session(services, who, kLife, who.session.created)).ok(),
          "nobody has logged out");
  const std::string set = name_of(world, "by-subject:");
  require(!set.empty(), "a session is in a set");
  const auto joined = world.loop.run(world.ledger.join(set, text, kLife));
  require(joined.status == oidc::StoreStatus::hit, "and something else too");
  const auto ended =
      world.loop.run(oidc::end_sessions_of(services, {oidc::IndexedBy::subject, "alice"}));
  require(ended.ok() && *ended >= 1, "a logout ends all of it");
  require(world.ledger.members_of(set).empty(), "and leaves nothing");

  const std::string tombstone = name_of(world, "logged-out:");
  require(!tombstone.empty(), "but a tombstone");
  world.ledger.put(tombstone, text, kLife);
  const auto checked =
      world.loop.run(oidc::check_not_logged_out(services, who, world.loop.now() + 1));
  if (!checked) {
    require(checked.error().code == oidc::Errc::session_logged_out ||
                checked.error().code == oidc::Errc::store_unavailable,
            "a refusal has its code");
  } else {
    require(std::all_of(text.begin(), text.end(),
                        [](char c) { return c == '-' || (c >= '0' && c <= '9'); }),
            "a tombstone that is none lets nobody in");
  }
}

void check_pointers(World& world, const std::string& text) {
  oidc::Services& services = world.worker.services;
  const oidc::StoreKey key = oidc::store_key("sid");
  world.ledger.put(std::string("renewed:").append(key.view()), text, kLife);
  const auto erased = world.loop.run(oidc::erase_sessions(services, {key}));
  require(erased.ok(), "a pointer to nowhere stops no logout");
}

void check_lock(World& world, const std::string& text) {
  oidc::RefreshLock lock(world.worker.services, oidc::store_key("family"));
  lock.in_store = "lock:refresh:family";
  world.ledger.put(lock.in_store, text, kLife);
  const auto ours = world.loop.run(oidc::try_lock(world.worker.services, lock));
  require(ours == oidc::LockTry::others, "somebody else has the lock");
  world.shared.put(lock.failure, text, kLife);
  const oidc::Errc why = oidc::remembered_failure(world.worker.services, lock);
  require(!oidc::info(why).code.empty(), "a failure has a sentence");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(oidc::fuzz::text_of(data, size));
  check_member(text);
  World world;
  check_logout(world, text);
  check_pointers(world, text);
  check_lock(world, text);
  return 0;
}
