// A ledger in memory, whose every call takes a moment and may fail.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "oidc/io.h"
#include "scripted_io.h"
#include "scripted_loop.h"

namespace oidc::test {

class MemoryLedger final : public Ledger {
 public:
  MemoryLedger(ScriptedLoop& loop, IoScript& io) : loop_(loop), io_(io) {}

  Task<LedgerRead> read(std::string name) override {
    const Fault fault = co_await io_.call("ledger read");
    LedgerRead answer;
    const std::string* value = find(name);
    if (fault == Fault::error || fault == Fault::timeout) {
      answer.detail = "scripted";
    } else if (fault == Fault::refusal || value == nullptr) {
      answer.status = StoreStatus::miss;
    } else {
      answer.status = StoreStatus::hit;
      answer.value = *value;
    }
    co_return answer;
  }

  Task<StoreWrite> write(std::string name, std::string value, Milliseconds ttl) override {
    const Fault fault = co_await io_.call("ledger write");
    if (has_no_room) {
      StoreWrite full;
      full.full = true;
      co_return full;
    }
    if (fault != Fault::error) put(name, std::move(value), ttl);
    co_return answer(fault, StoreStatus::hit);
  }

  Task<StoreWrite> add(std::string name, std::string value, Milliseconds ttl) override {
    const Fault fault = co_await io_.call("ledger add");
    const bool free = find(name) == nullptr && fault != Fault::refusal;
    if (free && fault != Fault::error) put(name, std::move(value), ttl);
    co_return answer(fault, free ? StoreStatus::hit : StoreStatus::miss);
  }

  Task<StoreWrite> erase_if_equal(std::string name, std::string value) override {
    const Fault fault = co_await io_.call("ledger erase");
    const std::string* found = find(name);
    const bool equal = found != nullptr && *found == value;
    if (equal && fault != Fault::error) entries_.erase(name);
    co_return answer(fault, equal ? StoreStatus::hit : StoreStatus::miss);
  }

  Task<StoreWrite> join(std::string set, std::string member, Milliseconds ttl) override {
    const Fault fault = co_await io_.call("ledger join");
    if (sets_[set].size() >= most_members && !sets_[set].contains(member)) {
      StoreWrite full;
      full.full = true;
      co_return full;
    }
    if (fault != Fault::error) sets_[set][member] = end_of(ttl);
    co_return answer(fault, StoreStatus::hit);
  }

  Task<StoreWrite> leave(std::string set, std::string member) override {
    const Fault fault = co_await io_.call("ledger leave");
    const bool there = fault != Fault::error && sets_[set].erase(member) != 0;
    co_return answer(fault, there ? StoreStatus::hit : StoreStatus::miss);
  }

  Task<LedgerMembers> members(std::string set) override {
    const Fault fault = co_await io_.call("ledger members");
    LedgerMembers answer;
    if (fault == Fault::error || fault == Fault::timeout) {
      answer.detail = "scripted";
      co_return answer;
    }
    answer.status = StoreStatus::hit;
    answer.members = members_of(set);
    if (answer.members.size() > kMostMembers) answer.members.resize(kMostMembers);
    co_return answer;
  }

  // ---- for the tests
  std::size_t most_members = 1'000'000;  // of a set
  bool has_no_room = false;               // for a write
  [[nodiscard]] const std::string* find(const std::string& name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end() || found->second.end <= loop_.monotonic_ms()) return nullptr;
    return &found->second.value;
  }
  void put(const std::string& name, std::string value, Milliseconds ttl) {
    entries_[name] = {std::move(value), end_of(ttl)};
  }
  // Of all entries and sets that live.
  [[nodiscard]] std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) {
      if (find(name) != nullptr) names.push_back(name);
    }
    for (const auto& [name, members] : sets_) {
      if (!members_of(name).empty()) names.push_back(name);
    }
    return names;
  }
  [[nodiscard]] std::vector<std::string> members_of(const std::string& set) {
    std::vector<std::pair<std::uint64_t, std::string>> alive;
    for (const auto& [member, end] : sets_[set]) {
      if (end > loop_.monotonic_ms()) alive.emplace_back(end, member);
    }
    std::sort(alive.begin(), alive.end());
    std::vector<std::string> names;
    for (auto& [end, member] : alive) names.push_back(std::move(member));
    return names;
  }

 private:
  struct Entry {
    std::string value;
    std::uint64_t end;
  };

  [[nodiscard]] std::uint64_t end_of(Milliseconds ttl) const {
    return loop_.monotonic_ms() + static_cast<std::uint64_t>(ttl.count());
  }
  static StoreWrite answer(Fault fault, StoreStatus status) {
    StoreWrite write;
    if (fault == Fault::error || fault == Fault::timeout) {
      write.detail = "scripted";
    } else {
      write.status = status;
    }
    return write;
  }

  ScriptedLoop& loop_;
  IoScript& io_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::map<std::string, std::uint64_t>> sets_;
};

}  // namespace oidc::test
