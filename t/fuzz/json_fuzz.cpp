#include "oidc/json.h"

#include <nlohmann/json.hpp>
#include <string>

#include "oidc/time.h"
#include "require.h"

using oidc::Json;
using oidc::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = oidc::fuzz::text_of(data, size);
  const Json plain = Json::parse(text, nullptr, false);
  const oidc::Result<Json> value = oidc::parse_json(text);
  if (!value) {
    require(
        value.error().code == oidc::Errc::malformed || value.error().code == oidc::Errc::too_large,
        "a refusal has its code");
  } else {
    require(!plain.is_discarded(), "what is accepted is JSON");
    require(*value == plain, "and the same value");
    const oidc::Result<Json> again = oidc::parse_json(value->dump());
    require(again.ok() && *again == *value, "and comes back");
    static_cast<void>(oidc::claim_text(*value));
    static_cast<void>(oidc::json_string(*value, "a"));
    static_cast<void>(oidc::json_strings(*value, "a"));
    static_cast<void>(oidc::numeric_date(*value, "exp"));
  }

  const oidc::Result<oidc::ClaimPath> path = oidc::ClaimPath::parse(text);
  if (path) {
    for (const std::string& name : path->names()) require(!name.empty(), "no name is empty");
    if (value) static_cast<void>(path->find(*value));
  }
  return 0;
}
