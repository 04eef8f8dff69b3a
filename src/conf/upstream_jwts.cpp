// oidc_upstream_jwt
#include <algorithm>

#include "header_words.h"
#include "oidc/client_key.h"
#include "setters.h"

namespace oidc {
namespace {

using setters::assign;

constexpr std::string_view kOwnClaims[] = {"iss", "aud", "sub", "idp", "iat",
                                            "exp", "nbf", "jti"};
constexpr Seconds kShortestJwt = 10;
constexpr Seconds kLongestJwt = 3600;

Result<void> jwt_claim(GatewayJwt& jwt, const std::string& word) {
  Result<ClaimPath> path = ClaimPath::parse(word);
  if (!path) {
    return bad_value(word, "aud=, iss=, ttl=TIME or the path of a claim such as email is expected");
  }
  const std::string name = path->names().back();
  const bool taken = std::find(std::begin(kOwnClaims), std::end(kOwnClaims), name) !=
                         std::end(kOwnClaims) ||
                     std::any_of(jwt.claims.begin(), jwt.claims.end(),
                                 [&name](const auto& each) { return each.first == name; });
  if (taken) return bad_value(word, "the JWT has a claim of that name already");
  jwt.claims.emplace_back(name, std::move(*path));
  return {};
}

Result<void> jwt_word(GatewayJwt& jwt, const std::string& word) {
  constexpr std::string_view kAudience = "aud=", kIssuer = "iss=", kLifetime = "ttl=";
  const std::string_view view = word;
  for (const auto& [prefix, target] :
       {std::pair(kAudience, &jwt.audience), std::pair(kIssuer, &jwt.issuer)}) {
    if (!view.starts_with(prefix)) continue;
    *target = view.substr(prefix.size());
    if (!target->empty() && is_visible(*target)) return {};
    return bad_value(word, "printable characters without spaces are expected after the =");
  }
  if (!view.starts_with(kLifetime)) return jwt_claim(jwt, word);
  return assign(jwt.lifetime,
                parse_seconds(view.substr(kLifetime.size()), kShortestJwt, kLongestJwt));
}

}  // namespace

Result<void> apply_upstream_jwt(SettingsDraft& draft, const DirectiveUse& use) {
  HeaderSettings& headers = draft.settings.headers;
  if (is_off(use.words)) {
    std::erase_if(headers.upstream, [](const IdentityHeader& each) {
      return each.source == IdentityHeader::Source::gateway_jwt;
    });
    headers.jwts.clear();
    return {};
  }
  if (use.words.size() < 2) {
    return bad_value(use.words[0], "the name of a header and a file with a private key are expected");
  }
  IdentityHeader header;
  header.source = IdentityHeader::Source::gateway_jwt;
  header.jwt = headers.jwts.size();
  std::string_view word = use.words[0];
  header.bearer = word.ends_with(kBearer);
  if (header.bearer) word.remove_suffix(kBearer.size());
  Result<std::string> name = parse_header_name(true, word);
  if (!name) return std::move(name).error();
  header.name = std::move(*name);
  GatewayJwt jwt;
  Result<std::shared_ptr<const ClientKey>> key = parse_key_file(use.words[1], draft.facts);
  if (!key) return std::move(key).error();
  jwt.key = std::move(*key);
  for (std::size_t i = 2; i < use.words.size(); ++i) {
    Result<void> parsed = jwt_word(jwt, use.words[i]);
    if (!parsed) return parsed;
  }
  headers.jwts.push_back(std::move(jwt));
  headers.upstream.push_back(std::move(header));
  return {};
}

Result<void> finish_upstream_jwts(SettingsDraft& draft) {
  const std::string& origin = draft.settings.base_url;
  for (GatewayJwt& jwt : draft.settings.headers.jwts) {
    if (origin.empty() && (jwt.issuer.empty() || jwt.audience.empty())) {
      return draft.conflict("oidc_upstream_jwt", "iss= and aud= must be set where oidc_base_url is not");
    }
    if (jwt.issuer.empty()) jwt.issuer = origin;
    if (jwt.audience.empty()) jwt.audience = origin;
  }
  return {};
}

}  // namespace oidc
