#include <algorithm>

#include "access_token_flow.h"
#include "oidc/provider.h"

namespace oidc {
namespace {

// The best answer of several sets: a right signature, else a wrong one, else no key.
Result<const Jwk*> verify_with(const KeySets& sets, const Jwt& jwt) {
  Result<const Jwk*> worst = Errc::jwt_key_unknown;
  for (const auto& keys : sets) {
    if (!keys) continue;
    Result<const Jwk*> verified = verifying_key(jwt, *keys);
    if (verified) return verified;
    if (verified.error().code != Errc::jwt_key_unknown) worst = std::move(verified);
  }
  return worst;
}

bool may_have_other_keys(Errc reason) {
  return reason == Errc::jwt_key_unknown || reason == Errc::jwt_signature;
}

struct Signer {
  std::optional<std::uint64_t> version;  // of the key sets that hold
  std::string jwk;
};

Task<Result<Signer>> verify_signature_of(Services& services, std::shared_ptr<const Jwt> jwt) {
  auto sets = co_await services.provider.access_token_keys();
  if (!sets) co_return std::move(sets).error();
  Result<const Jwk*> verified = verify_with(*sets, *jwt);
  Signer signer;
  if (verified) {
    signer.version = services.provider.keys_version(*sets);
    signer.jwk = (*verified)->json;
    co_return signer;
  }
  if (!may_have_other_keys(verified.error().code)) co_return std::move(verified).error();
  KeySets seen = *sets;
  auto newer = co_await services.provider.newer_access_token_keys(std::move(seen));
  if (!newer) co_return std::move(verified).error();
  if (*newer != *sets) verified = verify_with(*newer, *jwt);
  if (verified) {
    signer.version = services.provider.keys_version(*newer);
    signer.jwk = (*verified)->json;
    co_return signer;
  }
  const bool incomplete = std::find(newer->begin(), newer->end(), nullptr) != newer->end();
  if (!incomplete || !may_have_other_keys(verified.error().code)) {
    co_return std::move(verified).error();
  }
  // It may be right: nobody can tell for now.
  co_return Error{Errc::keys_unavailable, "one of several key sets"};
}

}  // namespace

Task<Result<VerifiedToken>> verify_access_token(Services& services, std::string token) {
  const Settings& settings = services.settings;
  Result<Jwt> parsed = parse_jwt(token);
  if (!parsed) co_return std::move(parsed).error();
  if (!settings.access_token.algs.has(parsed->alg)) {
    co_return Error{Errc::jwt_alg_not_allowed, std::string(to_string(parsed->alg))};
  }
  // Claims first: a token that will not do anyway costs neither a signature nor a fetch of keys.
  Result<AccessTokenFacts> facts =
      check_access_token(*parsed, expectations(settings, services.loop.now()));
  if (!facts) co_return std::move(facts).error();
  const auto jwt = std::make_shared<const Jwt>(std::move(*parsed));
  Result<Signer> signer = co_await verify_signature_of(services, jwt);
  if (!signer) co_return std::move(signer).error();
  VerifiedToken verified;
  verified.facts = std::move(*facts);
  if (settings.headers.keep_jwk) verified.facts.jwk = std::move(signer->jwk);
  verified.keys = signer->version;
  co_return verified;
}

}  // namespace oidc
