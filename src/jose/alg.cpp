#include <algorithm>
#include <array>
#include <utility>

#include "oidc/jose.h"

namespace oidc {
namespace {

constexpr std::array<std::pair<Alg, std::string_view>, 14> kNames{{
    {Alg::RS256, "RS256"},
    {Alg::RS384, "RS384"},
    {Alg::RS512, "RS512"},
    {Alg::PS256, "PS256"},
    {Alg::PS384, "PS384"},
    {Alg::PS512, "PS512"},
    {Alg::ES256, "ES256"},
    {Alg::ES384, "ES384"},
    {Alg::ES512, "ES512"},
    {Alg::EdDSA, "EdDSA"},
    {Alg::Ed25519, "Ed25519"},
    {Alg::HS256, "HS256"},
    {Alg::HS384, "HS384"},
    {Alg::HS512, "HS512"},
}};

}  // namespace

std::optional<Alg> parse_alg(std::string_view name) noexcept {
  const auto found =
      std::ranges::find(kNames, name, [](const auto& entry) { return entry.second; });
  if (found == kNames.end()) return std::nullopt;
  return found->first;
}

std::string_view to_string(Alg alg) noexcept {
  const auto found = std::ranges::find(kNames, alg, [](const auto& entry) { return entry.first; });
  return found == kNames.end() ? std::string_view("unknown") : found->second;
}

}  // namespace oidc
