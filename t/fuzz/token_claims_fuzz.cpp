// The claims of ID tokens and logout tokens whose signature was right. The input is the claims.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "oidc/id_token.h"
#include "oidc/json.h"
#include "oidc/logout.h"
#include "require.h"

using oidc::fuzz::require;

namespace {

constexpr oidc::Seconds kNow = 1'700'000'000;
const std::vector<std::string> kFurther = {"other"};

oidc::Jwt jwt_with(oidc::Json claims, const char* typ) {
  oidc::Jwt jwt{oidc::Alg::ES256, "", typ, {{"typ", typ}}, std::move(claims), "", ""};
  return jwt;
}

void check_logout(const oidc::Json& claims, bool exp_required) {
  oidc::LogoutTokenExpectations expected;
  expected.issuer = "https://op.example.com";
  expected.client_id = "gateway";
  expected.further_audiences = &kFurther;
  expected.now = kNow;
  expected.leeway = 60;
  expected.exp_required = exp_required;
  const oidc::Jwt jwt = jwt_with(claims, "logout+jwt");
  const auto facts = oidc::check_logout_token(jwt, expected);
  if (!facts) {
    require(facts.error().code == oidc::Errc::logout_token_invalid, "a refusal has its code");
    return;
  }
  require(oidc::is_logout_token_for(jwt, expected.issuer, expected.client_id), "it is ours");
  require(!facts->jti.empty(), "it has an id");
  require(!facts->subject.empty() || !facts->provider_sid.empty(), "and names somebody");
  require(facts->valid_until >= kNow && facts->valid_until <= kNow + 2 * 86400, "for a while");
  require(!claims.contains("nonce"), "it is no ID token");
}

void check_id(const oidc::Json& claims, bool login) {
  oidc::IdTokenExpectations expected;
  expected.issuer = "https://op.example.com";
  expected.client_id = "gateway";
  expected.further_audiences = &kFurther;
  expected.now = kNow;
  expected.leeway = 60;
  expected.nonce = "the-nonce";
  expected.nonce_required = login;
  expected.access_token = "access";
  expected.code = "code";
  if (login) expected.max_age = 600;
  if (!login) expected.subject = "alice";
  const auto facts = oidc::check_id_token(jwt_with(claims, "JWT"), expected);
  if (!facts) {
    require(facts.error().code != oidc::Errc::none && facts.error().code != oidc::Errc::internal,
            "a refusal has its code");
    return;
  }
  require(!facts->subject.empty(), "a token has a subject");
  require(login || facts->subject == "alice", "and at a refresh the same one");
  require(!login || oidc::json_string(claims, "nonce") == "the-nonce", "a login has its nonce");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const oidc::Result<oidc::Json> claims = oidc::parse_json(oidc::fuzz::text_of(data, size));
  if (!claims || !claims->is_object()) return 0;
  for (const bool yes : {true, false}) {
    check_logout(*claims, yes);
    check_id(*claims, yes);
  }
  return 0;
}
