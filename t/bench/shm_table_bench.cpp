// What one call on the sessions' table costs, from a thousand to a million sessions of real size:
// it must not grow with their number. Every read is of another session, so that the processor's
// caches do not hide it.
#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "io/shm_table.h"

namespace oidc {
namespace {

constexpr std::size_t kRecord = 3072;  // sealed, with tokens as Keycloak makes them
constexpr ShmTable::Shape kShape{.kind = 1, .block_size = 512};
constexpr std::uint64_t kNow = 1'000'000;
constexpr std::uint64_t kHour = 3'600'000;

using Key = std::array<char, 44>;

Key key_of(std::uint64_t number) {
  Key key{};
  std::snprintf(key.data(), key.size(), "%043llu",
                static_cast<unsigned long long>(number * 0x9E3779B97F4A7C15ULL));
  return key;
}
std::string_view view(const Key& key) { return {key.data(), 43}; }

class Filled {
 public:
  explicit Filled(std::uint64_t sessions) : sessions_(sessions), size_(sessions * 4096 + (8 << 20)) {
    memory_ = static_cast<std::byte*>(mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                                           MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (memory_ == MAP_FAILED || !ShmTable::format({memory_, size_}, kShape, {1, 2})) std::abort();
    table_ = ShmTable::attach({memory_, size_}, kShape);
    const std::string record(kRecord, 'x');
    for (std::uint64_t i = 0; i < sessions; ++i) put(i, record);
  }
  ~Filled() { munmap(memory_, size_); }
  Filled(const Filled&) = delete;
  Filled& operator=(const Filled&) = delete;

  void put(std::uint64_t number, std::string_view record) {
    const Key key = key_of(number);
    const auto result = table_->put({.key = view(key),
                                     .value = record,
                                     .expires_at = kNow + kHour + number,
                                     .evict_live = true},
                                    kNow);
    if (result.status != ShmTable::Put::stored || result.evicted != 0) std::abort();
  }
  [[nodiscard]] ShmTable& table() { return *table_; }
  // A walk over all sessions in no order.
  [[nodiscard]] std::uint64_t next() { return step_ = (step_ + 7'919) % sessions_; }

 private:
  std::uint64_t sessions_;
  std::size_t size_;
  std::byte* memory_;
  std::optional<ShmTable> table_;
  std::uint64_t step_ = 0;
};

// Filling takes longer than measuring: each size is filled once.
Filled& filled(std::uint64_t sessions) {
  static std::map<std::uint64_t, std::unique_ptr<Filled>> all;
  std::unique_ptr<Filled>& one = all[sessions];
  if (!one) one = std::make_unique<Filled>(sessions);
  return *one;
}

void read(benchmark::State& state) {
  Filled& with = filled(static_cast<std::uint64_t>(state.range(0)));
  std::array<char, 4096> out{};
  for (auto _ : state) {
    const Key key = key_of(with.next());
    const auto found = with.table().read(view(key), kNow, out);
    if (!found || found->size != kRecord) std::abort();
  }
}

void touch(benchmark::State& state) {
  Filled& with = filled(static_cast<std::uint64_t>(state.range(0)));
  std::uint64_t later = kNow + kHour;
  for (auto _ : state) {
    const Key key = key_of(with.next());
    if (!with.table().touch(view(key), later += 1, kNow)) std::abort();
  }
}

void replace(benchmark::State& state) {
  Filled& with = filled(static_cast<std::uint64_t>(state.range(0)));
  const std::string record(kRecord, 'y');
  for (auto _ : state) with.put(with.next(), record);
}

BENCHMARK(read)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(touch)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(replace)->Arg(1'000)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);

}  // namespace
}  // namespace oidc

BENCHMARK_MAIN();
