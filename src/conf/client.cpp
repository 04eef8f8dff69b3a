// Who we are to the provider.
#include <algorithm>
#include <array>

#include "oidc/client_auth.h"
#include "oidc/client_key.h"
#include "oidc/url.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr Choices<ClientAuth, 7> kMethods = {{
    {"client_secret_basic", ClientAuth::client_secret_basic},
    {"client_secret_post", ClientAuth::client_secret_post},
    {"client_secret_jwt", ClientAuth::client_secret_jwt},
    {"private_key_jwt", ClientAuth::private_key_jwt},
    {"tls_client_auth", ClientAuth::tls_client_auth},
    {"self_signed_tls_client_auth", ClientAuth::self_signed_tls_client_auth},
    {"none", ClientAuth::none},
}};

Result<void> client_id(SettingsDraft& draft, const DirectiveUse& use) {
  // RFC 6749 appendix A.1: VSCHAR, which has the space.
  const std::string& id = use.words[0];
  if (id.empty() || id.find_first_of("\t\r\n") != std::string::npos) {
    return bad_value(id, "printable characters are expected");
  }
  draft.settings.client.id = id;
  return {};
}

template <auto Member>
Result<void> method(SettingsDraft& draft, const DirectiveUse& use) {
  std::optional<ClientAuth>& target = draft.settings.client.*Member;
  target.reset();
  if (use.words[0] == "auto") return {};
  return assign(target, choose(kMethods, use.words[0]));
}

Result<void> client_alg(SettingsDraft& draft, const DirectiveUse& use) {
  std::optional<Alg>& alg = draft.settings.client.alg;
  alg.reset();
  if (is_off(use.words)) return {};
  alg = parse_alg(use.words[0]);
  if (alg) return {};
  return bad_value(use.words[0], "a signature algorithm is expected, RS256 or ES256 for instance");
}

// A key of a kind: one that signs, or one that decrypts.
template <class Key>
Result<void> take_key(std::vector<std::shared_ptr<const Key>>& keys, std::vector<std::string>& kids,
                      const std::string& word, std::string_view text) {
  Result<std::shared_ptr<const Key>> key = Key::parse(text);
  if (!key) return bad_value(word, key.error().detail);
  const std::string& kid = (*key)->kid();
  if (std::find(kids.begin(), kids.end(), kid) != kids.end()) {
    return bad_value(word, "its kid is that of another one, and the provider could not tell them "
                           "apart");
  }
  kids.push_back(kid);
  keys.push_back(std::move(*key));
  return {};
}

// The first of those that sign is the one that does.
Result<void> client_jwk(SettingsDraft& draft, const DirectiveUse& use) {
  ClientSettings& client = draft.settings.client;
  client.key.reset();
  client.further_keys.clear();
  client.decryption_keys.clear();
  if (is_off(use.words)) return {};
  std::vector<std::string> kids;
  for (const std::string& word : use.words) {
    const Result<std::string> name = parse_file_name(word, draft.facts);
    if (!name) return name.error();
    const Result<Secret> text = parse_secret(std::string("file:").append(*name), draft.facts);
    if (!text) return text.error();
    Result<void> taken = DecryptionKey::is_one(text->view())
                             ? take_key(client.decryption_keys, kids, word, text->view())
                             : take_key(client.further_keys, kids, word, text->view());
    if (!taken) return taken;
  }
  if (client.further_keys.empty()) return {};
  client.key = client.further_keys.front();
  client.further_keys.erase(client.further_keys.begin());
  return {};
}

Result<void> assertion_audience(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& audience = draft.settings.client.assertion_audience;
  audience = use.words[0];
  if (audience == "token_endpoint") return {};
  if (audience == "issuer") {
    audience.clear();
    return {};
  }
  if (parse_http_url(audience)) return {};
  return bad_value(audience, "issuer, token_endpoint or an absolute URL is expected");
}

constexpr Directive kDirectives[] = {
    {"oidc_client_id", 1, 1, Contexts::all, false, "", client_id},
    {"oidc_client_secret", 1, 1, Contexts::all, false, "off",
     secret_or_off<&Settings::client, &ClientSettings::secret>},
    {"oidc_client_auth", 1, 1, Contexts::all, false, "auto", method<&ClientSettings::auth>},
    {"oidc_token_endpoint_auth_method", 1, 1, Contexts::all, false, "auto",
     method<&ClientSettings::token_auth>},
    {"oidc_revocation_endpoint_auth_method", 1, 1, Contexts::all, false, "auto",
     method<&ClientSettings::revocation_auth>},
    {"oidc_introspection_endpoint_auth_method", 1, 1, Contexts::all, false, "auto",
     method<&ClientSettings::introspection_auth>},
    {"oidc_client_alg", 1, 1, Contexts::all, false, "off", client_alg},
    {"oidc_client_jwk", 1, kManyWords, Contexts::all, false, "off", client_jwk},
    {"oidc_client_jwks", 1, 1, Contexts::location, false, "off", flag_only},
    {"oidc_client_assertion_audience", 1, 1, Contexts::all, false, "issuer", assertion_audience},
    {"oidc_tls_client_auth_certificate", 1, 1, Contexts::all, false, "off",
     file_or_off<&Settings::provider, &ProviderSettings::client_certificate>},
    {"oidc_tls_client_auth_certificate_key", 1, 1, Contexts::all, false, "off",
     file_or_off<&Settings::provider, &ProviderSettings::client_certificate_key>},
};

