// ShmTable under processes that race and die.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>

#include "shared_memory.h"

namespace oidc {
namespace {

// Processes that share a table and a robust mutex.
class Processes : public ::testing::Test {
 protected:
  struct Control {
    pthread_mutex_t mutex;
    std::array<std::uint64_t, 4> won;
    std::atomic<std::uint64_t> writes;
  };

  Processes() : shared_(*reinterpret_cast<Control*>(control_.span().data())) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&shared_.mutex, &attributes);
  }
  template <class Body>
  auto locked(Body&& body) {
    if (pthread_mutex_lock(&shared_.mutex) == EOWNERDEAD) {
      pthread_mutex_consistent(&shared_.mutex);
    }
    auto result = body();
    pthread_mutex_unlock(&shared_.mutex);
    return result;
  }

  Memory memory_{256 * 1024};
  Memory control_{4096};
  Control& shared_;
  ShmTable table_ = make(memory_);
};

TEST_F(Processes, CompareAndSetLosesNothing) {
  const auto as_bytes = [](std::uint64_t value) {
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &value, 8);
    return bytes;
  };
  ASSERT_EQ(put(table_, "counter", as_bytes(0), ~0ULL, 1), ShmTable::Put::stored);
  std::array<pid_t, 4> pids{};
  for (std::size_t process = 0; process < pids.size(); ++process) {
    pids[process] = fork();
    if (pids[process] != 0) continue;
    std::mt19937 random(static_cast<std::uint32_t>(process));
    std::string seen(8, '\0');
    for (int round = 0; round < 20'000; ++round) {
      if (!locked([&] { return table_.read("counter", 1, seen); })) _exit(2);
      std::uint64_t value = 0;
      std::memcpy(&value, seen.data(), 8);
      const std::string next = as_bytes(value + 1);
      const auto result = locked([&] {
        return table_.put({.key = "counter",
                           .value = next,
                           .expires_at = ~0ULL,
                           .when = ShmTable::When::prefix_equals,
                           .prefix = seen},
                          1);
      });
      if (result.status == ShmTable::Put::stored) ++shared_.won[process];
      const std::string key = "k" + std::to_string(random() % 100);
      const std::size_t size = random() % 700;
      locked([&] {
        return size % 3 == 0
                   ? table_.erase(key, 1)
                   : put(table_, key, std::string(size, 'z'), ~0ULL, 1) == ShmTable::Put::stored;
      });
    }
    _exit(table_.took_reset() ? 3 : 0);
  }
  for (const pid_t pid : pids) {
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
  std::uint64_t won = 0;
  for (const std::uint64_t each : shared_.won) won += each;
  EXPECT_GE(won, 20'000U);
  EXPECT_EQ(get(table_, "counter", 1), as_bytes(won));
  EXPECT_EQ(table_.stats().resets, 0U);
}

TEST_F(Processes, MayBeKilledAnywhere) {
  int deaths_inside = 0;
  // On a busy machine hardly a process dies inside.
  for (int round = 0; round < 150 || (deaths_inside == 0 && round < 5000); ++round) {
    const std::uint64_t before = shared_.writes;
    const pid_t pid = fork();
    if (pid == 0) {
      for (std::uint32_t i = 0;; ++i) {
        const std::string key = "k" + std::to_string(i % 90);
        const std::string value(i % 3000, 'w');
        locked([&] { return put(table_, key, value, ~0ULL, 1, true); });
        ++shared_.writes;
      }
    }
    while (shared_.writes == before) usleep(50);
    usleep(37 * round % 1000);
    kill(pid, SIGKILL);
    int status = 0;
    waitpid(pid, &status, 0);
    locked([&] {
      EXPECT_EQ(put(table_, "after", "1", ~0ULL, 1, true), ShmTable::Put::stored);
      EXPECT_EQ(get(table_, "after", 1), "1");
      deaths_inside += table_.took_reset() ? 1 : 0;
      return 0;
    });
  }
  EXPECT_GT(deaths_inside, 0);
}

}  // namespace
}  // namespace oidc
