#include "ngx/worker.h"

#include <algorithm>
#include <stdexcept>

#include "io/curl_multi.h"
#include "io/redis_ledger.h"
#include "io/redis_store.h"
#include "io/shm_ledger.h"
#include "io/shm_session_store.h"
#include "ngx/handlers.h"
#include "ngx/request_log.h"
#include "oidc/cookie_store.h"
#include "oidc/crypto.h"
#include "oidc/outage.h"

namespace oidc::ngx {
namespace {

constexpr std::size_t kSecretSize = 32;
constexpr Milliseconds kReplayPause{500};
constexpr Milliseconds kForever{100LL * 365 * 86400 * 1000};

std::unique_ptr<Worker>& current_worker() {
  static std::unique_ptr<Worker> worker;
  return worker;
}

// The secret that is made at start: by the first worker that asks, for all of them and over reloads.
Secret generated_secret(ShmZone& zone) {
  ShmDictionary dictionary(zone);
  const Secret fresh = [] {
    Secret secret = Secret::of_size(kSecretSize);
    random_bytes({secret.data(), secret.size()});
    return secret;
  }();
  dictionary.put_if_absent("session secret", fresh.view(), kForever);
  std::optional<std::string> stored = dictionary.get("session secret");
  if (!stored) throw std::runtime_error("no session secret");
  Secret secret(*stored);
  cleanse(*stored);
  return secret;
}

std::unique_ptr<KeyRing> make_key_ring(const KeysConf& conf, ShmZone* secret_zone) {
  std::vector<Secret> secrets;
  for (const Secret& secret : conf.settings->secrets) secrets.push_back(secret.clone());
  if (secrets.empty()) secrets.push_back(generated_secret(*secret_zone));
  return std::make_unique<KeyRing>(secrets);
}

SessionCache::Limits cache_limits(const MainConf& conf, std::size_t store) {
  const SessionSettings& session = *conf.stores[store].settings;
  SessionCache::Limits limits{session.cache_size, Milliseconds(session.cache_max_age * 1000), {}};
  for (const Settings* settings : conf.settings) {
    if (settings->store_index != store) continue;
    limits.outage = std::max(limits.outage, Milliseconds(settings->session.outage_cached * 1000));
  }
  return limits;
}

// Of all locations that share the store: each may accept what another one made.
CookieStore::Limits cookie_limits(const MainConf& conf, std::size_t store) {
  constexpr Seconds kLongest = 400 * 86400;  // what browsers keep a cookie for at most
  CookieStore::Limits limits;
  const auto longer = [](Milliseconds life, Seconds timeout) {
    return std::max(life, Milliseconds((timeout == 0 ? kLongest : timeout) * 1000));
  };
  for (const Settings* settings : conf.settings) {
    if (settings->store_index != store) continue;
    const SessionSettings& session = settings->session;
    limits.longest_life = longer(limits.longest_life, session.absolute_timeout);
    limits.longest_sid_life = longer(limits.longest_sid_life, session.rolling_timeout);
    limits.cache_bytes = session.cache_size;
  }
  return limits;
}

std::string redis_prefix(const SessionSettings& session) {
  return session.redis.prefix.empty() ? "session" : session.redis.prefix;
}

// One cache for all settings: the largest of their wishes.
TokenCache::Limits token_limits(const MainConf& conf) {
  constexpr std::size_t kBytesEach = 8 * 1024;
  TokenCache::Limits limits;
  for (const Settings* settings : conf.settings) {
    limits.entries = std::max(limits.entries, settings->access_token.cache_size);
  }
  limits.bytes = limits.entries * kBytesEach;
  return limits;
}

std::unique_ptr<SessionCache> make_cache(SessionCache::Limits limits, const Coherence& coherence) {
  if (limits.bytes == 0) return nullptr;
  return std::make_unique<SessionCache>(limits, coherence);
}

// Logouts that Redis could not be told of, of all workers and of those before a reload.
Task<void> replay_logouts_for_ever(NginxLoop& loop, SharedMemory& shared, SessionStore& store,
                                   Ledger& ledger, std::string name, Milliseconds outage) {
  for (;;) {
    co_await background_sleep_for(loop, kReplayPause);
    co_await replay_logouts(shared, store, ledger, name, outage);
  }
}

}  // namespace

class Worker::Log final : public EventLog {
 public:
  explicit Log(const std::string& issuer) : issuer_(issuer) {}
  void write(LogLevel level, Errc reason, std::string_view detail) override {
    log_event(ngx_cycle->log, level, reason, issuer_, detail);
  }

