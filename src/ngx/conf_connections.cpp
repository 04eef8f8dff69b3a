// What workers need to reach providers and Redis. Certificates and keys are read here, in the
// master: once for each set of files.
#include <map>
#include <tuple>

#include "ngx/conf_objects.h"

namespace oidc::ngx {
namespace {

void log_error(ngx_conf_t* cf, const std::string& text) {
  ngx_str_t view = to_ngx_str(text);
  ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%V", &view);
}

class Preparation {
 public:
  explicit Preparation(ngx_conf_t* cf)
      : cf_(cf), system_(std::make_shared<const SystemNames>(read_system_names())) {}

  bool prepare(ProviderConf& provider, LocationResolver resolver) {
    const ProviderSettings& settings = *provider.settings;
    HttpClientOptions& http = provider.http;
    http.timeout = Milliseconds(settings.timeout_ms);
    http.connect_timeout = Milliseconds(settings.timeout_ms / 3);
    http.keepalive = settings.keepalive;
    http.ssl_verify = settings.ssl_verify;
    http.proxies = {settings.http_proxy, settings.https_proxy, settings.no_proxy};
    for (const std::string& proxy : {settings.http_proxy, settings.https_proxy}) {
      if (proxy.empty()) continue;
      Result<void> checked = check_proxy_url(proxy);
      if (!checked) return failed("oidc_http_proxy or oidc_https_proxy", checked.error());
    }
    if (settings.ssl_verify) {
      http.trust = trust("oidc_ssl_trusted_certificate",
                         {settings.ssl_trusted_certificate, settings.ssl_crl, {}, {}});
      if (!http.trust) return false;
    }
    return names(http.names, resolver);
  }

  bool prepare(StoreConf& store, LocationResolver resolver) {
    const RedisSettings& settings = store.settings->redis;
    auto redis = std::make_shared<RedisOptions>();
    redis->host = settings.host;
    redis->port = settings.port;
    redis->socket = settings.socket;
    redis->database = settings.database;
    redis->username = settings.username;
    redis->password = settings.password.clone();
    redis->server_name = settings.server_name;
    redis->connect_timeout = Milliseconds(settings.connect_timeout_ms);
    redis->send_timeout = Milliseconds(settings.send_timeout_ms);
    redis->read_timeout = Milliseconds(settings.read_timeout_ms);
    redis->connections = settings.connections;
    if (settings.ssl && !prepare_tls(*redis, settings)) return false;
    if (!names(redis->names, resolver)) return false;
    store.redis = std::move(redis);
    return true;
  }

 private:
  using Files = std::tuple<std::string, std::string, std::string, std::string>;

  bool prepare_tls(RedisOptions& redis, const RedisSettings& settings) {
    std::shared_ptr<const TlsTrust> its_trust;
    if (settings.ssl_verify || !settings.ssl_certificate.empty()) {
      its_trust = trust("oidc_redis_ssl_trusted_certificate",
                        {settings.ssl_trusted_certificate, {}, settings.ssl_certificate,
                         settings.ssl_certificate_key});
      if (!its_trust) return false;
    }
    Result<std::shared_ptr<RedisTls>> tls =
        RedisTls::create(its_trust, settings.ssl_verify, cf_->log);
    if (!tls) return failed("oidc_redis_ssl", tls.error());
    redis.tls = std::move(*tls);
    return true;
  }

  std::shared_ptr<const TlsTrust> trust(std::string_view directive, const TlsFiles& files) {
    const Files key{files.trusted_certificate, files.crl, files.certificate,
                    files.certificate_key};
    const auto known = trusts_.find(key);
    if (known != trusts_.end()) return known->second;
    Result<std::shared_ptr<const TlsTrust>> loaded = TlsTrust::load(files);
    if (!loaded) {
      static_cast<void>(failed(directive, loaded.error()));
      return nullptr;
    }
    return trusts_.emplace(key, std::move(*loaded)).first->second;
  }

  bool names(NameSource& target, LocationResolver resolver) {
    if (resolver == nullptr && of_system_ == nullptr) {
      of_system_ = create_system_resolver(cf_, *system_);
      if (of_system_ == nullptr) return false;
    }
    target = choose_names(resolver, of_system_, system_);
    return true;
  }

  bool failed(std::string_view directive, const Error& error) {
    log_error(cf_, std::string(directive) + ": " + error.detail);
    return false;
  }

  ngx_conf_t* cf_;
  std::shared_ptr<const SystemNames> system_;
  ngx_resolver_t* of_system_ = nullptr;
  std::map<Files, std::shared_ptr<const TlsTrust>> trusts_;
};

}  // namespace

bool prepare_connections(ngx_conf_t* cf, MainObject& main) {
  Preparation preparation(cf);
  for (std::size_t i = 0; i < main.view.providers.size(); ++i) {
    if (!preparation.prepare(main.view.providers[i], main.provider_resolvers[i])) return false;
  }
  for (std::size_t i = 0; i < main.view.stores.size(); ++i) {
    StoreConf& store = main.view.stores[i];
    if (store.settings->storage != StorageKind::redis) continue;
    if (!preparation.prepare(store, main.store_resolvers[i])) return false;
  }
  return true;
}

}  // namespace oidc::ngx
