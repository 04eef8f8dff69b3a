#include <algorithm>

#include "oidc/logout.h"

namespace oidc {
namespace {

constexpr const char* kEvent = "http://schemas.openid.net/event/backchannel-logout";
constexpr Seconds kFresh = 300;          // of a token without exp
constexpr Seconds kMostAhead = 86400;    // nobody's logout is valid for longer
constexpr std::size_t kMaxName = 1024;   // of jti, sub, sid

using Check = Result<void> (*)(const Jwt&, const LogoutTokenExpectations&);

Error invalid(std::string what) { return {Errc::logout_token_invalid, std::move(what)}; }

// As media types: without case, and with or without "application/" (RFC 7515 section 4.1.9).
Result<void> check_type(const Jwt& jwt, const LogoutTokenExpectations&) {
  constexpr std::string_view kApplication = "application/";
  std::string type = jwt.typ;
  std::transform(type.begin(), type.end(), type.begin(), [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  std::string_view name = type;
  if (name.starts_with(kApplication)) name.remove_prefix(kApplication.size());
  if (name == "logout+jwt" || name == "jwt" || !jwt.header.contains("typ")) return {};
  return invalid("typ");
}

bool contains(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

Result<void> check_parties(const Jwt& jwt, const LogoutTokenExpectations& expected) {
  if (json_string(jwt.claims, "iss") != expected.issuer) return invalid("iss");
  const auto audiences = json_strings(jwt.claims, "aud");
  if (!audiences || !contains(*audiences, expected.client_id)) return invalid("aud");
  for (const std::string& audience : *audiences) {
    const bool known =
        audience == expected.client_id || (expected.further_audiences != nullptr &&
                                           contains(*expected.further_audiences, audience));
    if (!known) return invalid("an audience is not trusted");
  }
  return {};
}

Result<void> check_times(const Jwt& jwt, const LogoutTokenExpectations& expected) {
  const Seconds latest = add_saturated(expected.now, expected.leeway);
  const auto iat = numeric_date(jwt.claims, "iat");
  if (!iat || *iat > latest) return invalid("iat");
  const auto nbf = numeric_date(jwt.claims, "nbf");
  if (has_member(jwt.claims, "nbf") && (!nbf || *nbf > latest)) return invalid("nbf");
  if (!has_member(jwt.claims, "exp")) {
    if (expected.exp_required) return invalid("no exp; see oidc_backchannel_logout_exp");
    const Seconds until = add_saturated(add_saturated(*iat, kFresh), expected.leeway);
    if (until < expected.now) return invalid("no exp, and iat is too long ago");
    return {};
  }
  const auto exp = numeric_date(jwt.claims, "exp");
  if (!exp || add_saturated(*exp, expected.leeway) <= expected.now) return invalid("exp");
  if (*exp > add_saturated(latest, kMostAhead)) return invalid("exp is too far ahead");
  return {};
}

Result<void> check_event(const Jwt& jwt, const LogoutTokenExpectations&) {
  const auto events = jwt.claims.find("events");
  if (events == jwt.claims.end() || !events->is_object()) return invalid("events");
  const auto event = events->find(kEvent);
  if (event == events->end() || !event->is_object()) return invalid("events: not a logout");
  // So that no logout token can be taken for an ID token, nor the other way round.
  if (has_member(jwt.claims, "nonce")) return invalid("nonce");
  return {};
}

// A claim that need not be there, but must be a text if it is.
bool read_name(const Json& claims, const char* name, std::string& target) {
  target = json_string(claims, name).value_or("");
  return target.size() <= kMaxName && (!target.empty() || !has_member(claims, name));
}

}  // namespace

bool is_logout_token_for(const Jwt& jwt, std::string_view issuer, std::string_view client_id) {
  const auto audiences = json_strings(jwt.claims, "aud");
  return json_string(jwt.claims, "iss") == issuer && audiences && contains(*audiences, client_id);
}

Result<LogoutTokenFacts> check_logout_token(const Jwt& jwt,
                                            const LogoutTokenExpectations& expected) {
  for (const Check check : {check_type, check_parties, check_times, check_event}) {
    Result<void> checked = check(jwt, expected);
    if (!checked) return std::move(checked).error();
  }
  LogoutTokenFacts facts;
  if (!read_name(jwt.claims, "jti", facts.jti) || facts.jti.empty()) return invalid("jti");
  if (!read_name(jwt.claims, "sub", facts.subject)) return invalid("sub");
  if (!read_name(jwt.claims, "sid", facts.provider_sid)) return invalid("sid");
  if (facts.subject.empty() && facts.provider_sid.empty()) return invalid("neither sid nor sub");
  const auto exp = numeric_date(jwt.claims, "exp");
  const Seconds iat = numeric_date(jwt.claims, "iat").value_or(0);
  facts.valid_until = add_saturated(exp.value_or(add_saturated(iat, kFresh)), expected.leeway);
  return facts;
}

}  // namespace oidc
