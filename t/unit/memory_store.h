// A session store in memory, whose every call takes a moment and may fail.
#pragma once

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "oidc/io.h"
#include "scripted_io.h"
#include "scripted_loop.h"

namespace oidc::test {

class MemoryStore final : public SessionStore {
 public:
  MemoryStore(ScriptedLoop& loop, IoScript& io) : loop_(loop), io_(io) {}

  Task<StoreRead> read(StoreKey key) override {
    const Fault fault = co_await io_.call("store read");
    StoreRead answer;
    const Record* record = find(key);
    if (fault == Fault::error || fault == Fault::timeout) {
      answer.detail = "scripted";
    } else if (fault == Fault::refusal || record == nullptr) {
      answer.status = StoreStatus::miss;
    } else {
      answer.status = StoreStatus::hit;
      answer.envelope = record->envelope;
    }
    co_return answer;
  }

  Task<StoreWrite> insert(StoreKey key, std::string envelope, Milliseconds ttl) override {
    const Fault fault = co_await io_.call("store insert");
    if (fault == Fault::refusal) {
      StoreWrite full = failure();
      full.full = true;
      co_return full;
    }
    if (fault != Fault::error) put(key, std::move(envelope), ttl);
    ++inserts_;
    co_return answer(fault, StoreStatus::hit);
  }

  Task<StoreWrite> replace(StoreKey key, std::string expected_generation, std::string envelope,
                           Milliseconds ttl) override {
    const Fault fault = co_await io_.call("store replace");
    if (fault == Fault::refusal) drop(key);  // somebody was faster
    const Record* record = find(key);
    const bool matches = record != nullptr && record->envelope.starts_with(expected_generation);
    if (matches && fault != Fault::error) {
      const std::uint64_t end = std::min(record->end, end_of(ttl));
      records_[std::string(key.view())] = {std::move(envelope), end};
    }
    co_return answer(fault, matches ? StoreStatus::hit : StoreStatus::miss);
  }

  Task<StoreWrite> touch(StoreKey key, Milliseconds ttl) override {
    const Fault fault = co_await io_.call("store touch");
    Record* record = find(key);
    const bool there = record != nullptr && fault != Fault::refusal;
    const bool lives = there && record->end > end_of(grace_of(ttl));
    if (lives && fault != Fault::error) record->end = end_of(ttl);
    co_return answer(fault, lives ? StoreStatus::hit : StoreStatus::miss);
  }

  Task<StoreWrite> erase(StoreKey key) override {
    const Fault fault = co_await io_.call("store erase");
    if (fault != Fault::error) records_.erase(std::string(key.view()));
    co_return answer(fault, StoreStatus::hit);
  }

  // ---- for the tests
  [[nodiscard]] std::size_t size() {
    std::size_t alive = 0;
    for (const auto& [key, record] : records_) alive += record.end > loop_.monotonic_ms() ? 1 : 0;
    return alive;
  }
  [[nodiscard]] std::size_t inserts() const { return inserts_; }
  [[nodiscard]] bool has(const StoreKey& key) { return find(key) != nullptr; }
  [[nodiscard]] std::string envelope(const StoreKey& key) { return find(key)->envelope; }
  [[nodiscard]] Milliseconds ttl(const StoreKey& key) {
    return Milliseconds(find(key)->end - loop_.monotonic_ms());
  }
  void put(const StoreKey& key, std::string envelope, Milliseconds ttl) {
    if (ttl.count() <= 0) throw std::logic_error("a ttl that is not positive");
    records_[std::string(key.view())] = {std::move(envelope), end_of(ttl)};
  }
  void drop(const StoreKey& key) { records_.erase(std::string(key.view())); }

 private:
  struct Record {
    std::string envelope;
    std::uint64_t end;
  };

  [[nodiscard]] std::uint64_t end_of(Milliseconds ttl) const {
    return loop_.monotonic_ms() + static_cast<std::uint64_t>(ttl.count());
  }
  [[nodiscard]] Record* find(const StoreKey& key) {
    const auto found = records_.find(std::string(key.view()));
    if (found == records_.end() || found->second.end <= loop_.monotonic_ms()) return nullptr;
    return &found->second;
  }
  static StoreWrite failure() {
    StoreWrite write;
    write.detail = "scripted";
    return write;
  }
  static StoreWrite answer(Fault fault, StoreStatus status) {
    if (fault == Fault::error || fault == Fault::timeout) return failure();
    StoreWrite write;
    write.status = status;
    return write;
  }

  ScriptedLoop& loop_;
  IoScript& io_;
  std::map<std::string, Record> records_;
  std::size_t inserts_ = 0;
};

}  // namespace oidc::test
