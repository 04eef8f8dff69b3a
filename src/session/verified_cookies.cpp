#include "oidc/verified_cookies.h"

#include <cstring>

#include "oidc/crypto.h"
#include "oidc/siphash.h"

namespace oidc {

VerifiedCookies::VerifiedCookies() {
  const std::string random = random_string(sizeof seed_);
  std::memcpy(seed_.data(), random.data(), sizeof seed_);
}

const SessionCookie* VerifiedCookies::find(std::string_view value, std::string_view name,
                                           std::string_view identity) const noexcept {
  if (places_.empty() || value.empty()) return nullptr;
  const Place& place = places_[place_of(value)];
  const bool same = constant_time_equal(place.value, value) && place.name == name &&
                    place.identity == identity;
  return same ? &place.cookie : nullptr;
}

void VerifiedCookies::keep(std::string_view value, std::string_view name,
                           std::string_view identity, const SessionCookie& cookie) {
  if (places_.empty()) places_.resize(kPlaces);
  Place& place = places_[place_of(value)];
  place.value.clear();  // whatever throws below
  place.name = name;
  place.identity = identity;
  place.cookie = cookie;
  place.value = value;
}

std::size_t VerifiedCookies::place_of(std::string_view value) const noexcept {
  return siphash13(seed_, value) % kPlaces;
}

}  // namespace oidc
