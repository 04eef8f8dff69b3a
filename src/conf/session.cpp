// Where sessions are kept, for how long, and what seals them.
#include <algorithm>

#include "oidc/session_parts.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr auto kSession = &Settings::session;
constexpr std::size_t kLeastSecret = 32;
constexpr std::size_t kMaxSecrets = 7;
constexpr std::size_t kLeastZone = 64 * 1024;
constexpr std::size_t kMaxZone = 64ULL * 1024 * 1024 * 1024;
constexpr std::size_t kDefaultZone = 16 * 1024 * 1024;
constexpr std::size_t kDefaultStatesZone = 8 * 1024 * 1024;

// Of all parts of a session in cookies. By default they and 2k of other cookies fit into one of
// nginx's large_client_header_buffers.
constexpr std::size_t kLeastInCookies = 1024;
constexpr std::size_t kMostInCookies = kMostParts * kPartSize;
constexpr std::size_t kDefaultInCookies = 6 * 1024;

bool is_zone_name(std::string_view name) {
  return !name.empty() && is_visible(name) && name.find(':') == std::string_view::npos;
}

// The NAME of shm:NAME; nullopt: the word is no such thing.
std::optional<std::string_view> zone_in(std::string_view word) {
  constexpr std::string_view kShm = "shm:";
  if (!word.starts_with(kShm) || !is_zone_name(word.substr(kShm.size()))) return std::nullopt;
  return word.substr(kShm.size());
}

// What may follow the word cookie.
Result<void> cookie_option(SessionSettings& session, std::string_view word) {
  constexpr std::string_view kSize = "size=";
  constexpr std::string_view kDeny = "deny=";
  if (word.starts_with(kSize)) {
    return assign(session.cookie_size,
                  parse_size(word.substr(kSize.size()), kLeastInCookies, kMostInCookies));
  }
  if (!word.starts_with(kDeny)) {
    return bad_value(word, "only size=SIZE and deny=shm[:ZONE] or deny=redis may follow cookie");
  }
  const std::string_view place = word.substr(kDeny.size());
  session.deny_in_redis = place == "redis";
  session.zone = kDefaultCookieZone;
  if (session.deny_in_redis || place == "shm") return {};
  const auto zone = zone_in(place);
  if (!zone) {
    return bad_value(word, "it must be deny=shm, deny=shm:NAME of an oidc_session_zone, or "
                           "deny=redis");
  }
  session.zone = *zone;
  if (session.zone == kStatesZoneName) return bad_value(word, "the module uses this zone itself");
  return {};
}

Result<void> in_cookies(SessionSettings& session, const DirectiveUse& use) {
  session.storage = StorageKind::cookie;
  session.zone = kDefaultCookieZone;
  std::string_view before;
  for (std::size_t i = 1; i < use.words.size(); ++i) {
    const std::string_view word = use.words[i];
    const std::string_view kind = word.substr(0, word.find('='));
    if (kind == before) return bad_value(word, "it is there twice");
    before = kind;
    Result<void> option = cookie_option(session, word);
    if (!option) return option;
  }
  return {};
}

Result<void> storage(SettingsDraft& draft, const DirectiveUse& use) {
  SessionSettings& session = draft.settings.session;
  const std::string_view word = use.words[0];
  session.zone = kDefaultSessionZone;
  session.storage = StorageKind::shm;
  session.deny_in_redis = false;
  session.cookie_size = kDefaultInCookies;
  if (word == "cookie") return in_cookies(session, use);
  if (use.words.size() > 1) {
    return bad_value(use.words[1], "nothing may follow shm or redis");
  }
  if (word == "shm") return {};
  if (word == "redis") {
    session.storage = StorageKind::redis;
    return {};
  }
  const auto zone = zone_in(word);
  if (!zone) {
    return bad_value(word, "it must be shm, shm:NAME of an oidc_session_zone, redis or cookie");
  }
  session.zone = *zone;
  if (session.zone == kStatesZoneName) return bad_value(word, "the module uses this zone itself");
  return {};
}

Result<void> secrets(SettingsDraft& draft, const DirectiveUse& use) {
  std::vector<Secret>& target = draft.settings.session.secrets;
  target.clear();
  if (is_off(use.words)) return {};
  for (const std::string& word : use.words) {
    Result<Secret> secret = parse_secret(word, draft.facts);
    if (!secret) return std::move(secret).error();
    if (secret->size() < kLeastSecret) {
      return Error{Errc::invalid_configuration,
                   "a secret of " + std::to_string(secret->size()) +
                       " bytes is too short: at least 32 random bytes are expected, as of "
                       "\"openssl rand -base64 48\""};
    }
    for (const Secret& other : target) {
      if (other.equals(secret->view())) {
        return Error{Errc::invalid_configuration, "one secret is there twice"};
      }
    }
    target.push_back(std::move(*secret));
  }
  return {};
}

