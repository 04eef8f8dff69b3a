#include "jwk.h"

#include <openssl/core_names.h>

#include <algorithm>

#include "../crypto/openssl.h"
#include "oidc/base64url.h"

namespace oidc {
namespace {

using KeyPointer = std::shared_ptr<EVP_PKEY>;

struct TypedKey {
  KeyType type;
  KeyPointer key;
};

constexpr int kSmallestModulus = 2048;
constexpr int kLargestModulus = 16384;  // verifying with a larger one is a denial of service
constexpr int kLargestExponent = 32;    // bits

struct Curve {
  std::string_view name;
  KeyType type;
  const char* group;
  std::size_t coordinate;  // bytes
};
constexpr Curve kCurves[] = {
    {"P-256", KeyType::ec_p256, "P-256", 32},
    {"P-384", KeyType::ec_p384, "P-384", 48},
    {"P-521", KeyType::ec_p521, "P-521", 66},
};

std::optional<std::string> bytes_member(const Json& entry, std::string_view name) {
  const std::optional<std::string> text = json_string(entry, name);
  if (!text) return std::nullopt;
  Result<std::string> bytes = base64url_decode(*text);
  if (!bytes) return std::nullopt;
  return std::move(*bytes);
}

KeyPointer key_from(const char* type, OSSL_PARAM_BLD* builder) {
  const openssl::Params params(OSSL_PARAM_BLD_to_param(builder));
  const openssl::KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  openssl::require(params != nullptr && context != nullptr, "key parameters");
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return {key, EVP_PKEY_free};
}

openssl::BigNumber number(std::string_view bytes) {
  openssl::BigNumber out(
      BN_bin2bn(openssl::bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
  openssl::require(out != nullptr, "number");
  return out;
}

// RFC 7518 section 6.3.
std::optional<TypedKey> rsa_key(const Json& entry) {
  const std::optional<std::string> n = bytes_member(entry, "n");
  const std::optional<std::string> e = bytes_member(entry, "e");
  if (!n || !e) return std::nullopt;
  const openssl::BigNumber modulus = number(*n);
  const openssl::BigNumber exponent = number(*e);
  const int bits = BN_num_bits(modulus.get());
  if (bits < kSmallestModulus || bits > kLargestModulus || BN_is_odd(modulus.get()) == 0) {
    return std::nullopt;
  }
  if (BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) == 1 ||
      BN_num_bits(exponent.get()) > kLargestExponent) {
    return std::nullopt;
  }
  const openssl::ParamBuilder builder(OSSL_PARAM_BLD_new());
  openssl::require(
      builder != nullptr &&
          OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) == 1 &&
          OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) == 1,
      "RSA parameters");
  KeyPointer key = key_from("RSA", builder.get());
  if (key == nullptr) return std::nullopt;
  return TypedKey{KeyType::rsa, std::move(key)};
}

// RFC 7518 section 6.2: coordinates in full length, and the point on the curve.
std::optional<TypedKey> ec_key(const Json& entry) {
  const std::optional<std::string> name = json_string(entry, "crv");
  const std::optional<std::string> x = bytes_member(entry, "x");
  const std::optional<std::string> y = bytes_member(entry, "y");
  if (!name || !x || !y) return std::nullopt;
  const Curve* const curve = std::ranges::find(kCurves, *name, &Curve::name);
  if (curve == std::end(kCurves)) return std::nullopt;
  if (x->size() != curve->coordinate || y->size() != curve->coordinate) return std::nullopt;

  const std::string point = '\x04' + *x + *y;
  const openssl::ParamBuilder builder(OSSL_PARAM_BLD_new());
  openssl::require(builder != nullptr &&
                       OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                                       curve->group, 0) == 1 &&
                       OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                                        point.data(), point.size()) == 1,
                   "EC parameters");
  KeyPointer key = key_from("EC", builder.get());
  if (key == nullptr) return std::nullopt;
  // These curves have cofactor 1: a point on the curve is in the right group.
  const openssl::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  openssl::require(context != nullptr, "key context");
  if (EVP_PKEY_public_check_quick(context.get()) != 1) return std::nullopt;
  return TypedKey{curve->type, std::move(key)};
}

