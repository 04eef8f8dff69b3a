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

// HOST:PORT, the address of IPv6 in brackets.
Result<HostPort> parse_node(std::string_view word) {
  constexpr std::string_view kExpected = "HOST:PORT is expected, an IPv6 address in brackets";
  const std::size_t colon = word.rfind(':');
  if (colon == std::string_view::npos) return bad_value(word, kExpected);
  std::string_view name = word.substr(0, colon);
  const bool bracketed = name.starts_with('[') && name.ends_with(']');
  if (bracketed) name = name.substr(1, name.size() - 2);
  const bool ipv6 = name.find(':') != std::string_view::npos;
  if (name.empty() || ipv6 != bracketed ||
      !std::all_of(name.begin(), name.end(), is_host_character)) {
    return bad_value(word, kExpected);
  }
  const Result<std::uint64_t> port = parse_number(word.substr(colon + 1), 1, 65535);
  if (!port) return bad_value(word, "the port must be between 1 and 65535");
  return HostPort{std::string(name), static_cast<std::uint16_t>(*port)};
}

template <auto Member>
Result<void> nodes_or_off(SettingsDraft& draft, const DirectiveUse& use) {
  std::vector<HostPort>& target = draft.settings.session.redis.*Member;
  target.clear();
  if (is_off(use.words)) return {};
  for (const std::string& word : use.words) {
    Result<HostPort> node = parse_node(word);
    if (!node) return std::move(node).error();
    if (std::find(target.begin(), target.end(), *node) != target.end()) {
      return bad_value(word, "it stands there twice");
    }
    target.push_back(std::move(*node));
  }
  return {};
}

constexpr Choices<SentinelRole, 3> kRoles{{{"master", SentinelRole::master},
                                           {"slave", SentinelRole::slave},
                                           {"any", SentinelRole::any}}};

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
    {"oidc_redis_cluster_nodes", 1, kManyWords, Contexts::all, false, "off",
     nodes_or_off<&RedisSettings::cluster_nodes>},
    {"oidc_redis_cluster_max_redirections", 1, 1, Contexts::all, false, "5",
     number<0, 100, kSession, kRedis, &RedisSettings::cluster_max_redirections>},
    {"oidc_redis_sentinel_nodes", 1, kManyWords, Contexts::all, false, "off",
     nodes_or_off<&RedisSettings::sentinel_nodes>},
    {"oidc_redis_sentinel_master", 1, 1, Contexts::all, false, "off",
     text_or_off<kSession, kRedis, &RedisSettings::sentinel_master>},
    {"oidc_redis_sentinel_role", 1, 1, Contexts::all, false, "master",
     choice<kRoles, kSession, kRedis, &RedisSettings::sentinel_role>},
    {"oidc_redis_sentinel_username", 1, 1, Contexts::all, false, "off",
     text_or_off<kSession, kRedis, &RedisSettings::sentinel_username>},
    {"oidc_redis_sentinel_password", 1, 1, Contexts::all, false, "off",
     secret_or_off<kSession, kRedis, &RedisSettings::sentinel_password>},
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

// A place of its own excludes the nodes' places.
Result<void> check_places(SettingsDraft& draft, std::string_view nodes) {
  for (const std::string_view name :
       {"oidc_redis_host", "oidc_redis_port", "oidc_redis_socket"}) {
    if (!draft.is_set(name)) continue;
    if (name == "oidc_redis_socket" && draft.settings.session.redis.socket.empty()) continue;
    return draft.conflict(nodes, std::string("it cannot be set together with ").append(name));
  }
  return {};
}

Result<void> check_cluster(SettingsDraft& draft) {
  const RedisSettings& redis = draft.settings.session.redis;
  constexpr std::string_view kNodes = "oidc_redis_cluster_nodes";
  if (redis.cluster_nodes.empty()) {
    constexpr std::string_view kRedirections = "oidc_redis_cluster_max_redirections";
    if (draft.is_set(kRedirections)) {
      draft.warn(kRedirections, "no effect without oidc_redis_cluster_nodes");
    }
    return {};
  }
  if (!redis.sentinel_nodes.empty()) {
    return draft.conflict(kNodes, "it cannot be set together with oidc_redis_sentinel_nodes: a "
                                  "cluster has no Sentinel");
  }
  if (redis.database != 0) {
    return draft.conflict("oidc_redis_database", "a cluster has database 0 alone");
  }
  return check_places(draft, kNodes);
}

Result<void> check_sentinel(SettingsDraft& draft) {
  const RedisSettings& redis = draft.settings.session.redis;
  constexpr std::string_view kNodes = "oidc_redis_sentinel_nodes";
  if (redis.sentinel_nodes.empty()) {
    if (!redis.sentinel_master.empty()) {
      return draft.conflict("oidc_redis_sentinel_master",
                            "oidc_redis_sentinel_nodes must be set as well");
    }
    for (const std::string_view name :
         {"oidc_redis_sentinel_role", "oidc_redis_sentinel_username",
          "oidc_redis_sentinel_password"}) {
      if (draft.is_set(name)) draft.warn(name, "no effect without oidc_redis_sentinel_nodes");
    }
    return {};
  }
  if (redis.sentinel_master.empty()) {
    return draft.conflict(kNodes, "oidc_redis_sentinel_master must be set as well");
  }
  if (redis.sentinel_role != SentinelRole::master) {
    return draft.conflict(
        "oidc_redis_sentinel_role",
        "it must be master, not slave or any: sessions are written, and a replica, which refuses "
        "writes and lags behind, would not know a session that was just made");
  }
  if (!redis.sentinel_username.empty() && redis.sentinel_password.empty()) {
    return draft.conflict("oidc_redis_sentinel_username",
                          "oidc_redis_sentinel_password must be set as well");
  }
  return check_places(draft, kNodes);
}

}  // namespace

std::span<const Directive> redis_directives() {
  return kDirectives;
}

Result<void> finish_redis(SettingsDraft& draft) {
  const RedisSettings& redis = draft.settings.session.redis;
  const SessionSettings& session = draft.settings.session;
  if (session.storage != StorageKind::redis && !session.deny_in_redis) {
    for (const std::string_view name : {"oidc_redis_host", "oidc_redis_socket",
                                        "oidc_redis_cluster_nodes", "oidc_redis_sentinel_nodes"}) {
      if (!draft.is_set(name)) continue;
      draft.warn(name, "no effect without oidc_session_storage redis, or cookie deny=redis");
    }
    return {};
  }
  if (!redis.username.empty() && redis.password.empty()) {
    return draft.conflict("oidc_redis_username", "oidc_redis_password must be set as well");
  }
  if (!redis.socket.empty() && draft.is_set("oidc_redis_host")) {
    return draft.conflict("oidc_redis_socket", "it cannot be set together with oidc_redis_host");
  }
  Result<void> checked = check_cluster(draft);
  if (checked) checked = check_sentinel(draft);
  return checked ? check_tls(draft) : checked;
}

}  // namespace oidc
