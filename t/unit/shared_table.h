// What the workers of one machine share, in memory.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "oidc/io.h"
#include "scripted_loop.h"

namespace oidc::test {

class SharedTable final : public SharedMemory {
 public:
  explicit SharedTable(ScriptedLoop& loop) : loop_(loop) {}

  std::optional<std::string> get(std::string_view name) override {
    const Entry* entry = find(name);
    if (entry == nullptr) return std::nullopt;
    return entry->value;
  }
  bool put(std::string_view name, std::string_view value, Milliseconds ttl) override {
    if (full) return false;
    entries_[std::string(name)] = {std::string(value), end_of(ttl)};
    return true;
  }
  bool put_if_absent(std::string_view name, std::string_view value, Milliseconds ttl) override {
    return find(name) == nullptr && put(name, value, ttl);
  }
  void erase_if_equal(std::string_view name, std::string_view value) override {
    const Entry* entry = find(name);
    if (entry != nullptr && entry->value == value) entries_.erase(entries_.find(name));
  }

  [[nodiscard]] std::size_t count(std::string_view prefix) {
    std::size_t found = 0;
    for (const auto& [name, entry] : entries_) {
      found += name.starts_with(prefix) && entry.end > loop_.monotonic_ms() ? 1 : 0;
    }
    return found;
  }
  bool full = false;

 private:
  struct Entry {
    std::string value;
    std::uint64_t end;
  };
  [[nodiscard]] std::uint64_t end_of(Milliseconds ttl) const {
    return loop_.monotonic_ms() + static_cast<std::uint64_t>(ttl.count());
  }
  [[nodiscard]] const Entry* find(std::string_view name) const {
    const auto found = entries_.find(name);
    if (found == entries_.end() || found->second.end <= loop_.monotonic_ms()) return nullptr;
    return &found->second;
  }

  ScriptedLoop& loop_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace oidc::test
