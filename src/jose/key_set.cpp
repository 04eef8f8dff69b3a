#include <algorithm>
#include <array>

#include "jwk.h"
#include "oidc/jose.h"

namespace oidc {
namespace {

constexpr std::size_t kMostCandidates = 4;

}  // namespace

Result<KeySet> KeySet::parse(std::string_view json) {
  const Result<Json> document = parse_json_object(json);
  if (!document) return Error{Errc::jwks_invalid, document.error().detail};
  const auto keys = document->find("keys");
  if (keys == document->end() || !keys->is_array()) {
    return Error{Errc::jwks_invalid, "no array of keys"};
  }
  KeySet set;
  for (const Json& entry : *keys) {
    if (std::optional<Jwk> key = parse_jwk(entry)) set.keys_.push_back(std::move(*key));
  }
  return set;
}

std::vector<const Jwk*> KeySet::candidates(Alg alg, std::string_view kid) const {
  const bool known = !kid.empty() && has_kid(kid);
  std::vector<const Jwk*> out;
  for (const Jwk& key : keys_) {
    if (!key.fits(alg)) continue;
    // Without a kid in the header every key counts; with one that no key has, the nameless ones.
    const bool counts = kid.empty() || (known ? key.kid == kid : key.kid.empty());
    if (!counts) continue;
    out.push_back(&key);
    if (out.size() == kMostCandidates) break;
  }
  return out;
}

bool KeySet::has_kid(std::string_view kid) const {
  return std::ranges::find(keys_, kid, &Jwk::kid) != keys_.end();
}

}  // namespace oidc
