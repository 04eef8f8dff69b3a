// Opened sessions in the workers' memory, and what they are worth while Redis does not answer.
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr std::size_t kLeastCache = 64 * 1024;
constexpr std::size_t kMaxCache = 16ULL * 1024 * 1024 * 1024;
constexpr Seconds kLongestAge = 3600;
constexpr Seconds kLongestOutage = 3600;

Result<void> cache(SettingsDraft& draft, const DirectiveUse& use) {
  SessionSettings& session = draft.settings.session;
  session.cache_size = 0;
  session.cache_max_age = 60;
  if (is_off(use.words)) return {};
  Result<std::size_t> size = parse_size(use.words[0], kLeastCache, kMaxCache);
  if (!size) return std::move(size).error();
  session.cache_size = *size;
  if (use.words.size() == 1) return {};
  constexpr std::string_view kMaxAge = "max_age=";
  const std::string_view word = use.words[1];
  if (!word.starts_with(kMaxAge)) return bad_value(word, "only max_age=TIME may follow the size");
  return assign(session.cache_max_age,
                parse_seconds(word.substr(kMaxAge.size()), 1, kLongestAge));
}

Result<void> outage(SettingsDraft& draft, const DirectiveUse& use) {
  const std::string_view word = use.words[0];
  draft.settings.session.outage_cached = 0;
  if (word == "deny") return {};
  constexpr std::string_view kCached = "cached=";
  if (!word.starts_with(kCached)) return bad_value(word, "it must be deny or cached=TIME");
  return assign(draft.settings.session.outage_cached,
                parse_seconds(word.substr(kCached.size()), 1, kLongestOutage));
}

constexpr Directive kDirectives[] = {
    {"oidc_session_cache", 1, 2, Contexts::http, false, "16m", cache},
    {"oidc_session_outage", 1, 1, Contexts::all, false, "deny", outage},
};

}  // namespace

std::span<const Directive> cache_directives() {
  return kDirectives;
}

Result<void> finish_cache(SettingsDraft& draft) {
  SessionSettings& session = draft.settings.session;
  if (session.outage_cached == 0) return {};
  if (session.storage != StorageKind::redis) {
    draft.warn("oidc_session_outage", "no effect without oidc_session_storage redis");
    session.outage_cached = 0;
  } else if (session.cache_size == 0) {
    return draft.conflict("oidc_session_outage",
                          "cached wants a cache: oidc_session_cache is off");
  }
  return {};
}

}  // namespace oidc
