// What one worker process holds: its loop, its clients of providers and stores, and the Services of
// each Settings. Made in init_process, gone in exit_process.
#pragma once

#include <memory>
#include <vector>

#include "io/curl_http_client.h"
#include "io/nginx_loop.h"
#include "io/redis.h"
#include "io/shm_dictionary.h"
#include "ngx/conf.h"
#include "oidc/flow.h"
#include "oidc/provider.h"
#include "oidc/refreshes.h"
#include "oidc/session_cache.h"
#include "oidc/token_cache.h"
#include "oidc/touch_throttle.h"

namespace oidc::ngx {

class Worker {
 public:
  // nullptr outside of worker processes and where the module is not used.
  [[nodiscard]] static Worker* current() noexcept;
  static void start(const MainConf& conf);
  static void stop() noexcept;

  // nullptr for settings of another configuration: nginx without a master reloads in place.
  [[nodiscard]] Services* services(const Settings& settings) noexcept {
    if (settings.index >= services_.size()) return nullptr;
    Services* found = services_[settings.index].get();
    return &found->settings == &settings ? found : nullptr;
  }
  [[nodiscard]] NginxLoop& loop() noexcept { return loop_; }

  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

 private:
  explicit Worker(const MainConf& conf);

  class Log;

  void add_store(const StoreConf& store, SessionCache::Limits limits);
  void add_cookie_store(const MainConf& conf, std::size_t store);

  NginxLoop loop_;
  ShmDictionary shared_, used_states_;
  Refreshes refreshes_;
  TouchThrottle touches_;
  TokenCache tokens_;
  std::vector<std::unique_ptr<Log>> logs_;
  std::vector<std::unique_ptr<HttpClient>> clients_;     // of each provider
  std::vector<std::unique_ptr<Provider>> providers_;
  std::vector<std::unique_ptr<Redis>> redis_;
  std::vector<std::unique_ptr<SessionStore>> stores_;
  std::vector<std::unique_ptr<SessionCache>> caches_;    // of each store; null: off
  std::vector<std::unique_ptr<Ledger>> ledgers_;         // of each store
  std::vector<std::unique_ptr<KeyRing>> keys_;
  std::vector<std::unique_ptr<Services>> services_;      // of each Settings
};

}  // namespace oidc::ngx
