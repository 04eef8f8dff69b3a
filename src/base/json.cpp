#include "oidc/json.h"

#include <nlohmann/json.hpp>

#include "json_builder.h"

namespace oidc {
namespace {

const Json* member(const Json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) return Error{Errc::too_large, "JSON: too many bytes"};
  // The library takes a NUL byte for the end of the text and would accept what follows it.
  if (text.find('\0') != std::string_view::npos) return Error{Errc::malformed, "JSON: NUL byte"};
  JsonBuilder builder(limits);
  try {
    if (Json::sax_parse(text.begin(), text.end(), &builder)) return std::move(builder).result();
  } catch (const Json::exception&) {
    return Error{Errc::malformed, "not JSON"};
  }
  return std::move(builder).error();
}

Result<Json> parse_json_object(std::string_view text, const JsonLimits& limits) {
  Result<Json> value = parse_json(text, limits);
  if (value && !value->is_object()) return Error{Errc::malformed, "JSON: not an object"};
  return value;
}

std::optional<std::string> json_string(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->get<std::string>();
}

std::optional<bool> json_bool(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  if (value == nullptr || !value->is_boolean()) return std::nullopt;
  return value->get<bool>();
}

std::optional<std::vector<std::string>> json_strings(const Json& object, std::string_view name) {
  const Json* value = member(object, name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return std::vector<std::string>{value->get<std::string>()};
  if (!value->is_array()) return std::nullopt;
  std::vector<std::string> out;
  out.reserve(value->size());
  for (const Json& element : *value) {
    if (!element.is_string()) return std::nullopt;
    out.push_back(element.get<std::string>());
  }
  return out;
}

}  // namespace oidc
