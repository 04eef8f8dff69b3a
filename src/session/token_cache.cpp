#include "oidc/token_cache.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "oidc/crypto.h"
#include "oidc/siphash.h"

namespace oidc {
namespace {

constexpr std::size_t kOverhead = 512;  // of an entry beside its texts
constexpr std::size_t kHashed = 96;
constexpr std::size_t kLargestToken = 16 * 1024;

std::string flight_name(const Settings& settings, std::string_view token) {
  const Settings* const address = &settings;
  std::string name(reinterpret_cast<const char*>(&address), sizeof address);
  return name.append(token);
}

}  // namespace

std::size_t TokenCache::Entry::bytes() const noexcept {
  std::size_t size = kOverhead + token.size();
  for (const auto& [name, value] : judgement.replay) size += name.size() + value.size();
  if (judgement.session) {
    const SessionRecord& record = judgement.session->record();
    size += record.access_token.size() + record.introspection.size() + record.scope.size();
    size += record.answer_jwt.size() + record.jwk.size();
    size += record.id_token.size() + record.refresh_token.size();
  }
  return size;
}

TokenCache::TokenCache(Limits limits) : limits_(limits) {
  const std::string random = random_string(sizeof seed_);
  std::memcpy(seed_.data(), random.data(), sizeof seed_);
}

std::uint64_t TokenCache::hash_of(const Settings& settings,
                                  std::string_view token) const noexcept {
  // Of a long one the end will do, which in a JWT is the signature. The texts are compared in full:
  // whoever makes tokens of one end only takes the places of his own.
  const std::string_view end = token.substr(token.size() - std::min(token.size(), kHashed));
  return siphash13({seed_[0], seed_[1] ^ settings.index ^ token.size() << 32}, end);
}

const TokenCache::Judgement* TokenCache::find(const Settings& settings, std::string_view token,
                                              Seconds now,
                                              std::optional<std::uint64_t> keys) noexcept {
  const std::uint64_t hash = hash_of(settings, token);
  for (Room* room : {&accepted_, &refused_}) {
    const Entry* entry = room->find(hash);
    if (entry == nullptr || entry->settings != &settings || entry->token != token) continue;
    const Judgement& judgement = entry->judgement;
    if (judgement.until > now && (!judgement.keys || judgement.keys == keys)) return &judgement;
    room->drop(hash);
  }
  return nullptr;
}

void TokenCache::keep(const Settings& settings, std::string_view token, Judgement judgement) {
  if (settings.access_token.cache_size == 0 || token.size() > kLargestToken) return;
  const std::uint64_t hash = hash_of(settings, token);
  for (Room* room : {&accepted_, &refused_}) {
    const Entry* entry = room->find(hash);
    if (entry != nullptr && entry->token == token) room->drop(hash);
  }
  Room& room = judgement.session ? accepted_ : refused_;
  room.put(Entry{hash, &settings, std::string(token), std::move(judgement)}, limits_);
}

TokenCache::Arrival TokenCache::under_way(const Settings& settings, std::string_view token) const {
  const auto found = under_way_.find(flight_name(settings, token));
  return found == under_way_.end() ? nullptr : found->second;
}

TokenCache::Arrival TokenCache::begin(const Settings& settings, std::string_view token) {
  std::size_t& calls = calls_[settings.provider_index];
  if (calls >= kMostTokenCalls) return nullptr;
  Arrival& arrival = under_way_[flight_name(settings, token)];
  arrival = std::make_shared<Promised<std::shared_ptr<const Answer>>>();
  ++calls;
  return arrival;
}

void TokenCache::end(const Settings& settings, std::string_view token) {
  if (under_way_.erase(flight_name(settings, token)) != 0) --calls_[settings.provider_index];
}

TokenCache::Entry* TokenCache::Room::find(std::uint64_t hash) noexcept {
  const auto found = index_.find(hash);
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &*found->second;
}

void TokenCache::Room::put(Entry entry, Limits limits) {
  const std::uint64_t hash = entry.hash;
  drop(hash);
  entries_.push_front(std::move(entry));
  try {
    index_.emplace(hash, entries_.begin());
  } catch (...) {
    entries_.pop_front();
    throw;
  }
  bytes_ += entries_.front().bytes();
  while (!entries_.empty() && (entries_.size() > limits.entries || bytes_ > limits.bytes)) {
    drop(entries_.back().hash);
  }
}

void TokenCache::Room::drop(std::uint64_t hash) noexcept {
  const auto found = index_.find(hash);
  if (found == index_.end()) return;
  bytes_ -= found->second->bytes();
  entries_.erase(found->second);
  index_.erase(found);
}

}  // namespace oidc
