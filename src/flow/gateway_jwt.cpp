#include "gateway_jwt.h"

#include <nlohmann/json.hpp>

#include "oidc/base64url.h"
#include "oidc/client_key.h"

namespace oidc {
namespace {

std::string encoded(const Json& object) {
  return base64url_encode(object.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

std::string sign_gateway_jwt(const GatewayJwt& settings, const SessionRecord& record,
                             const HeaderClaims& claims, Seconds now) {
  if (record.subject.empty()) return {};
  const Alg alg = settings.key->usual_alg();
  const Json header = {{"alg", to_string(alg)}, {"typ", "JWT"}, {"kid", settings.key->kid()}};
  Json payload = {{"iss", settings.issuer},
                  {"aud", settings.audience},
                  {"sub", record.subject},
                  {"iat", now},
                  {"exp", add_saturated(now, settings.lifetime)}};
  for (const auto& [name, path] : settings.claims) {
    if (const Json* value = claims.find(path)) payload[name] = *value;
  }
  std::string jwt = encoded(header);
  jwt.append(".").append(encoded(payload));
  const std::string signature = settings.key->sign(alg, jwt);
  return jwt.append(".").append(base64url_encode(signature));
}

Seconds gateway_jwt_until(const GatewayJwt& settings, Seconds now) noexcept {
  return add_saturated(now, settings.lifetime / 2);
}

}  // namespace oidc
