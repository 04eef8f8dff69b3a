// Which headers of the upstream's request and of the response say who the user is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "oidc/json.h"
#include "oidc/time.h"

namespace oidc {

class ClientKey;

struct IdentityHeader {
  enum class Source : std::uint8_t {
    access_token, access_token_jwk, id_token, id_token_jwk, refresh_token, session_id, user_info,
    user_info_jwt, introspection, introspection_jwt, claim, gateway_jwt
  };
  enum class Encoding : std::uint8_t { plain, base64url, percent };
  std::string name;   // lower case; "authorization" with `bearer`
  bool bearer = false;
  Source source = Source::claim;
  ClaimPath path;     // of a claim
  Encoding encoding = Encoding::percent;
  std::size_t jwt = 0;  // of gateway_jwt: its place in HeaderSettings::jwts
};

// oidc_upstream_jwt: what the gateway itself says of the user.
struct GatewayJwt {
  std::shared_ptr<const ClientKey> key;
  std::string issuer, audience;  // empty: the gateway's own origin
  Seconds lifetime = 60;
  std::vector<std::pair<std::string, ClaimPath>> claims;  // by the name that they get
};

struct HeaderSettings {
  std::vector<IdentityHeader> upstream, downstream;
  std::vector<GatewayJwt> jwts;
  std::size_t most_bytes = 16 * 1024;  // oidc_headers_size: of all in one message
  // Something besides access tokens as they are, so that there is something to prepare.
  bool prepared = false;
  std::uint64_t id = 0;  // of no other Settings of this process, gone ones included
  // Some location of this identity sends the key of a token, or a signed answer: records keep them.
  bool keep_jwk = false, keep_jwt = false;
};

}  // namespace oidc