Result<void> zone(SettingsDraft& draft, const DirectiveUse& use) {
  const std::string& name = use.words[0];
  if (!is_zone_name(name)) return bad_value(name, "the name of a zone is expected");
  if (name == kSharedZoneName || name == kSecretZoneName || name == kStatesZoneName) {
    return bad_value(name, "the module uses this name itself");
  }
  for (const ZoneSettings& other : draft.zones) {
    if (other.name == name) return bad_value(name, "this zone is declared twice");
  }
  Result<std::size_t> size = parse_size(use.words[1], kLeastZone, kMaxZone);
  if (!size) return std::move(size).error();
  draft.zones.push_back({name, *size});
  return {};
}

Result<void> states_zone(SettingsDraft& draft, const DirectiveUse& use) {
  Result<std::size_t> size = parse_size(use.words[0], kLeastZone, kMaxZone);
  if (!size) return std::move(size).error();
  draft.zones.push_back({std::string(kStatesZoneName), *size});
  return {};
}

Result<void> max_per_subject(SettingsDraft& draft, const DirectiveUse& use) {
  draft.settings.session.max_per_subject = 0;
  if (is_off(use.words)) return {};
  return number<1, 1000, kSession, &SessionSettings::max_per_subject>(draft, use);
}

constexpr Choices<bool BindSettings::*, 3> kBind = {{
    {"ip", &BindSettings::ip},
    {"scheme", &BindSettings::scheme},
    {"user-agent", &BindSettings::user_agent},
}};

Result<void> bind(SettingsDraft& draft, const DirectiveUse& use) {
  BindSettings& target = draft.settings.session.bind;
  target = {};
  if (is_off(use.words)) return {};
  for (const std::string& word : use.words) {
    const Result<bool BindSettings::*> part = choose(kBind, word);
    if (!part) return part.error();
    target.*(*part) = true;
  }
  return {};
}

constexpr Choices<SessionFact, 7> kFacts = {{
    {"id", SessionFact::id},
    {"audience", SessionFact::audience},
    {"subject", SessionFact::subject},
    {"timeout", SessionFact::timeout},
    {"idling-timeout", SessionFact::idling_timeout},
    {"rolling-timeout", SessionFact::rolling_timeout},
    {"absolute-timeout", SessionFact::absolute_timeout},
}};

template <std::vector<SessionFact> SessionSettings::* Member>
Result<void> fact_headers(SettingsDraft& draft, const DirectiveUse& use) {
  std::vector<SessionFact>& target = draft.settings.session.*Member;
  target.clear();
  if (is_off(use.words)) return {};
  for (const std::string& word : use.words) {
    const Result<SessionFact> fact = choose(kFacts, word);
    if (!fact) return fact.error();
    if (std::find(target.begin(), target.end(), *fact) != target.end()) {
      return bad_value(word, "it is there twice");
    }
    target.push_back(*fact);
  }
  return {};
}

constexpr Directive kDirectives[] = {
    {"oidc_session_storage", 1, 3, Contexts::all, false, "shm", storage},
    {"oidc_session_secret", 1, kMaxSecrets, Contexts::all, false, "off", secrets},
    {"oidc_session_absolute_timeout", 1, 1, Contexts::all, false, "24h",
     seconds<0, kYear, kSession, &SessionSettings::absolute_timeout>},
    {"oidc_session_idling_timeout", 1, 1, Contexts::all, false, "15m",
     seconds<0, kYear, kSession, &SessionSettings::idling_timeout>},
    {"oidc_session_rolling_timeout", 1, 1, Contexts::all, false, "1h",
     seconds<0, kYear, kSession, &SessionSettings::rolling_timeout>},
    {"oidc_session_remember", 1, 1, Contexts::all, false, "off",
     flag<kSession, &SessionSettings::remember, &RememberSettings::on>},
    {"oidc_session_remember_rolling_timeout", 1, 1, Contexts::all, false, "7d",
     seconds<0, kYear, kSession, &SessionSettings::remember, &RememberSettings::rolling_timeout>},
    {"oidc_session_remember_absolute_timeout", 1, 1, Contexts::all, false, "30d",
     seconds<0, kYear, kSession, &SessionSettings::remember, &RememberSettings::absolute_timeout>},
    {"oidc_session_bind", 1, 3, Contexts::all, false, "off", bind},
    {"oidc_session_request_headers", 1, 7, Contexts::all, false, "off",
     fact_headers<&SessionSettings::request_headers>},
    {"oidc_session_response_headers", 1, 7, Contexts::all, false, "off",
     fact_headers<&SessionSettings::response_headers>},
    {"oidc_session_audience", 1, 1, Contexts::all, false, "default",
     text<kSession, &SessionSettings::audience>},
    {"oidc_session_store_metadata", 1, 1, Contexts::all, false, "on",
     flag<kSession, &SessionSettings::store_metadata>},
    {"oidc_session_hash_subject", 1, 1, Contexts::all, false, "on",
     flag<kSession, &SessionSettings::hash_subject>},
    {"oidc_session_max_per_subject", 1, 1, Contexts::all, false, "off", max_per_subject},
    {"oidc_session_zone", 2, 2, Contexts::http, true, "", zone},
    {"oidc_authorization_zone", 1, 1, Contexts::http, false, "8m", states_zone},
};

}  // namespace

