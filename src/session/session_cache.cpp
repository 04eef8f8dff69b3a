#include "oidc/session_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace oidc {

namespace {

// Beside the record: the entry, its two nodes and buckets, the opened session's own objects, and
// what the allocator adds to each.
constexpr std::size_t kOverhead = 896;

std::size_t weight_of(const SessionRecord& record) noexcept {
  std::size_t size = kOverhead;
  for (const StoredToken& token : {record.refresh_token, record.id_token}) {
    size += token.size() + sizeof(std::uint32_t);
  }
  for (const std::string_view text :
       {record.subject, record.provider_sid, record.scope, record.access_token, record.nonce,
        record.acr, record.previous, record.remember_sid, record.introspection,
        record.answer_jwt, record.jwk}) {
    size += text.size() + sizeof(std::uint32_t);
  }
  return size;
}

std::uint64_t plus(std::uint64_t time, Milliseconds length) noexcept {
  return time + static_cast<std::uint64_t>(std::max<Milliseconds::rep>(length.count(), 0));
}

}  // namespace

std::size_t SessionCache::Hash::operator()(const StoreKey& key) const noexcept {
  // The text is base64url of a hash of random bytes: any part of it is as good as another.
  std::uint64_t head = 0;
  std::memcpy(&head, key.text.data(), sizeof head);
  return static_cast<std::size_t>(head ^ head >> 29);
}

// Random as it is, and only found by who knows it.
std::size_t SessionCache::Hash::operator()(const Sid& sid) const noexcept {
  std::uint64_t head = 0;
  std::memcpy(&head, sid.data(), sizeof head);
  return static_cast<std::size_t>(head);
}

SessionCache::Reading::Reading(SessionCache& cache, const StoreKey& key, std::uint64_t now)
    : cache_(cache), key_(key), began_(now) {
  cache_.readings_.emplace(key_, this);
}

SessionCache::Reading::~Reading() {
  auto [first, last] = cache_.readings_.equal_range(key_);
  first = std::find_if(first, last, [this](const auto& held) { return held.second == this; });
  if (first != last) cache_.readings_.erase(first);
}

void SessionCache::confirm(const Reading& reading, std::string_view generation,
                           const CacheMark& mark, Milliseconds left) {
  if (reading.overtaken_ || !coherence_.valid(mark)) return;
  // Of no use before an outage.
  if (limits_.outage.count() == 0 && !coherence_.current(mark)) return;
  confirm(reading.key_, generation, mark, reading.began_, plus(reading.began_, left));
}

void SessionCache::confirm(const StoreKey& key, std::string_view generation, const CacheMark& mark,
                           std::uint64_t now, std::uint64_t expires_at) {
  if (generation.size() != kGenerationSize) return;
  const auto found = index_.find(key);
  if (found == index_.end()) {
    entries_.emplace_front();
    try {
      index_.emplace(key, entries_.begin());
    } catch (...) {
      entries_.pop_front();
      throw;
    }
    entries_.front().key = key;
    entries_.front().bytes = kOverhead;
    bytes_ += kOverhead;
  } else {
    entries_.splice(entries_.begin(), entries_, found->second);
  }
  Entry& entry = entries_.front();
  if (std::string_view(entry.generation.data(), kGenerationSize) != generation) {
    forget_session(entry);
    generation.copy(entry.generation.data(), kGenerationSize);
  }
  entry.mark = mark;
  entry.confirmed_at = now;
  entry.expires_at = expires_at;
  make_room();
}

void SessionCache::invalidate(const StoreKey& key) noexcept {
  const auto [first, last] = readings_.equal_range(key);
  for (auto reading = first; reading != last; ++reading) reading->second->overtaken_ = true;
  const auto found = index_.find(key);
  if (found == index_.end()) return;
  ++stats_.invalidated;
  drop(found->second);
}

void SessionCache::flush() noexcept {
  for (const auto& reading : readings_) reading.second->overtaken_ = true;
  stats_.invalidated += entries_.size();
  by_sid_.clear();
  index_.clear();
  entries_.clear();
  bytes_ = 0;
}

