// Everything around the flows: a provider, stores, workers, and the time, all of it by script.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "browser.h"
#include "flow/steps.h"
#include "memory_ledger.h"
#include "memory_store.h"
#include "oidc/provider.h"
#include "oidc/refreshes.h"
#include "oidc/touch_throttle.h"
#include "result_code.h"
#include "sample_settings.h"
#include "scripted_io.h"
#include "scripted_loop.h"
#include "scripted_op.h"
#include "session_sample.h"
#include "shared_table.h"

namespace oidc::test {

// What one worker process has of its own.
struct ScriptedWorker {
  ScriptedWorker(const Settings& settings, ScriptedLoop& loop, IoScript& io, ScriptedOp& op,
                 SessionStore& store, Ledger& ledger, SharedMemory& shared, const KeyRing& keys,
                 EventLog& log)
      : http(io, op),
        provider(settings.provider, http, shared, loop, log),
        services{settings, loop, http, store, ledger, shared, shared, provider, keys, refreshes, *touches, log} {}

  ScriptedHttp http;
  Provider provider;
  Refreshes refreshes;
  std::unique_ptr<TouchThrottle> touches = std::make_unique<TouchThrottle>();
  Services services;
};

class World {
 public:
  explicit World(Settings its_settings = sample_settings())
      : settings(std::move(its_settings)),
        worker(settings, loop, io, op, store, ledger, shared, keys, log) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() { loop.cancel_tasks(); }

  // ---- requests, each run to its end
  Outcome access(Facts facts) { return loop.run(access_flow(worker.services, std::move(facts))); }
  Outcome visit(Browser& browser, std::string target) {
    return taken_by(browser, access(browser.navigate(std::move(target))));
  }
  Outcome callback(Facts facts, std::string body = {}) {
    ScriptedBody reader(io, std::move(body));
    return loop.run(callback_flow({&worker.services}, std::move(facts), reader));
  }
  // The provider sends the browser back with a query.
  Outcome come_back(Browser& browser, const Form& answer) {
    const std::string target = std::string(kCallbackPath) + "?" + answer.encode();
    return taken_by(browser, callback(browser.navigate(target)));
  }
  // The whole way: the first visit, the provider, the callback.
  Outcome log_in(Browser& browser, std::string target = "/") {
    const Outcome start = visit(browser, std::move(target));
    return come_back(browser, op.authorize(location(start)));
  }

  // Everything that was begun ends, however long it takes.
  void settle() {
    for (int steps = 0; loop.step(); ++steps) {
      if (steps > 100'000) throw std::logic_error("it never ends");
    }
    loop.run_until_idle();
  }

  // The session that the browser's cookie stands for.
  [[nodiscard]] std::shared_ptr<const OpenSession> session_of(const Browser& browser) {
    const auto found = browser.cookies.find(session_cookie_name());
    if (found == browser.cookies.end()) return nullptr;
    const auto cookie = open_session_cookie(found->second.value, keys, session_cookie_name(),
                                            settings.identity, loop.now());
    if (!cookie) return nullptr;
    const StoreKey key = store_key(cookie->sid_view());
    if (!store.has(key)) return nullptr;
    auto session = open_session(store.envelope(key), *cookie, key, keys, settings.identity);
    return session ? *session : nullptr;
  }

  [[nodiscard]] static std::string header(const Outcome& outcome, std::string_view name) {
    for (const auto& [each, value] : outcome.headers) {
      if (each == name) return value;
    }
    return {};
  }
  [[nodiscard]] static std::string location(const Outcome& outcome) {
    return header(outcome, "Location");
  }
  [[nodiscard]] static std::string session_cookie_name() { return std::string(kCookieName); }

  ScriptedLoop loop;
  IoScript io{loop};
  ScriptedOp op{loop};
  MemoryStore store{loop, io};
  MemoryLedger ledger{loop, io};
  SharedTable shared{loop};
  RecordedLog log;
  KeyRing keys = key_ring({kSecret});
  Settings settings;
  ScriptedWorker worker;

 private:
  static Outcome taken_by(Browser& browser, Outcome outcome) {
    browser.take(outcome);
    return outcome;
  }
};

inline bool passes(const Outcome& outcome) {
  return outcome.kind == Outcome::Kind::pass;
}
inline bool denies(const Outcome& outcome, Errc reason) {
  return outcome.kind == Outcome::Kind::deny && outcome.reason == reason &&
         outcome.status == info(reason).status;
}
inline bool redirects_to(const Outcome& outcome, std::string_view prefix) {
  return outcome.kind == Outcome::Kind::answer &&
         (outcome.status == 302 || outcome.status == 303) &&
         World::location(outcome).starts_with(prefix);
}
inline bool starts_login(const Outcome& outcome) {
  return redirects_to(outcome, "https://op.example.com/authorize?");
}

inline std::string describe(const Outcome& outcome) {
  static constexpr const char* kKinds[] = {"pass", "answer", "deny", "reroute"};
  return std::string(kKinds[static_cast<int>(outcome.kind)]) + " " +
         std::to_string(outcome.status) + " " + std::string(info(outcome.reason).code) + " " +
         outcome.detail + " " + World::location(outcome);
}

}  // namespace oidc::test
