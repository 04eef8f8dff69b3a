#include "ngx/conf_connections.h"

namespace oidc::ngx {
namespace {

// The file that the trust's error names stands behind one of these.
std::string_view file_directive(const RedisSettings& settings, const std::string& text) {
  const auto named = [&](const std::string& file) {
    return !file.empty() && text.find(file) != std::string::npos;
  };
  if (named(settings.ssl_certificate_key)) return "oidc_redis_ssl_certificate_key";
  if (named(settings.ssl_certificate)) return "oidc_redis_ssl_certificate";
  return "oidc_redis_ssl_trusted_certificate";
}

std::string_view file_directive(const ProviderSettings& settings, const std::string& text) {
  const auto named = [&](const std::string& file) {
    return !file.empty() && text.find(file) != std::string::npos;
  };
  if (named(settings.client_certificate_key)) return "oidc_tls_client_auth_certificate_key";
  if (named(settings.client_certificate)) return "oidc_tls_client_auth_certificate";
  return named(settings.ssl_crl) ? "oidc_ssl_crl" : "oidc_ssl_trusted_certificate";
}

std::vector<RedisNode> nodes_of(const std::vector<HostPort>& configured) {
  std::vector<RedisNode> nodes;
  for (const HostPort& node : configured) nodes.push_back({node.host, node.port});
  return nodes;
}

constexpr std::string_view kNoResolver = "the system's name servers cannot be used";

}  // namespace

std::optional<Objection> Connections::prepare(ngx_conf_t* cf, ProviderConf& provider,
                                              LocationResolver resolver) {
  const ProviderSettings& settings = *provider.settings;
  HttpClientOptions& http = provider.http;
  http.timeout = Milliseconds(settings.timeout_ms);
  http.connect_timeout = Milliseconds(settings.timeout_ms / 3);
  http.keepalive = settings.keepalive;
  http.ssl_verify = settings.ssl_verify;
  http.proxies = {settings.http_proxy, settings.https_proxy, settings.no_proxy};
  if (!settings.http_proxy.empty() && !check_proxy_url(settings.http_proxy)) {
    return Objection{"oidc_http_proxy", "libcurl does not understand this URL"};
  }
  if (!settings.https_proxy.empty() && !check_proxy_url(settings.https_proxy)) {
    return Objection{"oidc_https_proxy", "libcurl does not understand this URL"};
  }
  if (settings.ssl_verify || !settings.client_certificate.empty()) {
    Result<Trust> loaded = trust({settings.ssl_trusted_certificate, settings.ssl_crl,
                                  settings.client_certificate, settings.client_certificate_key});
    if (!loaded) {
      const std::string& text = loaded.error().detail;
      return Objection{file_directive(settings, text), text};
    }
    http.trust = std::move(*loaded);
  }
  if (!find_names(cf, http.names, resolver)) {
    return Objection{"oidc_issuer", std::string(kNoResolver)};
  }
  return std::nullopt;
}

std::optional<Objection> Connections::prepare(ngx_conf_t* cf, StoreConf& store,
                                              LocationResolver resolver) {
  const RedisSettings& settings = store.settings->redis;
  auto redis = std::make_shared<RedisOptions>();
  redis->node = {settings.host, settings.port};
  redis->socket = settings.socket;
  redis->database = settings.database;
  redis->username = settings.username;
  redis->password = std::make_shared<const Secret>(settings.password.clone());
  redis->server_name = settings.server_name;
  redis->connect_timeout = Milliseconds(settings.connect_timeout_ms);
  redis->send_timeout = Milliseconds(settings.send_timeout_ms);
  redis->read_timeout = Milliseconds(settings.read_timeout_ms);
  redis->connections = settings.connections;
  redis->cluster_nodes = nodes_of(settings.cluster_nodes);
  redis->cluster_max_redirections = settings.cluster_max_redirections;
  redis->sentinel_nodes = nodes_of(settings.sentinel_nodes);
  redis->sentinel_master = settings.sentinel_master;
  redis->sentinel_username = settings.sentinel_username;
  redis->sentinel_password = std::make_shared<const Secret>(settings.sentinel_password.clone());
  if (settings.ssl) {
    Trust its_trust;
    if (settings.ssl_verify || !settings.ssl_certificate.empty()) {
      Result<Trust> loaded = trust({settings.ssl_trusted_certificate,
                                    {},
                                    settings.ssl_certificate,
                                    settings.ssl_certificate_key});
      if (!loaded) {
        const std::string& text = loaded.error().detail;
        return Objection{file_directive(settings, text), text};
      }
      its_trust = std::move(*loaded);
    }
    Result<std::shared_ptr<RedisTls>> tls =
        RedisTls::create(std::move(its_trust), settings.ssl_verify, cf->log);
    if (!tls) return Objection{"oidc_redis_ssl", tls.error().detail};
    redis->tls = std::move(*tls);
  }
  if (!find_names(cf, redis->names, resolver)) {
    return Objection{"oidc_redis_host", std::string(kNoResolver)};
  }
  store.redis = std::move(redis);
  return std::nullopt;
}

Result<Connections::Trust> Connections::trust(const TlsFiles& files) {
  const Files key{files.trusted_certificate, files.crl, files.certificate, files.certificate_key};
  const auto known = trusts_.find(key);
  if (known != trusts_.end()) return known->second;
  Result<Trust> loaded = TlsTrust::load(files);
  if (loaded) trusts_.emplace(key, *loaded);
  return loaded;
}

bool Connections::find_names(ngx_conf_t* cf, NameSource& target, LocationResolver resolver) {
  if (!system_) system_ = std::make_shared<const SystemNames>(read_system_names());
  if (resolver == nullptr && of_system_ == nullptr) {
    of_system_ = create_system_resolver(cf, *system_);
    if (of_system_ == nullptr) return false;
  }
  target = choose_names(resolver, of_system_, system_);
  return true;
}

}  // namespace oidc::ngx