// RFC 8037 section 2.
std::optional<TypedKey> okp_key(const Json& entry) {
  const std::optional<std::string> curve = json_string(entry, "crv");
  const std::optional<std::string> x = bytes_member(entry, "x");
  if (!curve || !x) return std::nullopt;
  if (*curve != "Ed25519" && *curve != "Ed448") return std::nullopt;
  // Fails on a wrong length.
  KeyPointer key(EVP_PKEY_new_raw_public_key_ex(nullptr, curve->c_str(), nullptr,
                                                openssl::bytes_of(*x), x->size()),
                 EVP_PKEY_free);
  if (key == nullptr) return std::nullopt;
  return TypedKey{*curve == "Ed25519" ? KeyType::ed25519 : KeyType::ed448, std::move(key)};
}

std::optional<TypedKey> public_key(const Json& entry) {
  const openssl::ErrorScope errors;
  const std::optional<std::string> type = json_string(entry, "kty");
  if (type == "RSA") return rsa_key(entry);
  if (type == "EC") return ec_key(entry);
  if (type == "OKP") return okp_key(entry);
  return std::nullopt;
}

// RFC 7517 sections 4.2 and 4.3.
bool is_for_signatures(const Json& entry) {
  if (entry.contains("use") && json_string(entry, "use") != "sig") return false;
  if (!entry.contains("key_ops")) return true;
  const auto operations = json_strings(entry, "key_ops");
  return operations && std::ranges::find(*operations, "verify") != operations->end();
}

// What a reader needs: the chain of certificates would be most of it.
std::string public_members(const Json& entry) {
  constexpr std::string_view kMembers[] = {"kty", "kid", "use", "alg", "n", "e", "crv", "x", "y"};
  Json members = Json::object();
  for (const std::string_view name : kMembers) {
    const auto member = entry.find(name);
    if (member != entry.end() && member->is_string()) members[std::string(name)] = *member;
  }
  return members.dump(-1, ' ', true);
}

}  // namespace

std::optional<Jwk> parse_jwk(const Json& entry) {
  if (!entry.is_object() || !is_for_signatures(entry)) return std::nullopt;
  // Whoever publishes a private key has no signatures to trust.
  if (entry.contains("d")) return std::nullopt;
  Jwk jwk{};
  if (entry.contains("kid")) {
    std::optional<std::string> kid = json_string(entry, "kid");
    if (!kid) return std::nullopt;
    jwk.kid = std::move(*kid);
  }
  if (entry.contains("alg")) {
    const std::optional<std::string> name = json_string(entry, "alg");
    if (!name) return std::nullopt;
    jwk.alg = parse_alg(*name);
    if (!jwk.alg) return std::nullopt;  // an encryption algorithm, or one of tomorrow's
  }
  std::optional<TypedKey> key = public_key(entry);
  if (!key) return std::nullopt;
  jwk.type = key->type;
  jwk.key = std::move(key->key);
  if (jwk.alg && !jwk.fits(*jwk.alg)) return std::nullopt;
  jwk.json = public_members(entry);
  return jwk;
}

bool Jwk::fits(Alg alg_wanted) const noexcept {
  const auto is_edwards = [](Alg name) { return name == Alg::EdDSA || name == Alg::Ed25519; };
  // EdDSA and Ed25519 are two names of one algorithm on this curve; on Ed448 only the first fits.
  if (alg && *alg != alg_wanted && !(is_edwards(*alg) && is_edwards(alg_wanted))) return false;
  switch (alg_wanted) {
    case Alg::RS256:
    case Alg::RS384:
    case Alg::RS512:
    case Alg::PS256:
    case Alg::PS384:
    case Alg::PS512:
      return type == KeyType::rsa;
    case Alg::ES256:
      return type == KeyType::ec_p256;
    case Alg::ES384:
      return type == KeyType::ec_p384;
    case Alg::ES512:
      return type == KeyType::ec_p521;
    case Alg::EdDSA:
      return type == KeyType::ed25519 || type == KeyType::ed448;
    case Alg::Ed25519:
      return type == KeyType::ed25519;
    case Alg::HS256:
    case Alg::HS384:
    case Alg::HS512:
      return false;
  }
  return false;
}

}  // namespace oidc