void SessionCache::keep(const std::shared_ptr<const OpenSession>& session, const KeyRing& keys,
                        std::string_view identity) {
  const auto found = index_.find(session->key());
  if (found == index_.end()) return;
  Entry& entry = *found->second;
  if (identity.size() != entry.identity.size()) return;
  if (session->generation() != std::string_view(entry.generation.data(), kGenerationSize)) return;
  by_sid_.insert_or_assign(session->cookie().sid, found->second);
  identity.copy(entry.identity.data(), entry.identity.size());
  entry.keys = &keys;
  entry.session = session;
  bytes_ -= entry.bytes;
  entry.prepared = session->preparations().bytes();
  entry.bytes = weight_of(session->record()) + entry.prepared;
  bytes_ += entry.bytes;
  make_room();
}

SessionCache::Entry* SessionCache::use(Entries::iterator found, const KeyRing& keys,
                                       std::string_view identity, std::uint64_t now) noexcept {
  Entry& entry = *found;
  if (entry.expires_at <= now) {
    drop(found);
    return nullptr;
  }
  if (!entry.session || entry.keys != &keys ||
      identity != std::string_view(entry.identity.data(), entry.identity.size())) {
    return nullptr;
  }
  entries_.splice(entries_.begin(), entries_, found);
  return &entry;
}

std::shared_ptr<const OpenSession> SessionCache::find(const SessionCookie& cookie,
                                                      const KeyRing& keys,
                                                      std::string_view identity,
                                                      std::uint64_t now) {
  const auto found = by_sid_.find(cookie.sid);
  Entry* entry =
      found == by_sid_.end() ? nullptr : use(found->second, keys, identity, now);
  if (entry == nullptr || plus(entry->confirmed_at, limits_.max_age) <= now ||
      !coherence_.current(entry->mark)) {
    ++stats_.misses;
    return nullptr;
  }
  ++stats_.hits;
  auto session = entry->session;
  weigh_again(*entry);
  return session;
}

std::shared_ptr<const OpenSession> SessionCache::find_confirmed(
    const StoreKey& key, const KeyRing& keys, std::string_view identity, std::uint64_t now,
    Milliseconds within) {
  const auto found = index_.find(key);
  if (found == index_.end()) return nullptr;
  if (!coherence_.valid(found->second->mark)) {
    drop(found->second);
    return nullptr;
  }
  const Entry* entry = use(found->second, keys, identity, now);
  if (entry == nullptr || plus(entry->confirmed_at, within) <= now) return nullptr;
  return entry->session;
}

std::optional<Milliseconds> SessionCache::left(const StoreKey& key, std::uint64_t now) const {
  const auto found = index_.find(key);
  if (found == index_.end() || !coherence_.current(found->second->mark)) return std::nullopt;
  const std::uint64_t expires_at = found->second->expires_at;
  return Milliseconds(expires_at > now ? expires_at - now : 0);
}

SessionCache::Stats SessionCache::stats() const noexcept {
  Stats result = stats_;
  result.entries = entries_.size();
  result.bytes = bytes_;
  return result;
}

void SessionCache::forget_session(Entry& entry) noexcept {
  if (entry.session) by_sid_.erase(entry.session->cookie().sid);
  entry.session.reset();
  bytes_ -= entry.bytes - kOverhead;
  entry.bytes = kOverhead;
  entry.prepared = 0;
}

void SessionCache::drop(Entries::iterator entry) noexcept {
  forget_session(*entry);
  bytes_ -= entry->bytes;
  index_.erase(entry->key);
  entries_.erase(entry);
}

// Headers are made of a session after it was kept. The entry may be gone afterwards.
void SessionCache::weigh_again(Entry& entry) noexcept {
  const std::size_t prepared = entry.session->preparations().bytes();
  if (prepared == entry.prepared) return;
  entry.bytes = entry.bytes - entry.prepared + prepared;
  bytes_ = bytes_ - entry.prepared + prepared;
  entry.prepared = prepared;
  make_room();
}

void SessionCache::make_room() noexcept {
  while (bytes_ > limits_.bytes && !entries_.empty()) {
    ++stats_.evicted;
    drop(std::prev(entries_.end()));
  }
}

}  // namespace oidc
