#include "oidc/id_token.h"

#include <algorithm>

#include "oidc/base64url.h"
#include "oidc/crypto.h"

namespace oidc {
namespace {

Hash hash_of(Alg alg) {
  switch (alg) {
    case Alg::RS384:
    case Alg::PS384:
    case Alg::ES384:
    case Alg::HS384:
      return Hash::sha384;
    case Alg::RS512:
    case Alg::PS512:
    case Alg::ES512:
    case Alg::HS512:
    case Alg::EdDSA:
    case Alg::Ed25519:
      return Hash::sha512;
    default:
      return Hash::sha256;
  }
}

// Core 3.1.3.6: the left half of the hash, base64url. Absent is fine, another type is not.
bool half_hash_matches(const Jwt& jwt, const char* claim, std::string_view value) {
  if (!has_member(jwt.claims, claim) || value.empty()) return true;
  const std::string hash = digest(hash_of(jwt.alg), value);
  const std::string expected = base64url_encode(std::string_view(hash).substr(0, hash.size() / 2));
  return constant_time_equal(json_string(jwt.claims, claim).value_or(""), expected);
}

Result<void> check_audience(const Jwt& jwt, const IdTokenExpectations& expected) {
  const auto audiences = json_strings(jwt.claims, "aud");
  if (!audiences || audiences->empty()) return Error{Errc::id_token_aud, "no aud"};
  const auto has = [&audiences](std::string_view name) {
    return std::find(audiences->begin(), audiences->end(), name) != audiences->end();
  };
  if (!has(expected.client_id)) return Error{Errc::id_token_aud, "the client is not among them"};
  for (const std::string& audience : *audiences) {
    const auto* further = expected.further_audiences;
    const bool known = audience == expected.client_id ||
                       (further != nullptr && std::find(further->begin(), further->end(),
                                                        audience) != further->end());
    if (!known) return Error{Errc::id_token_aud, "an audience is not trusted"};
  }
  if (has_member(jwt.claims, "azp") &&
      json_string(jwt.claims, "azp").value_or("") != expected.client_id) {
    return Errc::id_token_azp;
  }
  return {};
}

Result<void> check_times(const Jwt& jwt, const IdTokenExpectations& expected) {
  const Seconds latest = add_saturated(expected.now, expected.leeway);
  const auto exp = numeric_date(jwt.claims, "exp");
  if (!exp) return Error{Errc::id_token_exp, "no exp"};
  if (add_saturated(*exp, expected.leeway) <= expected.now) return Errc::id_token_exp;
  const auto iat = numeric_date(jwt.claims, "iat");
  if (!iat || *iat > latest) return Errc::id_token_iat;
  if (has_member(jwt.claims, "nbf")) {
    const auto nbf = numeric_date(jwt.claims, "nbf");
    if (!nbf || *nbf > latest) return Errc::id_token_nbf;
  }
  return {};
}

Result<void> check_nonce(const Jwt& jwt, const IdTokenExpectations& expected) {
  if (!has_member(jwt.claims, "nonce")) {
    if (expected.nonce_required) return Error{Errc::id_token_nonce, "no nonce"};
    return {};
  }
  if (!constant_time_equal(json_string(jwt.claims, "nonce").value_or(""), expected.nonce)) {
    return Errc::id_token_nonce;
  }
  return {};
}

Result<void> check_authentication(const Jwt& jwt, const IdTokenExpectations& expected) {
  const auto auth_time = numeric_date(jwt.claims, "auth_time");
  if (expected.max_age) {
    if (!auth_time) return Error{Errc::id_token_auth_time, "no auth_time"};
    const Seconds limit = add_saturated(add_saturated(*auth_time, *expected.max_age),
                                        expected.leeway);
    if (limit < expected.now) return Errc::id_token_auth_time;
    if (*auth_time > add_saturated(expected.now, expected.leeway)) {
      return Error{Errc::id_token_auth_time, "auth_time is in the future"};
    }
  }
  if (expected.auth_time != 0 && auth_time && *auth_time != expected.auth_time) {
    return Error{Errc::id_token_auth_time, "another auth_time than at the login"};
  }
  if (expected.acr_values != nullptr && !expected.acr_values->empty()) {
    const std::string acr = json_string(jwt.claims, "acr").value_or("");
    const auto& wanted = *expected.acr_values;
    if (std::find(wanted.begin(), wanted.end(), acr) == wanted.end()) return Errc::id_token_acr;
  }
  return {};
}

}  // namespace

Result<IdTokenFacts> check_id_token(const Jwt& jwt, const IdTokenExpectations& expected) {
  if (json_string(jwt.claims, "iss").value_or("") != expected.issuer) return Errc::id_token_iss;
  IdTokenFacts facts;
  facts.subject = json_string(jwt.claims, "sub").value_or("");
  if (facts.subject.empty()) return Error{Errc::id_token_sub, "no sub"};
  if (!expected.subject.empty() && facts.subject != expected.subject) return Errc::id_token_sub;
  using Check = Result<void> (*)(const Jwt&, const IdTokenExpectations&);
  for (const Check check : {check_audience, check_times, check_nonce, check_authentication}) {
    Result<void> checked = check(jwt, expected);
    if (!checked) return std::move(checked).error();
  }
  if (!half_hash_matches(jwt, "at_hash", expected.access_token)) return Errc::id_token_at_hash;
  if (!half_hash_matches(jwt, "c_hash", expected.code)) return Errc::id_token_c_hash;
  facts.provider_sid = json_string(jwt.claims, "sid").value_or("");
  facts.acr = json_string(jwt.claims, "acr").value_or("");
  facts.auth_time = numeric_date(jwt.claims, "auth_time").value_or(0);
  return facts;
}

}  // namespace oidc
