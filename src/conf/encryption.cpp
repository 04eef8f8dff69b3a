// What may be encrypted to the client, and what must be (RFC 7516).
#include <algorithm>
#include <array>

#include "oidc/introspection.h"
#include "oidc/userinfo.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr auto kEncryption = &Settings::encryption;
constexpr Choices<bool EncryptionSettings::*, 3> kKinds = {{
    {"id_token", &EncryptionSettings::id_token},
    {"userinfo", &EncryptionSettings::userinfo},
    {"introspection", &EncryptionSettings::introspection},
}};

Result<void> algs(SettingsDraft& draft, const DirectiveUse& use) {
  for (const std::string& word : use.words) {
    const std::optional<JweAlg> alg = parse_jwe_alg(word);
    if (!alg) {
      return bad_value(word, "RSA-OAEP, RSA-OAEP-256, ECDH-ES, ECDH-ES+A128KW, ECDH-ES+A192KW and "
                             "ECDH-ES+A256KW can be accepted");
    }
    JweAccepted& accepted = draft.settings.encryption.accepted;
    if (accepted.has(*alg)) return bad_value(word, "it is there twice");
    accepted.add(*alg);
  }
  return {};
}

Result<void> encs(SettingsDraft& draft, const DirectiveUse& use) {
  for (const std::string& word : use.words) {
    const std::optional<JweEnc> enc = parse_jwe_enc(word);
    if (!enc) {
      return bad_value(word, "A128GCM, A192GCM, A256GCM, A128CBC-HS256, A192CBC-HS384 and "
                             "A256CBC-HS512 can be accepted");
    }
    JweAccepted& accepted = draft.settings.encryption.accepted;
    if (accepted.has(*enc)) return bad_value(word, "it is there twice");
    accepted.add(*enc);
  }
  return {};
}

Result<void> required(SettingsDraft& draft, const DirectiveUse& use) {
  EncryptionSettings& encryption = draft.settings.encryption;
  for (const auto& [name, member] : kKinds) encryption.*member = false;
  if (is_off(use.words)) return {};
  for (const std::string& word : use.words) {
    Result<bool EncryptionSettings::*> member = choose(kKinds, word);
    if (!member) return std::move(member).error();
    if (encryption.**member) return bad_value(word, "it is there twice");
    encryption.**member = true;
  }
  return {};
}

constexpr Directive kDirectives[] = {
    {"oidc_encryption_algs", 1, 6, Contexts::all, false,
     "RSA-OAEP RSA-OAEP-256 ECDH-ES ECDH-ES+A128KW ECDH-ES+A192KW ECDH-ES+A256KW", algs},
    {"oidc_encryption_encs", 1, 6, Contexts::all, false,
     "A128GCM A192GCM A256GCM A128CBC-HS256 A192CBC-HS384 A256CBC-HS512", encs},
    {"oidc_encryption_required", 1, kKinds.size(), Contexts::all, false, "off", required},
};

constexpr std::string_view kRequired = "oidc_encryption_required";

// A key that nothing may be encrypted with would be found out at the first login.
Result<void> check_keys(SettingsDraft& draft) {
  const Settings& settings = draft.settings;
  constexpr std::array kAlgs = {JweAlg::RSA_OAEP,       JweAlg::RSA_OAEP_256,
                                JweAlg::ECDH_ES,        JweAlg::ECDH_ES_A128KW,
                                JweAlg::ECDH_ES_A192KW, JweAlg::ECDH_ES_A256KW};
  for (const auto& key : settings.client.decryption_keys) {
    const bool usable = std::any_of(kAlgs.begin(), kAlgs.end(), [&](JweAlg alg) {
      return settings.encryption.accepted.has(alg) && key->fits(alg);
    });
    if (usable) continue;
    std::string what("none of these fits the key ");
    what.append(key->kid()).append(" of oidc_client_jwk");
    return draft.conflict("oidc_encryption_algs", what);
  }
  return {};
}

// What is encrypted is a JWT: nothing else is asked for.
Result<void> ask_for_jwt(SettingsDraft& draft, std::string_view directive, std::string_view kind,
                         std::string_view wanted, std::string& accept) {
  if (draft.is_set(directive) && accept != wanted) {
    return draft.conflict(directive, std::string("it must be ").append(wanted).append(
                                         ": oidc_encryption_required names ").append(kind));
  }
  accept = wanted;
  return {};
}

}  // namespace

std::span<const Directive> encryption_directives() {
  return kDirectives;
}

Result<void> finish_encryption(SettingsDraft& draft) {
  Settings& settings = draft.settings;
  const EncryptionSettings& encryption = settings.encryption;
  Result<void> checked = check_keys(draft);
  const bool demanded = encryption.id_token || encryption.userinfo || encryption.introspection;
  if (checked && demanded && settings.client.decryption_keys.empty()) {
    checked = draft.conflict(kRequired, "oidc_client_jwk must name a key with \"use\": \"enc\"");
  }
  if (checked && !settings.client.decryption_keys.empty() && !draft.is_set(kRequired)) {
    draft.warn(kRequired, "it is not set, so what comes in plain is accepted although oidc_client_jwk "
                          "has a key to encrypt with: name what must be encrypted, or \"off\"");
  }
  if (checked && encryption.userinfo) {
    checked = ask_for_jwt(draft, "oidc_userinfo_accept", "userinfo", kSignedUserinfo,
                          settings.userinfo.accept);
  }
  if (checked && encryption.introspection) {
    checked = ask_for_jwt(draft, "oidc_introspection_accept", "introspection",
                          kSignedIntrospection, settings.introspection.accept);
  }
  return checked;
}

}  // namespace oidc
