// An ID token that all checks accept, to be spoilt claim by claim.
#pragma once

#include <nlohmann/json.hpp>

#include "oidc/id_token.h"

namespace oidc::test {

struct IdTokenSample {
  static constexpr Seconds kNow = 1'700'000'000;
  static constexpr Seconds kLeeway = 60;

  IdTokenSample() {
    jwt.alg = Alg::RS256;
    jwt.claims = {{"iss", "https://op.example.com"},
                  {"sub", "alice"},
                  {"aud", "gateway"},
                  {"exp", kNow + 300},
                  {"iat", kNow},
                  {"nonce", "the-nonce"}};
    expected.issuer = "https://op.example.com";
    expected.client_id = "gateway";
    expected.now = kNow;
    expected.leeway = kLeeway;
    expected.nonce = "the-nonce";
  }

  [[nodiscard]] Errc check() const {
    const Result<IdTokenFacts> facts = check_id_token(jwt, expected);
    return facts ? Errc::none : facts.error().code;
  }
  // With one claim changed, for this call alone.
  [[nodiscard]] Errc check_with(const char* claim, const Json& value) const {
    IdTokenSample other = *this;
    other.jwt.claims[claim] = value;
    return other.check();
  }
  [[nodiscard]] Errc check_without(const char* claim) const {
    IdTokenSample other = *this;
    other.jwt.claims.erase(claim);
    return other.check();
  }

  Jwt jwt{};
  IdTokenExpectations expected;
};

}  // namespace oidc::test