struct Use {
  std::string_view directive;
  std::optional<ClientAuth> ClientSettings::*method;
};
constexpr std::array kUses = {
    Use{"oidc_client_auth", &ClientSettings::auth},
    Use{"oidc_token_endpoint_auth_method", &ClientSettings::token_auth},
    Use{"oidc_revocation_endpoint_auth_method", &ClientSettings::revocation_auth},
    Use{"oidc_introspection_endpoint_auth_method", &ClientSettings::introspection_auth},
};

bool is_used(const ClientSettings& client, ClientAuth auth) {
  const auto uses = [&](const Use& use) { return client.*use.method == auth; };
  return std::any_of(kUses.begin(), kUses.end(), uses);
}

// What a method needs is there.
Result<void> check_method(SettingsDraft& draft, const Use& use, ClientAuth auth) {
  const Settings& settings = draft.settings;
  if (needs_secret(auth) && settings.client.secret.empty()) {
    return draft.conflict(use.directive, "oidc_client_secret must be set for this method");
  }
  if (auth == ClientAuth::private_key_jwt && settings.client.key == nullptr) {
    return draft.conflict(use.directive, "private_key_jwt: oidc_client_jwk must be set");
  }
  if (!is_mutual_tls(auth)) return {};
  if (settings.provider.client_certificate.empty()) {
    return draft.conflict(use.directive, "oidc_tls_client_auth_certificate must be set");
  }
  if (!settings.provider.issuer.starts_with("https:")) {
    return draft.conflict(use.directive, "the issuer must be https: there is no certificate on http");
  }
  return {};
}

Result<void> check_assertions(SettingsDraft& draft) {
  const ClientSettings& client = draft.settings.client;
  const bool by_secret = is_used(client, ClientAuth::client_secret_jwt);
  // Without a method of its own a key is what the client signs with.
  const bool chosen_by_key = client.key && !client.auth && client.secret.empty();
  const bool by_key = is_used(client, ClientAuth::private_key_jwt) || chosen_by_key;
  if (client.key && !by_key) {
    return draft.conflict("oidc_client_jwk", "no endpoint uses private_key_jwt: the key would be "
                                             "used for nothing");
  }
  if (by_secret) {
    const Alg alg = client.alg.value_or(Alg::HS256);
    const std::size_t least = hmac_secret_size(alg);
    if (least == 0) {
      return draft.conflict("oidc_client_alg",
                            "client_secret_jwt needs HS256, HS384 or HS512");
    }
    if (client.secret.size() < least) {
      return draft.conflict("oidc_client_secret",
                            std::to_string(least) + " bytes at least are needed for " +
                                std::string(to_string(alg)) + " (RFC 7518 section 3.2)");
    }
  }
  if (by_key && client.alg && !client.key->fits(*client.alg)) {
    return draft.conflict("oidc_client_alg",
                          std::string(to_string(*client.alg)) +
                              " does not fit the key of oidc_client_jwk: " +
                              std::string(to_string(client.key->usual_alg())) + " would");
  }
  if (client.alg && !by_key && !by_secret) {
    return draft.conflict("oidc_client_alg", "no endpoint uses client_secret_jwt or private_key_jwt");
  }
  return {};
}

Result<void> check_certificate(SettingsDraft& draft) {
  const ProviderSettings& provider = draft.settings.provider;
  if (provider.client_certificate.empty() == provider.client_certificate_key.empty()) return {};
  const bool key_missing = provider.client_certificate_key.empty();
  return draft.conflict(key_missing ? "oidc_tls_client_auth_certificate"
                                    : "oidc_tls_client_auth_certificate_key",
                        "oidc_tls_client_auth_certificate and "
                        "oidc_tls_client_auth_certificate_key go together");
}

}  // namespace

std::span<const Directive> client_directives() {
  return kDirectives;
}

Result<void> finish_client(SettingsDraft& draft) {
  ClientSettings& client = draft.settings.client;
  // Who only verifies tokens needs no name at the provider.
  const CredentialSettings& credentials = draft.settings.credentials;
  const bool speaks = credentials.authorization_code || credentials.introspection ||
                      credentials.refresh_token || credentials.password;
  if (client.id.empty() && speaks) {
    return draft.conflict("oidc_client_id", "it must be set where \"oidc\" is on");
  }
  const bool has_certificate = !draft.settings.provider.client_certificate.empty();
  if (!client.auth && client.secret.empty() && client.key == nullptr && !has_certificate) {
    client.auth = ClientAuth::none;
  }
  for (const Use& use : kUses) {
    if (!(client.*use.method)) continue;
    Result<void> checked = check_method(draft, use, *(client.*use.method));
    if (!checked) return checked;
  }
  Result<void> assertions = check_assertions(draft);
  if (!assertions) return assertions;
  if (client.auth == ClientAuth::none && !client.secret.empty() &&
      !draft.words->flag("oidc_enable_hs_signatures")) {
    return draft.conflict("oidc_client_auth",
                          "none: oidc_client_secret would be used for nothing; "
                          "remove one of them");
  }
  return check_certificate(draft);
}

}  // namespace oidc
