// A logout token that all checks accept, to be spoilt claim by claim.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "sample_settings.h"
#include "signing_key.h"

namespace oidc::test {

inline constexpr const char* kLogoutEvent = "http://schemas.openid.net/event/backchannel-logout";

struct LogoutTokenSample {
  explicit LogoutTokenSample(Seconds now)
      : claims({{"iss", kIssuer},
                {"aud", kClientId},
                {"iat", now},
                {"exp", now + 120},
                {"jti", "jti-1"},
                {"sub", "alice"},
                {"sid", "provider-session"},
                {"events", {{kLogoutEvent, nlohmann::json::object()}}}}) {}

  [[nodiscard]] LogoutTokenSample with(const char* claim, const nlohmann::json& value) const {
    LogoutTokenSample other = *this;
    other.claims[claim] = value;
    return other;
  }
  [[nodiscard]] LogoutTokenSample without(const char* claim) const {
    LogoutTokenSample other = *this;
    other.claims.erase(claim);
    return other;
  }
  [[nodiscard]] LogoutTokenSample typed(const nlohmann::json& typ) const {
    LogoutTokenSample other = *this;
    other.header["typ"] = typ;
    return other;
  }
  [[nodiscard]] std::string signed_by(const SigningKey& key) const {
    return key.sign(header, claims);
  }

  nlohmann::json header = nlohmann::json::object();
  nlohmann::json claims;
};

}  // namespace oidc::test