std::span<const Directive> session_directives() {
  return kDirectives;
}

namespace {

// What needs to find sessions, or to end them wherever they are, needs a place that all share.
Result<void> check_in_cookies(SettingsDraft& draft) {
  SessionSettings& session = draft.settings.session;
  if (session.secrets.empty()) {
    return draft.conflict("oidc_session_secret",
                          "it must be set for oidc_session_storage cookie: the sessions are sealed "
                          "with it");
  }
  if (session.remember.on) {
    return draft.conflict("oidc_session_remember",
                          "it needs a store (oidc_session_storage shm or redis): a cookie that "
                          "outlives the browser would have to hold the refresh token, which "
                          "a refresh uses up");
  }
  if (session.deny_in_redis) return {};
  const LogoutSettings& logout = draft.settings.logout;
  const std::pair<std::string_view, bool> wants_sharing[] = {
      {"oidc_backchannel_logout_uri", !logout.backchannel_uri.empty()},
      {"oidc_frontchannel_logout_uri", !logout.frontchannel_uri.empty()},
      {"oidc_session_max_per_subject", session.max_per_subject != 0}};
  for (const auto& [name, wanted] : wants_sharing) {
    if (!wanted) continue;
    return draft.conflict(name, "with sessions in cookies it needs the list of ended sessions where "
                                "all gateways see it: \"oidc_session_storage cookie deny=redis\" "
                                "(with oidc_redis_*), or sessions in shm or redis");
  }
  const bool demanded = draft.is_set("oidc_session_store_metadata") && session.store_metadata;
  if (demanded) {
    draft.warn("oidc_session_store_metadata",
               "on: no effect with oidc_session_storage cookie unless deny=redis");
  }
  session.store_metadata = false;
  return {};
}

}  // namespace

Result<void> finish_session(SettingsDraft& draft) {
  const SessionSettings& session = draft.settings.session;
  if (session.storage == StorageKind::redis && session.secrets.empty()) {
    return draft.conflict("oidc_session_secret",
                          "it must be set for oidc_session_storage redis: "
                          "all machines need the same");
  }
  if (!session.store_metadata && session.max_per_subject != 0) {
    return draft.conflict("oidc_session_max_per_subject",
                          "it needs oidc_session_store_metadata on: without it nobody knows whose "
                          "the sessions are");
  }
  if (session.storage == StorageKind::cookie) {
    Result<void> checked = check_in_cookies(draft);
    if (!checked) return checked;
  }
  if (session.absolute_timeout == 0 && session.idling_timeout == 0 &&
      session.rolling_timeout == 0) {
    return draft.conflict("oidc_session_absolute_timeout",
                          "it must not be 0 while oidc_session_idling_timeout and "
                          "oidc_session_rolling_timeout are 0: sessions would never end");
  }
  if (session.rolling_timeout != 0 && session.idling_timeout > session.rolling_timeout) {
    draft.warn("oidc_session_idling_timeout",
               "it is longer than oidc_session_rolling_timeout and has no effect");
  }
  const RememberSettings& remember = session.remember;
  if (remember.on && remember.rolling_timeout == 0 && remember.absolute_timeout == 0) {
    return draft.conflict("oidc_session_remember_absolute_timeout",
                          "it must not be 0 while oidc_session_remember_rolling_timeout is 0: a "
                          "stolen cookie would serve for ever");
  }
  const std::optional<Seconds> max_age = draft.settings.authorization.max_age;
  if (remember.on && max_age && *max_age > 0) {
    draft.warn("oidc_session_remember",
               "it has no effect with oidc_max_age, which a remembered session never satisfies");
  }
  if (session.absolute_timeout != 0 && session.idling_timeout > session.absolute_timeout) {
    draft.warn("oidc_session_idling_timeout",
               "it is longer than oidc_session_absolute_timeout and "
               "has no effect");
  }
  return {};
}

Result<std::vector<ZoneSettings>> build_zones(const DirectiveWords& words) {
  const BuildFacts facts;
  SettingsDraft draft(facts);
  draft.words = &words;
  const auto declare = [&](std::string_view name, auto apply) -> Result<void> {
    const DirectiveWords::Lines* lines = words.get(name);
    if (lines == nullptr) return {};
    for (const DirectiveUse& use : *lines) {
      Result<void> applied = apply(draft, use);
      if (!applied) return draft.conflict(name, applied.error().detail);
    }
    return {};
  };
  Result<void> declared = declare("oidc_session_zone", zone);
  if (declared) declared = declare("oidc_authorization_zone", states_zone);
  if (!declared) return std::move(declared).error();
  const auto add_missing = [&](std::string_view name, std::size_t size) {
    const bool there = std::any_of(draft.zones.begin(), draft.zones.end(),
                                   [&](const ZoneSettings& zone) { return zone.name == name; });
    if (!there) draft.zones.push_back({std::string(name), size});
  };
  add_missing(kDefaultSessionZone, kDefaultZone);
  add_missing(kStatesZoneName, kDefaultStatesZone);
  add_missing(kDefaultCookieZone, kDefaultZone);
  return std::move(draft.zones);
}

}  // namespace oidc
