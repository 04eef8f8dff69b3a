// Bounds on the life of what is cached: the provider's documents, and what is known of tokens.
#include <algorithm>

#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr auto kToken = &Settings::access_token;

Result<void> least(SettingsDraft& draft, const DirectiveUse& use) {
  draft.cache_ttl_min = 0;
  if (is_off(use.words)) return {};
  return assign(draft.cache_ttl_min, parse_seconds(use.words[0], 1, 30 * kDay));
}

constexpr Directive kDirectives[] = {
    {"oidc_cache_ttl_min", 1, 1, Contexts::all, false, "off", least},
    {"oidc_cache_ttl_max", 1, 1, Contexts::all, false, "off",
     seconds_or_off<1, 30 * kDay, kToken, &AccessTokenSettings::cache_max>},
    {"oidc_cache_ttl_neg", 1, 1, Contexts::all, false, "10s",
     seconds_or_off<1, 10, kToken, &AccessTokenSettings::cache_negative>},
    // The bytes of a document are shared for a week.
    {"oidc_cache_ttl_resurrect", 1, 1, Contexts::all, false, "7d",
     seconds_or_off<1, 7 * kDay, &Settings::provider, &ProviderSettings::resurrect>},
};

}  // namespace

std::span<const Directive> cache_ttl_directives() {
  return kDirectives;
}

Result<void> finish_cache_ttl(SettingsDraft& draft) {
  const Seconds longest = draft.settings.access_token.cache_max;
  if (longest != 0 && draft.cache_ttl_min > longest) {
    return draft.conflict("oidc_cache_ttl_min", "it must not be longer than oidc_cache_ttl_max");
  }
  Seconds& ttl = draft.settings.provider.cache_ttl;
  const Seconds wanted = ttl;
  ttl = std::max(ttl, draft.cache_ttl_min);
  if (longest != 0) ttl = std::min(ttl, longest);
  if (ttl != wanted && draft.is_set("oidc_cache_ttl")) {
    draft.warn("oidc_cache_ttl", "oidc_cache_ttl_min and oidc_cache_ttl_max make it " +
                                     std::to_string(ttl) + " seconds");
  }
  return {};
}

}  // namespace oidc
