// What must hold among all Settings of one server.
#include <algorithm>
#include <array>
#include <tuple>
#include <vector>

#include "oidc/session_parts.h"
#include "oidc/settings_builder.h"

namespace oidc {
namespace {

Error error(std::string text) {
  return {Errc::invalid_configuration, std::move(text)};
}

std::string who(const Settings& settings) {
  return "client \"" + settings.client.id + "\" at \"" + settings.provider.issuer + "\"";
}

bool same_kind(const SessionSettings& a, const SessionSettings& b) {
  return a.storage == b.storage && a.deny_in_redis == b.deny_in_redis;
}

// What the store has is in shared memory.
bool is_in_zone(const SessionSettings& session) {
  return session.storage == StorageKind::shm ||
         (session.storage == StorageKind::cookie && !session.deny_in_redis);
}

// Whether what one of them wrote is found by the other.
bool shares_place(const SessionSettings& a, const SessionSettings& b) {
  if (!same_kind(a, b)) return false;
  if (is_in_zone(a)) return a.zone == b.zone;
  const auto place = [](const RedisSettings& redis) {
    return std::tie(redis.host, redis.port, redis.socket, redis.prefix, redis.database,
                    redis.cluster_nodes, redis.sentinel_nodes, redis.sentinel_master);
  };
  return place(a.redis) == place(b.redis);
}

// And opened.
bool shares_records(const SessionSettings& a, const SessionSettings& b) {
  return shares_place(a, b) && same_secrets(a, b);
}

// Whether a cookie of `b` would be taken for a part of a session of `a`.
bool has_part_named(const Settings& a, const Settings& b) {
  if (a.session.storage != StorageKind::cookie) return false;
  return part_index(b.session.cookie.name, a.session.cookie.name) != 0 ||
         part_index(b.session.remember.cookie.name, a.session.cookie.name) != 0 ||
         std::string(a.session.cookie.name).append("_").starts_with(b.authorization.cookie.name);
}

// Names that browsers send back; a pending login's has its id appended.
struct CookieName {
  std::string_view directive;
  const std::string& name;
};
std::vector<CookieName> cookie_names(const Settings& settings) {
  std::vector<CookieName> names{
      {"oidc_session_cookie_name", settings.session.cookie.name},
      {"oidc_authorization_cookie_name", settings.authorization.cookie.name}};
  const RememberSettings& remember = settings.session.remember;
  if (remember.on) names.push_back({"oidc_session_remember_cookie_name", remember.cookie.name});
  return names;
}

Result<void> check_cookie_names(const Settings& a, const Settings& b) {
  const bool same_session = a.session.cookie.name == b.session.cookie.name;
  if (has_part_named(a, b) || has_part_named(b, a)) {
    return error("oidc_session_cookie_name: \"" + a.session.cookie.name + "\" and \"" +
                 b.session.cookie.name +
                 "\" on one server: with oidc_session_storage cookie one of them is the name of a "
                 "part of the other; give them different names");
  }
  if (a.identity != b.identity) {
    for (const CookieName& mine : cookie_names(a)) {
      for (const CookieName& other : cookie_names(b)) {
        if (mine.name != other.name) continue;
        std::string text(mine.directive);
        text.append(": \"").append(mine.name).append("\" is shared by ").append(who(a));
        text.append(" and ").append(who(b)).append(" on one server");
        if (mine.directive != other.directive) text.append(" (").append(other.directive).append(")");
        return error(text.append("; give them different names"));
      }
    }
    return {};
  }
  if (same_session && !shares_records(a.session, b.session)) {
    return error("oidc_session_storage: " + who(a) + " keeps sessions of one cookie, \"" +
                 a.session.cookie.name +
                 "\", in two stores or under two secrets on one server; "
                 "give the cookies different names");
  }
  return {};
}

// A path of ours has one meaning, whoever gave it.
Result<void> check_paths(const Settings& a, const Settings& b) {
  const auto paths_of = [](const Settings& settings) {
    return std::array<std::pair<std::string_view, std::string_view>, 4>{
        {{"oidc_redirect_uri", settings.authorization.callback_path},
         {"oidc_post_logout_uri", settings.logout.post_logout_uri},
         {"oidc_backchannel_logout_uri", settings.logout.backchannel_uri},
         {"oidc_frontchannel_logout_uri", settings.logout.frontchannel_uri}}};
  };
  for (const auto& [name, path] : paths_of(a)) {
    for (const auto& [other_name, other] : paths_of(b)) {
      if (name == other_name || path.empty() || path != other) continue;
      return error(std::string(name).append(": \"").append(path).append("\" is also that of ").append(
          other_name).append(" on this server"));
    }
  }
  return {};
}

Result<void> check_callbacks(const Settings& a, const Settings& b) {
  if (a.authorization.callback_path != b.authorization.callback_path) return {};
  if (a.provider.issuer == b.provider.issuer) return {};
  if (a.authorization.require_iss && b.authorization.require_iss) return {};
  return error("oidc_redirect_uri: \"" + a.authorization.callback_path +
               "\" is the callback of two issuers on one server, \"" + a.provider.issuer +
               "\" and \"" + b.provider.issuer +
               "\"; give them different paths, or set oidc_require_iss on for both");
}

}  // namespace

Result<void> check_index(const Settings& a, const Settings& b) {
  if (a.identity != b.identity || !shares_place(a.session, b.session)) return {};
  const auto differ = [&](std::string_view name) {
    return error(std::string(name).append(": ").append(who(a)).append(
        " has two values of it for sessions in one store; they would not be found by the index"));
  };
  if (a.session.store_metadata != b.session.store_metadata) {
    return differ("oidc_session_store_metadata");
  }
  if (a.session.hash_subject != b.session.hash_subject) return differ("oidc_session_hash_subject");
  if (a.session.max_per_subject != b.session.max_per_subject) {
    return error("oidc_session_max_per_subject: " + who(a) +
                 " has two values of it for sessions in one store; they are counted together");
  }
  return {};
}

bool same_secrets(const SessionSettings& a, const SessionSettings& b) {
  return std::equal(a.secrets.begin(), a.secrets.end(), b.secrets.begin(), b.secrets.end(),
                    [](const Secret& x, const Secret& y) { return x.equals(y.view()); });
}

bool same_store(const SessionSettings& a, const SessionSettings& b) {
  if (!same_kind(a, b)) return false;
  if (is_in_zone(a)) return a.zone == b.zone;
  const auto all = [](const RedisSettings& redis) {
    return std::tie(redis.host, redis.port, redis.socket, redis.prefix, redis.database,
                    redis.username, redis.ssl, redis.ssl_verify, redis.ssl_trusted_certificate,
                    redis.ssl_certificate, redis.ssl_certificate_key, redis.server_name,
                    redis.connect_timeout_ms, redis.send_timeout_ms, redis.read_timeout_ms,
                    redis.connections, redis.cluster_nodes, redis.cluster_max_redirections,
                    redis.sentinel_nodes, redis.sentinel_master, redis.sentinel_role,
                    redis.sentinel_username);
  };
  return all(a.redis) == all(b.redis) && a.redis.password.equals(b.redis.password.view()) &&
         a.redis.sentinel_password.equals(b.redis.sentinel_password.view());
}

Result<void> check_server(std::span<const Settings* const> all) {
  // Locations without sessions have neither cookies nor paths.
  std::vector<const Settings*> settings;
  std::copy_if(all.begin(), all.end(), std::back_inserter(settings),
               [](const Settings* each) { return each->credentials.session; });
  for (std::size_t i = 0; i < settings.size(); ++i) {
    for (std::size_t k = i + 1; k < settings.size(); ++k) {
      Result<void> checked = check_callbacks(*settings[i], *settings[k]);
      if (checked) checked = check_cookie_names(*settings[i], *settings[k]);
      if (checked) checked = check_paths(*settings[i], *settings[k]);
      if (!checked) return checked;
    }
  }
  return {};
}

}  // namespace oidc
