// The Redis that keeps sessions.
#include <algorithm>

#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr auto kSession = &Settings::session;
constexpr auto kRedis = &SessionSettings::redis;

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_' || c == ':';
}

// A name, or an address; that of IPv6 with or without brackets.
Result<void> host(SettingsDraft& draft, const DirectiveUse& use) {
  std::string_view name = use.words[0];
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  const auto colons = std::count(name.begin(), name.end(), ':');
  if (name.empty() || colons == 1 || !std::all_of(name.begin(), name.end(), is_host_character)) {
    return bad_value(use.words[0], "a host name or an address without port is expected");
  }
  draft.settings.session.redis.host = name;
  return {};
}

Result<void> socket(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& target = draft.settings.session.redis.socket;
  target.clear();
  if (is_off(use.words)) return {};
  std::string_view path = use.words[0];
  if (path.starts_with("unix:")) path.remove_prefix(5);
  // sockaddr_un has room for 108 bytes.
  if (!path.starts_with('/') || path.size() > 107) {
    return bad_value(use.words[0], "the absolute path of a socket is expected");
  }
  target = path;
  return {};
}

template <auto Member>
constexpr auto milliseconds_of = milliseconds<10, 60000, kSession, kRedis, Member>;

constexpr Directive kDirectives[] = {
    {"oidc_redis_host", 1, 1, Contexts::all, false, "127.0.0.1", host},
    {"oidc_redis_port", 1, 1, Contexts::all, false, "6379",
     number<1, 65535, kSession, kRedis, &RedisSettings::port>},
    {"oidc_redis_socket", 1, 1, Contexts::all, false, "off", socket},
    {"oidc_redis_prefix", 1, 1, Contexts::all, false, "off",
     text_or_off<kSession, kRedis, &RedisSettings::prefix>},
    {"oidc_redis_database", 1, 1, Contexts::all, false, "0",
     number<0, 65535, kSession, kRedis, &RedisSettings::database>},
    {"oidc_redis_username", 1, 1, Contexts::all, false, "off",
     text_or_off<kSession, kRedis, &RedisSettings::username>},
    {"oidc_redis_password", 1, 1, Contexts::all, false, "off",
     secret_or_off<kSession, kRedis, &RedisSettings::password>},
    {"oidc_redis_ssl", 1, 1, Contexts::all, false, "off",
     flag<kSession, kRedis, &RedisSettings::ssl>},
    {"oidc_redis_ssl_verify", 1, 1, Contexts::all, false, "on",
     flag<kSession, kRedis, &RedisSettings::ssl_verify>},
    {"oidc_redis_ssl_trusted_certificate", 1, 1, Contexts::all, false, "off",
     file_or_off<kSession, kRedis, &RedisSettings::ssl_trusted_certificate>},
    {"oidc_redis_ssl_certificate", 1, 1, Contexts::all, false, "off",
     file_or_off<kSession, kRedis, &RedisSettings::ssl_certificate>},
    {"oidc_redis_ssl_certificate_key", 1, 1, Contexts::all, false, "off",
     file_or_off<kSession, kRedis, &RedisSettings::ssl_certificate_key>},
    {"oidc_redis_server_name", 1, 1, Contexts::all, false, "off",
     text_or_off<kSession, kRedis, &RedisSettings::server_name>},
    {"oidc_redis_connect_timeout", 1, 1, Contexts::all, false, "2s",
     milliseconds_of<&RedisSettings::connect_timeout_ms>},
    {"oidc_redis_send_timeout", 1, 1, Contexts::all, false, "2s",
     milliseconds_of<&RedisSettings::send_timeout_ms>},
    {"oidc_redis_read_timeout", 1, 1, Contexts::all, false, "2s",
     milliseconds_of<&RedisSettings::read_timeout_ms>},
    {"oidc_redis_keepalive_pool_size", 1, 1, Contexts::all, false, "2",
     number<1, 256, kSession, kRedis, &RedisSettings::connections>},
};

Result<void> check_tls(SettingsDraft& draft) {
  const RedisSettings& redis = draft.settings.session.redis;
  if (redis.ssl_certificate.empty() != redis.ssl_certificate_key.empty()) {
    return draft.conflict(redis.ssl_certificate.empty() ? "oidc_redis_ssl_certificate_key"
                                                        : "oidc_redis_ssl_certificate",
                          "a certificate and its key go together");
  }
  if (redis.ssl && !redis.socket.empty()) {
    return draft.conflict("oidc_redis_ssl", "there is no TLS over oidc_redis_socket");
  }
  if (redis.ssl && !redis.ssl_verify) {
    draft.warn("oidc_redis_ssl_verify", "off: whoever is on the way to Redis learns its password");
  }
  for (const std::string_view name :
       {"oidc_redis_ssl_trusted_certificate", "oidc_redis_ssl_certificate",
        "oidc_redis_server_name", "oidc_redis_ssl_verify"}) {
    if (!redis.ssl && draft.is_set(name)) draft.warn(name, "no effect without oidc_redis_ssl on");
  }
  return {};
}

}  // namespace

std::span<const Directive> redis_directives() {
  return kDirectives;
}

Result<void> finish_redis(SettingsDraft& draft) {
  const RedisSettings& redis = draft.settings.session.redis;
  if (draft.settings.session.storage != StorageKind::redis) {
    for (const std::string_view name : {"oidc_redis_host", "oidc_redis_socket"}) {
      if (!draft.is_set(name)) continue;
      draft.warn(name, "no effect without oidc_session_storage redis");
    }
    return {};
  }
  if (!redis.username.empty() && redis.password.empty()) {
    return draft.conflict("oidc_redis_username", "oidc_redis_password must be set as well");
  }
  if (!redis.socket.empty() && draft.is_set("oidc_redis_host")) {
    return draft.conflict("oidc_redis_socket", "it cannot be set together with oidc_redis_host");
  }
  return check_tls(draft);
}

}  // namespace oidc
