#include "oidc/cookie_store.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "oidc/base64url.h"

namespace oidc {
namespace {

// Beside the texts: the entry, its node and bucket, and the opened session's own objects.
constexpr std::size_t kOverhead = 512;

std::string ended_name(const StoreKey& key) { return std::string("ended:").append(key.view()); }

std::string newer_name(const StoreKey& key, std::string_view generation) {
  std::string name("newer:");
  name.append(key.view());
  if (generation.empty()) return name;
  return name.append(":").append(base64url_encode(generation));
}

// From when on the session has ended; what is broken says: always.
Seconds end_of(std::string_view value) {
  Seconds at = 0;
  const auto [stopped, failure] = std::from_chars(value.data(), value.data() + value.size(), at);
  return failure == std::errc() && stopped == value.data() + value.size() ? at : 0;
}

bool is_text_of(const PartSet& set, std::string_view text) noexcept {
  for (std::size_t i = 0; i < set.count; ++i) {
    if (!text.starts_with(set.values[i])) return false;
    text.remove_prefix(set.values[i].size());
  }
  return text.empty();
}

}  // namespace

// ---- what was opened -----------------------------------------------------------------------------

// Random as it is, and only found by who knows it.
std::size_t OpenedParts::Hash::operator()(const std::array<char, kSidSize>& sid) const noexcept {
  std::uint64_t head = 0;
  std::memcpy(&head, sid.data(), sizeof head);
  return static_cast<std::size_t>(head);
}

std::shared_ptr<const OpenSession> OpenedParts::find(const SessionCookie& cookie,
                                                     const PartSet& set) {
  const auto found = index_.find(cookie.sid);
  if (found == index_.end() || !is_text_of(set, found->second->text)) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->session;
}

void OpenedParts::keep(const std::shared_ptr<const OpenSession>& session, const PartSet& set) {
  if (limit_ == 0) return;
  const auto known = index_.find(session->cookie().sid);
  if (known != index_.end()) drop(known->second);
  Entry entry{session->cookie().sid, {}, session};
  for (std::size_t i = 0; i < set.count; ++i) entry.text.append(set.values[i]);
  entries_.push_front(std::move(entry));
  try {
    index_.emplace(session->cookie().sid, entries_.begin());
  } catch (...) {
    entries_.pop_front();
    throw;
  }
  // Inflated, a record is at most twice its parts or so.
  bytes_ += kOverhead + 3 * entries_.front().text.size();
  while (bytes_ > limit_ && !entries_.empty()) drop(std::prev(entries_.end()));
}

void OpenedParts::drop(Entries::iterator entry) noexcept {
  bytes_ -= kOverhead + 3 * entry->text.size();
  index_.erase(entry->sid);
  entries_.erase(entry);
}

// ---- the store -----------------------------------------------------------------------------------

Task<StoreRead> CookieStore::read(StoreKey key) {
  LedgerRead ended = co_await ledger_.read(ended_name(key));
  StoreRead result;
  result.status = StoreStatus::hit;
  if (ended.status == StoreStatus::error) {
    result.status = StoreStatus::error;
    result.detail = std::move(ended.detail);
  } else if (ended.status == StoreStatus::hit && end_of(ended.value) <= loop_.now()) {
    result.status = StoreStatus::miss;
  }
  co_return result;
}

Task<StoreWrite> CookieStore::insert(StoreKey key, std::string envelope, Milliseconds ttl) {
  const Milliseconds life = std::min(ttl, kNewerLife);
  const std::string name = newer_name(key, std::string_view());
  co_return co_await ledger_.write(name, std::move(envelope), life);
}

Task<StoreWrite> CookieStore::replace(StoreKey key, std::string expected_generation,
                                      std::string envelope, Milliseconds ttl) {
  const Milliseconds life = std::min(ttl, kNewerLife);
  co_return co_await put_newer(key, std::move(expected_generation), std::move(envelope), life);
}

Task<StoreWrite> CookieStore::supersede(StoreKey key, std::string expected_generation,
                                        std::string pointer) {
  const Milliseconds life = std::min(limits_.longest_sid_life, limits_.longest_life);
  co_return co_await put_newer(key, std::move(expected_generation), std::move(pointer), life);
}

// The entry first, then a look at what ended: a logout writes that and then looks for what was
// renewed, so one of the two is always seen.
Task<StoreWrite> CookieStore::put_newer(StoreKey key, std::string generation, std::string envelope,
                                        Milliseconds life) {
  const std::string name = newer_name(key, generation);
  StoreWrite written = co_await ledger_.add(name, envelope, life);
  if (written.status == StoreStatus::miss) {
    // A command that was sent twice finds its own value.
    const LedgerRead there = co_await ledger_.read(name);
    if (there.status == StoreStatus::hit && there.value == envelope) {
      written.status = StoreStatus::hit;
    }
  }
  if (written.status != StoreStatus::hit) co_return written;
  StoreRead still = co_await read(key);
  written.status = still.status;
  written.detail = std::move(still.detail);
  co_return written;
}

Task<StoreWrite> CookieStore::touch(StoreKey key, Milliseconds ttl) {
  const Seconds end = add_saturated(loop_.now(), ttl.count() / 1000);
  StoreWrite written =
      co_await ledger_.add(ended_name(key), std::to_string(end), limits_.longest_life);
  // It has an end already, and that is no later.
  if (written.status == StoreStatus::miss) written.status = StoreStatus::hit;
  co_return written;
}

Task<StoreWrite> CookieStore::erase(StoreKey key) {
  co_return co_await ledger_.write(ended_name(key), std::string(1, '0'), limits_.longest_life);
}

Task<StoreRead> CookieStore::newer(StoreKey key, std::string generation) {
  LedgerRead found = co_await ledger_.read(newer_name(key, generation));
  StoreRead result;
  result.status = found.status;
  result.envelope = std::move(found.value);
  result.detail = std::move(found.detail);
  co_return result;
}

bool CookieStore::is_current(const StoreKey& key, std::string_view generation) {
  return at_hand_ != nullptr && !at_hand_->holds(ended_name(key)) &&
         !at_hand_->holds(newer_name(key, generation));
}

// ---- the hot path --------------------------------------------------------------------------------

Seconds touch_interval(Seconds idling_timeout) noexcept {
  return std::min<Seconds>(60, std::max<Seconds>(idling_timeout / 4, 1));
}

std::shared_ptr<const OpenSession> session_in_cookies(Services& services,
                                                      const SessionCookie& cookie,
                                                      const PartsFinder& parts,
                                                      std::string_view name) {
  CookieStore& store = *services.in_cookies;
  const std::optional<PartSet> set = parts.set(0);
  if (!set) return nullptr;
  const Seconds idling = services.settings.session.idling_timeout;
  if (idling != 0 && set->issued() + touch_interval(idling) <= services.loop.now()) return nullptr;
  auto session = store.opened().find(cookie, *set);
  if (!session) {
    auto opened = open_parts(*set, cookie, services.keys, name, services.settings.identity);
    if (!opened) return nullptr;
    session = std::move(*opened);
    store.opened().keep(session, *set);
  }
  return store.is_current(session->key(), session->generation()) ? session : nullptr;
}

}  // namespace oidc
