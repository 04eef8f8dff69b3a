#include "oidc/userinfo.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace oidc {
namespace {

Error invalid(std::string what) { return {Errc::userinfo_invalid, std::move(what)}; }

Error status_error(int status) {
  const std::string text = "status " + std::to_string(status);
  if (status == 401 || status == 403) return {Errc::token_inactive, text};
  if (status >= 500 || status == 429) return {Errc::provider_overloaded, text};
  return invalid(text);
}

Result<UserinfoAnswer> read_signed(std::string_view body) {
  JwtLimits limits;
  limits.max_bytes = kMaxUserinfo;
  Result<Jwt> jwt = parse_jwt(body, limits);
  if (!jwt) return invalid(std::string(info(jwt.error().code).code));
  UserinfoAnswer answer;
  answer.claims = jwt->claims;
  answer.jwt = std::make_shared<const Jwt>(std::move(*jwt));
  return answer;
}

Result<UserinfoAnswer> read_plain(std::string_view body) {
  JsonLimits limits;
  limits.max_bytes = kMaxUserinfo;
  Result<Json> json = parse_json_object(body, limits);
  if (!json) return invalid(json.error().detail);
  UserinfoAnswer answer;
  answer.claims = std::move(*json);
  return answer;
}

// What a signed answer says of itself.
Result<void> check_signed(const Json& claims, const UserinfoExpectations& expected) {
  if (has_member(claims, "iss") && json_string(claims, "iss") != expected.issuer) {
    return invalid("its iss is another issuer");
  }
  if (has_member(claims, "aud")) {
    const auto audiences = json_strings(claims, "aud");
    const bool ours = audiences && std::find(audiences->begin(), audiences->end(),
                                             expected.client_id) != audiences->end();
    if (!ours) return invalid("its aud is not this client");
  }
  if (has_member(claims, "exp")) {
    const auto exp = numeric_date(claims, "exp");
    if (!exp || add_saturated(*exp, expected.leeway) <= expected.now) return invalid("its exp");
  }
  return {};
}

}  // namespace

HttpRequest userinfo_request(const std::string& endpoint, const std::string& accept,
                             std::string_view access_token) {
  HttpRequest request;
  request.url = endpoint;
  request.accept = accept;
  std::string authorization = "Bearer ";
  authorization.append(access_token);
  request.authorization = Secret(authorization);
  cleanse(authorization);
  request.max_body = kMaxUserinfo;
  return request;
}

Result<UserinfoAnswer> read_userinfo(const HttpResponse& response, std::string_view accept) {
  if (response.status != 200) return status_error(response.status);
  if (response.content_type == kSignedUserinfo) return read_signed(response.body);
  if (accept == kSignedUserinfo) return invalid("it is not signed");
  if (response.content_type == "application/json") return read_plain(response.body);
  return invalid("the content type is neither application/json nor application/jwt");
}

Result<void> check_userinfo(const UserinfoAnswer& answer, const UserinfoExpectations& expected) {
  if (answer.jwt != nullptr) {
    Result<void> checked = check_signed(answer.claims, expected);
    if (!checked) return checked;
  }
  const std::string subject = json_string(answer.claims, "sub").value_or("");
  if (subject.empty()) return invalid("no sub");
  if (!expected.subject.empty() && subject != expected.subject) return Errc::userinfo_sub;
  return {};
}

}  // namespace oidc
