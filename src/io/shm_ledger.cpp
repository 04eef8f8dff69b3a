#include "io/shm_ledger.h"

#include <algorithm>
#include <utility>

#include "io/shm_dictionary.h"
#include "oidc/fields.h"
#include "oidc/ledger_names.h"

namespace oidc {

namespace {

// What a set is in the table: for each member its end on nginx's clock, and its text.
struct Member {
  std::uint64_t end;
  std::string text;
};
using Members = std::vector<Member>;

Members decode(std::string_view bytes, std::uint64_t now) {
  Members members;
  FieldReader in(bytes);
  while (!in.complete()) {
    Member member{static_cast<std::uint64_t>(in.i64()), std::string(in.text())};
    if (in.failed()) return {};
    if (member.end > now) members.push_back(std::move(member));
  }
  return members;
}

std::string encode(const Members& members) {
  FieldWriter out;
  for (const Member& member : members) {
    out.i64(static_cast<std::int64_t>(member.end)).text(member.text);
  }
  return out.take();
}

StoreWrite hit_or_miss(bool hit) {
  StoreWrite result;
  result.status = hit ? StoreStatus::hit : StoreStatus::miss;
  return result;
}

// A browser makes these as fast as it likes (ids that renewed others): what they take is not missing
// for logouts and locks.
bool is_renewal(std::string_view name) noexcept { return name.starts_with(kRenewals); }

StoreWrite no_room() {
  StoreWrite result;
  result.full = true;
  result.detail = "the zone has no room for the entry";
  return result;
}

}  // namespace

Task<LedgerRead> ShmLedger::read(std::string name) {
  const auto found = zone_.locked(
      [&](ShmTable& table) { return table.read(name, ngx_current_msec, buffer_); });
  LedgerRead result;
  result.status = found ? StoreStatus::hit : StoreStatus::miss;
  if (found) result.value.assign(buffer_.data(), std::min(found->size, buffer_.size()));
  co_return result;
}

Task<StoreWrite> ShmLedger::write(std::string name, std::string value, Milliseconds ttl) {
  co_return put(name, value, ttl, ShmTable::When::always);
}

Task<StoreWrite> ShmLedger::add(std::string name, std::string value, Milliseconds ttl) {
  co_return put(name, value, ttl, ShmTable::When::absent);
}

Task<StoreWrite> ShmLedger::erase_if_equal(std::string name, std::string value) {
  co_return hit_or_miss(zone_.locked([&](ShmTable& table) {
    return table.erase_if_equal(name, value, ngx_current_msec);
  }));
}

bool ShmLedger::holds(std::string_view name) {
  return zone_
      .locked([&](ShmTable& table) {
        return table.read(name, ngx_current_msec, std::span<char>());
      })
      .has_value();
}

StoreWrite ShmLedger::put(const std::string& name, std::string_view value, Milliseconds ttl,
                          ShmTable::When when) {
  if (value.size() > kMaxValue) return no_room();
  const ShmTable::Write write{.key = name,
                              .value = value,
                              .expires_at = shm_deadline(ttl),
                              .when = when,
                              .evict_live = evicts_,
                              .group = is_renewal(name) ? kRenewalGroup : kEntryGroup};
  const auto put =
      zone_.locked([&](ShmTable& table) { return table.put(write, ngx_current_msec); });
  evictions_.add_sessions(put.evicted);
  if (put.status == ShmTable::Put::stored) return hit_or_miss(true);
  if (put.status == ShmTable::Put::exists) return hit_or_miss(false);
  evictions_.add_refused();
  return no_room();
}

bool ShmLedger::evict_set(ShmTable& table, std::string_view besides, std::uint64_t now,
                          Evicted& evicted) {
  const auto oldest = table.oldest(kIndexGroup, buffer_);
  if (!oldest || oldest->key_size > buffer_.size()) return false;
  const std::string name(buffer_.data(), oldest->key_size);
  if (name == besides) return false;
  const auto found = table.read(name, now, buffer_);
  if (found) {
    const std::string_view bytes(buffer_.data(), std::min(found->size, buffer_.size()));
    for (const Member& member : decode(bytes, now)) {
      const std::string_view text = member.text;
      const std::size_t dot = std::min(text.find('.'), text.size());
      if (dot != text.size() && table.evict(text.substr(dot + 1), now)) ++evicted.sessions;
    }
  }
  ++evicted.sets;
  return table.erase(name, now) || !found;
}

Task<StoreWrite> ShmLedger::join(std::string set, std::string member, Milliseconds ttl) {
  const std::uint64_t now = ngx_current_msec;
  const std::uint64_t end = shm_deadline(ttl);
  Evicted evicted;
  const auto put = zone_.locked([&](ShmTable& table) -> ShmTable::PutResult {
    Members members;
    if (const auto found = table.read(set, now, buffer_)) {
      members = decode({buffer_.data(), std::min(found->size, buffer_.size())}, now);
    }
    std::erase_if(members, [&](const Member& each) { return each.text == member; });
    const auto after = std::find_if(members.begin(), members.end(),
                                    [end](const Member& each) { return each.end > end; });
    members.insert(after, Member{end, member});
    const std::string value = encode(members);
    if (value.size() > kMaxValue) return {ShmTable::Put::too_large, 0};
    const ShmTable::Write write{.key = set,
                                .value = value,
                                .expires_at = members.back().end,
                                .evict_live = evicts_,
                                .group = kIndexGroup};
    ShmTable::PutResult result = table.put(write, now);
    while (result.status == ShmTable::Put::over_share && evict_set(table, set, now, evicted)) {
      result = table.put(write, now);
    }
    return result;
  });
  evictions_.add_sessions(put.evicted);
  evictions_.add_sets(evicted.sets, evicted.sessions);
  if (put.status == ShmTable::Put::stored) co_return hit_or_miss(true);
  if (put.status != ShmTable::Put::too_large) evictions_.add_refused();
  co_return no_room();
}

Task<StoreWrite> ShmLedger::leave(std::string set, std::string member) {
  const std::uint64_t now = ngx_current_msec;
  co_return hit_or_miss(zone_.locked([&](ShmTable& table) {
    const auto found = table.read(set, now, buffer_);
    if (!found) return false;
    Members members = decode({buffer_.data(), std::min(found->size, buffer_.size())}, now);
    if (std::erase_if(members, [&](const Member& each) { return each.text == member; }) == 0) {
      return false;
    }
    if (members.empty()) return table.erase(set, now);
    const std::string value = encode(members);
    const ShmTable::Write write{.key = set, .value = value, .expires_at = members.back().end};
    return table.put(write, now).status == ShmTable::Put::stored;
  }));
}

Task<LedgerMembers> ShmLedger::members(std::string set) {
  const std::uint64_t now = ngx_current_msec;
  const auto found =
      zone_.locked([&](ShmTable& table) { return table.read(set, now, buffer_); });
  LedgerMembers result;
  result.status = StoreStatus::hit;
  if (!found) co_return result;
  for (Member& member : decode({buffer_.data(), std::min(found->size, buffer_.size())}, now)) {
    if (result.members.size() == kMostMembers) break;
    result.members.push_back(std::move(member.text));
  }
  co_return result;
}

}  // namespace oidc
