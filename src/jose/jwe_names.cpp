#include <array>
#include <utility>

#include "oidc/jwe.h"

namespace oidc {
namespace {

constexpr std::array<std::pair<JweAlg, std::string_view>, 6> kAlgs{{
    {JweAlg::RSA_OAEP, "RSA-OAEP"},
    {JweAlg::RSA_OAEP_256, "RSA-OAEP-256"},
    {JweAlg::ECDH_ES, "ECDH-ES"},
    {JweAlg::ECDH_ES_A128KW, "ECDH-ES+A128KW"},
    {JweAlg::ECDH_ES_A192KW, "ECDH-ES+A192KW"},
    {JweAlg::ECDH_ES_A256KW, "ECDH-ES+A256KW"},
}};

constexpr std::array<std::pair<JweEnc, std::string_view>, 6> kEncs{{
    {JweEnc::A128GCM, "A128GCM"},
    {JweEnc::A192GCM, "A192GCM"},
    {JweEnc::A256GCM, "A256GCM"},
    {JweEnc::A128CBC_HS256, "A128CBC-HS256"},
    {JweEnc::A192CBC_HS384, "A192CBC-HS384"},
    {JweEnc::A256CBC_HS512, "A256CBC-HS512"},
}};

template <class Table>
auto value_of(const Table& table, std::string_view name) noexcept {
  using Value = typename Table::value_type::first_type;
  for (const auto& [value, its_name] : table) {
    if (its_name == name) return std::optional<Value>(value);
  }
  return std::optional<Value>();
}

template <class Table, class Value>
std::string_view name_of(const Table& table, Value wanted) noexcept {
  for (const auto& [value, name] : table) {
    if (value == wanted) return name;
  }
  return "unknown";
}

}  // namespace

std::optional<JweAlg> parse_jwe_alg(std::string_view name) noexcept { return value_of(kAlgs, name); }
std::optional<JweEnc> parse_jwe_enc(std::string_view name) noexcept { return value_of(kEncs, name); }
std::string_view to_string(JweAlg alg) noexcept { return name_of(kAlgs, alg); }
std::string_view to_string(JweEnc enc) noexcept { return name_of(kEncs, enc); }

}  // namespace oidc
