// How tokens are verified and refreshed.
#include "oidc/presented_grant.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr auto kToken = &Settings::token;
constexpr std::array kAsymmetric = {Alg::RS256, Alg::RS384, Alg::RS512,  Alg::PS256,
                                    Alg::PS384, Alg::PS512, Alg::ES256,  Alg::ES384,
                                    Alg::ES512, Alg::EdDSA, Alg::Ed25519};
struct HmacAlg {
  Alg alg;
  std::size_t least_secret;  // RFC 7518 section 3.2
};
constexpr HmacAlg kHmac[] = {{Alg::HS256, 32}, {Alg::HS384, 48}, {Alg::HS512, 64}};

Result<void> algs(std::optional<AlgSet>& target, const std::vector<std::string>& words) {
  target.reset();
  if (words.size() == 1 && words[0] == "default") return {};
  AlgSet set;
  for (const std::string& word : words) {
    const std::optional<Alg> alg = parse_alg(word);
    if (!alg) {
      return bad_value(word,
                       "names of RFC 7518 and 8037 are expected: RS256 RS384 RS512 PS256 "
                       "PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519, or HS256 HS384 HS512 "
                       "with oidc_enable_hs_signatures");
    }
    set.add(*alg);
  }
  target = set;
  return {};
}

Result<void> signing_algs(SettingsDraft& draft, const DirectiveUse& use) {
  return algs(draft.signing_algs, use.words);
}

Result<void> id_token_signing_algs(SettingsDraft& draft, const DirectiveUse& use) {
  return algs(draft.id_token_algs, use.words);
}

Result<void> access_token_signing_algs(SettingsDraft& draft, const DirectiveUse& use) {
  return algs(draft.access_token_algs, use.words);
}

constexpr Directive kDirectives[] = {
    {"oidc_leeway", 1, 1, Contexts::all, false, "60s",
     seconds<0, 3600, kToken, &TokenSettings::leeway>},
    {"oidc_signing_algs", 1, kManyWords, Contexts::all, false, "default", signing_algs},
    {"oidc_id_token_signing_algs", 1, kManyWords, Contexts::all, false, "default",
     id_token_signing_algs},
    {"oidc_access_token_signing_algs", 1, kManyWords, Contexts::all, false, "default",
     access_token_signing_algs},
    {"oidc_id_token_audiences", 1, kManyWords, Contexts::all, false, "off",
     texts_or_off<kToken, &TokenSettings::id_token_audiences>},
    {"oidc_enable_hs_signatures", 1, 1, Contexts::all, false, "off",
     flag<kToken, &TokenSettings::hs_signatures>},
    {"oidc_reverify", 1, 1, Contexts::all, false, "off",
     flag<kToken, &TokenSettings::reverify>},
    {"oidc_refresh_tokens", 1, 1, Contexts::all, false, "on",
     flag<kToken, &TokenSettings::refresh>},
    {"oidc_refresh_before", 1, 1, Contexts::all, false, "60s",
     seconds<0, kDay, kToken, &TokenSettings::refresh_before>},
};

// HMAC algorithms are only for a client whose secret is long enough for them.
Result<void> check_hmac(SettingsDraft& draft, std::string_view directive, AlgSet algs) {
  const ClientSettings& client = draft.settings.client;
  for (const HmacAlg& hmac : kHmac) {
    if (!algs.has(hmac.alg)) continue;
    const std::string name(to_string(hmac.alg));
    if (!draft.settings.token.hs_signatures) {
      return draft.conflict(directive, name + " needs oidc_enable_hs_signatures on");
    }
    if (client.secret.size() < hmac.least_secret) {
      return draft.conflict(directive, name + " needs an oidc_client_secret of " +
                                           std::to_string(hmac.least_secret) +
                                           " bytes at least (RFC 7518)");
    }
  }
  return {};
}

AlgSet default_algs(const Settings& settings) {
  AlgSet set;
  for (const Alg alg : kAsymmetric) set.add(alg);
  for (const HmacAlg& hmac : kHmac) {
    const bool usable = settings.client.secret.size() >= hmac.least_secret;
    if (settings.token.hs_signatures && usable) set.add(hmac.alg);
  }
  return set;
}

// Access tokens are for whoever verifies them: no shared secret signs one.
Result<void> finish_access_token(SettingsDraft& draft) {
  AlgSet asymmetric;
  for (const Alg alg : kAsymmetric) asymmetric.add(alg);
  AlgSet& algs = draft.settings.access_token.algs;
  if (draft.access_token_algs) {
    for (const HmacAlg& hmac : kHmac) {
      if (!draft.access_token_algs->has(hmac.alg)) continue;
      return draft.conflict("oidc_access_token_signing_algs",
                            std::string(to_string(hmac.alg)) +
                                " is for the client's own ID tokens; whoever knows the secret "
                                "could make access tokens");
    }
    algs = *draft.access_token_algs;
    return {};
  }
  algs = draft.signing_algs ? draft.signing_algs->intersect(asymmetric) : asymmetric;
  const CredentialSettings& credentials = draft.settings.credentials;
  if (algs.empty() &&
      (credentials.bearer || credentials.userinfo || accepts_grants(credentials))) {
    return draft.conflict("oidc_signing_algs",
                          "none of these can verify access tokens; set "
                          "oidc_access_token_signing_algs");
  }
  return {};
}

}  // namespace

std::span<const Directive> token_directives() {
  return kDirectives;
}

Result<void> finish_token(SettingsDraft& draft) {
  Result<void> access = finish_access_token(draft);
  if (!access) return access;
  Settings& settings = draft.settings;
  if (settings.token.hs_signatures && settings.client.secret.size() < kHmac[0].least_secret) {
    return draft.conflict("oidc_enable_hs_signatures",
                          "oidc_client_secret must have 32 bytes at least (RFC 7518)");
  }
  const bool own = draft.id_token_algs.has_value();
  const std::optional<AlgSet>& named = own ? draft.id_token_algs : draft.signing_algs;
  settings.token.id_token_algs = named.value_or(default_algs(settings));
  return check_hmac(draft, own ? "oidc_id_token_signing_algs" : "oidc_signing_algs",
                    settings.token.id_token_algs);
}

}  // namespace oidc
