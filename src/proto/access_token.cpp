#include "oidc/access_token.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace oidc {
namespace {

constexpr std::string_view kAccessTokenType = "at+jwt";
constexpr Seconds kLatest = 253'402'300'800;  // the year 10000: no time that anybody means
constexpr std::size_t kMaxSubject = 1024;

using Check = Result<void> (*)(const Json&, const AccessTokenExpectations&);

Error wrong_kind(std::string what) { return {Errc::access_token_kind, std::move(what)}; }

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  return text;
}

bool contains(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// As media types: without case, and with or without "application/" (RFC 7515 section 4.1.9).
Result<void> check_type(const Jwt& jwt, std::string_view wanted) {
  constexpr std::string_view kApplication = "application/";
  const std::string type = lower(jwt.typ);
  std::string_view name = type;
  if (name.starts_with(kApplication)) name.remove_prefix(kApplication.size());
  if (!wanted.empty()) {
    if (name == wanted) return {};
    return wrong_kind("its typ is not the one of oidc_access_token_typ");
  }
  // Explicit typing: "logout+jwt", "dpop+jwt", "secevent+jwt" and whatever comes.
  if (name.ends_with("+jwt") && name != kAccessTokenType) return wrong_kind("typ");
  return {};
}

// What ID tokens, logout tokens and security events have and access tokens do not.
Result<void> check_foreign_claims(const Json& claims) {
  constexpr std::array<const char*, 5> kForeign = {"nonce", "at_hash", "c_hash", "s_hash",
                                                   "events"};
  for (const char* name : kForeign) {
    if (has_member(claims, name)) return wrong_kind(std::string("it has the claim ").append(name));
  }
  // Keycloak says in the payload what a token is.
  constexpr std::array<std::string_view, 4> kTypes = {"id", "refresh", "offline", "logout"};
  const std::string type = lower(json_string(claims, "typ").value_or(""));
  if (std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end()) {
    return wrong_kind("the provider made it as another kind of token");
  }
  // As Cognito and Hydra do.
  const auto use = json_string(claims, "token_use");
  const bool is_access = use && (*use == "access" || *use == "access_token");
  if (has_member(claims, "token_use") && !is_access) return wrong_kind("its token_use is another one");
  return {};
}

Result<void> check_issuer(const Json& claims, const AccessTokenExpectations& expected) {
  const auto issuer = json_string(claims, "iss");
  if (!issuer) return Error{Errc::access_token_iss, "no iss"};
  const bool listed = expected.issuers != nullptr && !expected.issuers->empty();
  const bool known = listed ? contains(*expected.issuers, *issuer) : *issuer == expected.issuer;
  if (!known) return Errc::access_token_iss;
  return {};
}

Result<void> check_expiry(const Json& claims, const AccessTokenExpectations& expected) {
  const auto exp = numeric_date(claims, "exp");
  if (!exp || *exp >= kLatest) return Error{Errc::access_token_exp, "no exp that is a time"};
  if (add_saturated(*exp, expected.leeway) <= expected.now) return Errc::access_token_exp;
  return {};
}

Result<void> check_begin(const Json& claims, const AccessTokenExpectations& expected) {
  const Seconds latest = add_saturated(expected.now, expected.leeway);
  if (has_member(claims, "nbf")) {
    const auto nbf = numeric_date(claims, "nbf");
    if (!nbf || *nbf > latest) return Errc::access_token_nbf;
  }
  if (has_member(claims, "iat")) {
    const auto iat = numeric_date(claims, "iat");
    if (!iat || *iat > latest) return Errc::access_token_iat;
  }
  return {};
}

Result<void> check_confirmation(const Json& claims, const AccessTokenExpectations& expected) {
  if (!has_member(claims, "cnf") || expected.ignore_confirmation) return {};
  return Error{Errc::access_token_bound, "it has the claim cnf"};
}

// RFC 9068 section 2.2, where the provider says that it follows it.
Result<void> check_required(const Jwt& jwt, const AccessTokenExpectations& expected) {
  if (expected.typ != kAccessTokenType) return {};
  for (const char* name : {"sub", "client_id", "jti"}) {
    if (json_string(jwt.claims, name).value_or("").empty()) {
      return wrong_kind(std::string("no ").append(name).append(", which RFC 9068 demands"));
    }
  }
  if (!has_member(jwt.claims, "iat")) return Error{Errc::access_token_iat, "no iat"};
  return {};
}

// "scope" as a text, or as some providers have it, as a list; or Entra's "scp".
std::string scope_of(const Json& claims) {
  for (const char* name : {"scope", "scp"}) {
    const auto words = json_strings(claims, name);
    if (!words) continue;
    std::string scope;
    for (const std::string& word : *words) {
      if (!scope.empty()) scope.push_back(' ');
      scope.append(word);
    }
    return scope;
  }
  return {};
}

Result<AccessTokenFacts> facts_of(const Json& claims) {
  AccessTokenFacts facts;
  facts.subject = json_string(claims, "sub").value_or("");
  if (facts.subject.size() > kMaxSubject ||
      (facts.subject.empty() && has_member(claims, "sub"))) {
    return wrong_kind("sub");
  }
  facts.scope = scope_of(claims);
  facts.expires = numeric_date(claims, "exp").value_or(0);
  facts.acr = json_string(claims, "acr").value_or("");
  facts.auth_time = numeric_date(claims, "auth_time").value_or(0);
  return facts;
}

}  // namespace

Result<void> check_access_token_kind(const Jwt& jwt, std::string_view typ) {
  Result<void> type = check_type(jwt, typ);
  return type ? check_foreign_claims(jwt.claims) : type;
}

Result<AccessTokenFacts> check_access_token(const Jwt& jwt,
                                            const AccessTokenExpectations& expected) {
  Result<void> kind = check_access_token_kind(jwt, expected.typ);
  if (!kind) return std::move(kind).error();
  for (const Check check : {check_issuer, check_expiry, check_begin, check_confirmation}) {
    Result<void> checked = check(jwt.claims, expected);
    if (!checked) return std::move(checked).error();
  }
  Result<void> required = check_required(jwt, expected);
  if (!required) return std::move(required).error();
  return facts_of(jwt.claims);
}

Result<AccessTokenFacts> check_introspected(const Json& claims,
                                            const AccessTokenExpectations& expected) {
  Result<void> kind = check_foreign_claims(claims);
  if (!kind) return std::move(kind).error();
  for (const Check check : {check_begin, check_confirmation}) {
    Result<void> checked = check(claims, expected);
    if (!checked) return std::move(checked).error();
  }
  const std::array<std::pair<const char*, Check>, 2> kWhereSaid = {
      {{"iss", check_issuer}, {"exp", check_expiry}}};
  for (const auto& [name, check] : kWhereSaid) {
    if (!has_member(claims, name)) continue;
    Result<void> checked = check(claims, expected);
    if (!checked) return std::move(checked).error();
  }
  return facts_of(claims);
}

}  // namespace oidc
