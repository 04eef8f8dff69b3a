#include "gateway_jwt.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "oidc/base64url.h"
#include "oidc/client_key.h"
#include "oidc/presented_token.h"

namespace oidc {
namespace {

std::string encoded(const Json& object) {
  return base64url_encode(object.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

Seconds gateway_jwt_end(const GatewayJwt& settings, const SessionRecord& record, Seconds now) noexcept {
  Seconds end = add_saturated(now, settings.lifetime);
  if (record.absolute_end != 0) end = std::min(end, record.absolute_end);
  if (is_token(record) && record.access_expires != 0) end = std::min(end, record.access_expires);
  return end;
}

std::string sign_gateway_jwt(const GatewayJwt& settings, std::string_view provider,
                             const SessionRecord& record, const HeaderClaims& claims, Seconds now) {
  if (record.subject.empty()) return {};
  std::string issuer(provider);
  if (is_token(record)) {
    static const ClaimPath kIssuer = *ClaimPath::parse("iss");
    const Json* of_token = claims.find(kIssuer);
    if (of_token != nullptr && of_token->is_string()) issuer = of_token->get<std::string>();
  }
  const Alg alg = settings.key->usual_alg();
  const Json header = {{"alg", to_string(alg)}, {"typ", "JWT"}, {"kid", settings.key->kid()}};
  Json payload = {{"iss", settings.issuer},
                  {"aud", settings.audience},
                  {"sub", record.subject},
                  {"idp", issuer},  // sub is unique only there
                  {"iat", now},
                  {"exp", gateway_jwt_end(settings, record, now)}};
  for (const auto& [name, path] : settings.claims) {
    if (const Json* value = claims.find(path)) payload[name] = *value;
  }
  std::string jwt = encoded(header);
  jwt.append(".").append(encoded(payload));
  const std::string signature = settings.key->sign(alg, jwt);
  return jwt.append(".").append(base64url_encode(signature));
}

Seconds gateway_jwt_until(const GatewayJwt& settings, const SessionRecord& record,
                          Seconds now) noexcept {
  const Seconds left = gateway_jwt_end(settings, record, now) - now;
  return add_saturated(now, std::max<Seconds>(left / 2, 1));
}

}  // namespace oidc