 private:
  const std::string& issuer_;
};

Worker* Worker::current() noexcept { return current_worker().get(); }

void Worker::start(const MainConf& conf) { current_worker().reset(new Worker(conf)); }

void Worker::stop() noexcept { current_worker().reset(); }

Worker::Worker(const MainConf& conf)
    : shared_(*conf.shared_zone),
      used_states_(*conf.states_zone),
      tokens_(token_limits(conf)) {
  for (const ProviderConf& provider : conf.providers) {
    logs_.push_back(std::make_unique<Log>(provider.settings->issuer));
    clients_.push_back(make_http_client(loop_, provider.http));
    providers_.push_back(std::make_unique<Provider>(*provider.settings, *clients_.back(), shared_,
                                                    loop_, *logs_.back()));
  }
  for (std::size_t i = 0; i < conf.stores.size(); ++i) {
    if (conf.stores[i].settings->storage == StorageKind::cookie) {
      add_cookie_store(conf, i);
    } else {
      add_store(conf.stores[i], cache_limits(conf, i));
    }
  }
  for (const KeysConf& keys : conf.keys) keys_.push_back(make_key_ring(keys, conf.secret_zone));
  for (const Settings* settings : conf.settings) {
    SessionStore* const store = stores_[settings->store_index].get();
    services_.push_back(std::make_unique<Services>(Services{
        *settings, loop_, *clients_[settings->provider_index], *store,
        *ledgers_[settings->store_index], shared_, used_states_, *providers_[settings->provider_index], *keys_[settings->keys_index], refreshes_,
        touches_, *logs_[settings->provider_index], caches_[settings->store_index].get(),
        &tokens_}));
    services_.back()->in_cookies = dynamic_cast<CookieStore*>(store);
  }
}

void Worker::add_store(const StoreConf& store, SessionCache::Limits limits) {
  if (store.settings->storage == StorageKind::shm) {
    auto made = std::make_unique<ShmSessionStore>(*store.zone);
    caches_.push_back(make_cache(limits, *made));
    if (caches_.back()) made->report_to(*caches_.back());
    stores_.push_back(std::move(made));
    ledgers_.push_back(std::make_unique<ShmLedger>(*store.zone));
    return;
  }
  const std::string prefix = redis_prefix(*store.settings);
  redis_.push_back(make_redis(loop_, store.redis));
  auto made = std::make_unique<RedisStore>(*redis_.back(), prefix);
  caches_.push_back(make_cache(limits, *redis_.back()));
  if (caches_.back()) made->report_to(*caches_.back());
  ledgers_.push_back(std::make_unique<RedisLedger>(*redis_.back(), prefix));
  if (limits.outage.count() != 0) {
    loop_.spawn(replay_logouts_for_ever(loop_, shared_, *made, *ledgers_.back(),
                                        store_name(*store.settings), limits.outage));
  }
  stores_.push_back(std::move(made));
}

void Worker::add_cookie_store(const MainConf& conf, std::size_t store) {
  const StoreConf& place = conf.stores[store];
  LedgerAtHand* at_hand = nullptr;
  if (place.settings->deny_in_redis) {
    redis_.push_back(make_redis(loop_, place.redis));
    ledgers_.push_back(
        std::make_unique<RedisLedger>(*redis_.back(), redis_prefix(*place.settings)));
  } else {
    auto ledger = std::make_unique<ShmLedger>(*place.zone, ShmLedger::WhenFull::refuse);
    at_hand = ledger.get();
    ledgers_.push_back(std::move(ledger));
  }
  stores_.push_back(std::make_unique<CookieStore>(*ledgers_.back(), at_hand, loop_,
                                                  cookie_limits(conf, store)));
  caches_.push_back(nullptr);
}

// Tasks first, then what they use; the loop, a member declared before all, goes last.
Worker::~Worker() {
  loop_.cancel_tasks();
  stores_.clear();
  ledgers_.clear();
  caches_.clear();
  redis_.clear();
  providers_.clear();
  clients_.clear();
}

ngx_int_t init_worker(ngx_cycle_t* cycle) noexcept {
  return guard<ngx_int_t>(NGX_ERROR, [cycle]() -> ngx_int_t {
    const MainConf* conf = main_conf(cycle);
    // nginx's cache manager and loader come here too.
    if (conf == nullptr || !conf->used || ngx_process == NGX_PROCESS_HELPER) return NGX_OK;
    Result<void> libcurl = init_libcurl();
    if (!libcurl) {
      ngx_log_error(NGX_LOG_EMERG, cycle->log, 0, "oidc: %s", libcurl.error().detail.c_str());
      return NGX_ERROR;
    }
    Worker::start(*conf);
    return NGX_OK;
  });
}

void exit_worker(ngx_cycle_t*) noexcept {
  if (Worker::current() == nullptr) return;
  Worker::stop();
  cleanup_libcurl();
}

}  // namespace oidc::ngx
