#include <algorithm>
#include <array>

#include "oidc/base64url.h"
#include "oidc/jose.h"

namespace oidc {
namespace {

Error malformed(const char* what) {
  return Error{Errc::jwt_malformed, what};
}

struct Parts {
  std::string_view header, payload, signature, signing_input;
};

std::optional<Parts> split(std::string_view compact) {
  if (std::ranges::count(compact, '.') != 2) return std::nullopt;
  const std::size_t first = compact.find('.');
  const std::size_t second = compact.find('.', first + 1);
  return Parts{compact.substr(0, first), compact.substr(first + 1, second - first - 1),
               compact.substr(second + 1), compact.substr(0, second)};
}

std::optional<Json> decode_object(std::string_view part) {
  const Result<std::string> text = base64url_decode(part);
  if (!text) return std::nullopt;
  Result<Json> object = parse_json_object(*text);
  if (!object) return std::nullopt;
  return std::move(*object);
}

bool is_none(std::string_view alg) {
  constexpr std::string_view kNone = "none";
  return std::ranges::equal(alg, kNone, {}, [](char c) { return static_cast<char>(c | 0x20); });
}

// A member that has to be a string if it is there; nullopt when it is something else.
std::optional<std::string> optional_string(const Json& header, std::string_view name) {
  if (!header.contains(name)) return std::string();
  return json_string(header, name);
}

}  // namespace

Result<Jwt> parse_jwt(std::string_view compact, const JwtLimits& limits) {
  if (compact.size() > limits.max_bytes) return malformed("larger than allowed");
  const std::optional<Parts> parts = split(compact);
  if (!parts) return malformed("not three parts");

  std::optional<Json> header = decode_object(parts->header);
  if (!header) return malformed("the header is no JSON object");
  const std::optional<std::string> alg_name = json_string(*header, "alg");
  if (!alg_name) return malformed("no alg");
  if (is_none(*alg_name)) return Error{Errc::jwt_alg_none, {}};
  const std::optional<Alg> alg = parse_alg(*alg_name);
  if (!alg) return Error{Errc::jwt_alg_not_allowed, "unknown alg"};
  if (header->contains("crit")) return Error{Errc::jwt_crit, "crit"};
  if (header->contains("b64")) return Error{Errc::jwt_crit, "b64"};
  if (header->contains("zip")) return malformed("zip");
  std::optional<std::string> kid = optional_string(*header, "kid");
  if (!kid) return malformed("kid is no string");
  std::optional<std::string> typ = optional_string(*header, "typ");
  if (!typ) return malformed("typ is no string");

  std::optional<Json> claims = decode_object(parts->payload);
  if (!claims) return malformed("the payload is no JSON object");
  Result<std::string> signature = base64url_decode(parts->signature);
  if (!signature) return malformed("the signature is not base64url");
  return Jwt{*alg,
             std::move(*kid),
             std::move(*typ),
             std::move(*header),
             std::move(*claims),
             std::string(parts->signing_input),
             std::move(*signature)};
}

std::string compact_form(const Jwt& jwt) {
  std::string text = jwt.signing_input;
  return text.append(".").append(base64url_encode(jwt.signature));
}

}  // namespace oidc
