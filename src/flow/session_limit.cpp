// How many sessions one subject, or one session of the provider, may have in the index.
#include <algorithm>

#include "session_index.h"
#include "steps.h"

namespace oidc {
namespace {

// Of a set that takes no more.
constexpr std::size_t kMostInFullSet = 400;
// A set that grew without a limit before is thinned by so many pages at each login.
constexpr int kMostPages = 10;

struct Most {
  std::size_t sessions = 0, remembered = 0;
};

struct Thinning {
  std::string set;
  Most most;
  StoreKey newest;
  std::vector<std::string> replaced;
  std::size_t ended = 0;
};

// The newest login first; of one login's sids the one that ends last. Remember cookies' records say
// no time of login.
void newest_first(std::vector<IndexedSession>& sessions) {
  std::reverse(sessions.begin(), sessions.end());
  std::stable_sort(sessions.begin(), sessions.end(),
                   [](const auto& a, const auto& b) { return a.created > b.created; });
}

Task<Result<void>> leave(Services& services, std::string set, std::string member) {
  const StoreWrite left = co_await services.ledger.leave(set, member);
  if (left.status != StoreStatus::error) co_return Result<void>();
  co_return Error{Errc::store_unavailable, left.detail};
}

// Those after the first `most` that live are ended; the dead leave.
Task<Result<void>> thin(Services& services, Thinning& thinning, std::vector<IndexedSession> sessions,
                        std::size_t living, std::size_t most) {
  if (living + sessions.size() <= most) co_return Result<void>();
  newest_first(sessions);
  for (const IndexedSession& session : sessions) {
    const std::string member = session.member();
    Result<void> done;
    if (living < most) {
      const StoreRead read = co_await services.store.read(session.key);
      if (read.status == StoreStatus::error) {
        co_return Error{Errc::store_unavailable, read.detail};
      }
      if (read.status == StoreStatus::hit) ++living;
      if (read.status == StoreStatus::miss) done = co_await leave(services, thinning.set, member);
    } else {
      ++thinning.ended;
      done = co_await erase_member(services, thinning.set, member);
    }
    if (!done) co_return done;
  }
  co_return Result<void>();
}

Task<Result<void>> thin_set(Services& services, Thinning& thinning) {
  for (int page = 0; page < kMostPages; ++page) {
    const LedgerMembers read = co_await services.ledger.members(thinning.set);
    if (read.status == StoreStatus::error) co_return Error{Errc::store_unavailable, read.detail};
    std::vector<IndexedSession> sessions, remembered;
    for (const std::string& member : read.members) {
      const auto each = IndexedSession::parse(member);
      const auto& replaced = thinning.replaced;
      if (!each || each->key == thinning.newest ||
          std::find(replaced.begin(), replaced.end(), each->key.view()) != replaced.end()) {
        continue;
      }
      (each->created == 0 ? remembered : sessions).push_back(*each);
    }
    Result<void> done =
        co_await thin(services, thinning, std::move(sessions), 1, thinning.most.sessions);
    if (!done) co_return done;
    done = co_await thin(services, thinning, std::move(remembered), 0, thinning.most.remembered);
    if (!done || read.members.size() < kMostMembers) co_return done;
  }
  co_return Result<void>();
}

}  // namespace

Task<Result<void>> erase_member(Services& services, std::string set, std::string member) {
  if (const auto session = IndexedSession::parse(member)) {
    std::vector<StoreKey> keys{session->key};
    const Result<void> erased = co_await erase_sessions(services, std::move(keys));
    if (!erased) co_return erased.error();
  }
  co_return co_await leave(services, set, member);
}

Task<Result<void>> limit_sessions(Services& services, Membership newest,
                                  std::vector<std::string> replaced) {
  const std::size_t configured = services.settings.session.max_per_subject;
  const std::vector<std::string> sets = sets_of(services.settings, newest);
  for (const std::string& set : sets) {
    // The first is the subject's.
    const bool limited = configured != 0 && set == sets.front() && !newest.subject.empty();
    Thinning thinning{set, {limited ? configured : kMostSessions, kMostRemembered},
                      newest.session.key, replaced};
    const Result<void> done = co_await thin_set(services, thinning);
    if (!done) co_return done;
    if (thinning.ended == 0 || limited) continue;
    std::string text("a user or a session of the provider had more than ");
    text.append(std::to_string(kMostSessions)).append(" sessions: the oldest were ended, ");
    text.append(std::to_string(thinning.ended));
    services.log.write(LogLevel::warn, Errc::store_full, text);
  }
  co_return Result<void>();
}

Task<Result<void>> make_room_in_sets(Services& services, Membership newest) {
  const std::vector<std::string> sets = sets_of(services.settings, newest);
  for (const std::string& set : sets) {
    Thinning thinning{set, {kMostInFullSet, kMostInFullSet}, newest.session.key, {}};
    const Result<void> done = co_await thin_set(services, thinning);
    if (!done) co_return done;
    if (thinning.ended == 0) continue;
    std::string text("the index had no room for more sessions of a user: the oldest were ended, ");
    text.append(std::to_string(thinning.ended));
    services.log.write(LogLevel::warn, Errc::store_full, text);
  }
  co_return Result<void>();
}

}  // namespace oidc
