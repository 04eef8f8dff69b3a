#include <nlohmann/json.hpp>

#include "oidc/json.h"

namespace oidc {
namespace {

std::string compact(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string scalar_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? std::string() : compact(value);
}

bool all_scalars(const Json& array) {
  for (const Json& element : array) {
    if (element.is_structured()) return false;
  }
  return true;
}

}  // namespace

Result<ClaimPath> ClaimPath::parse(std::string_view text) {
  ClaimPath path;
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') {
      if (name.empty()) return Error{Errc::malformed, "claim path: empty name"};
      path.names_.push_back(std::exchange(name, {}));
    } else if (text[i] != '\\') {
      name.push_back(text[i]);
    } else if (++i < text.size() && (text[i] == '.' || text[i] == '\\')) {
      name.push_back(text[i]);
    } else {
      return Error{Errc::malformed, "claim path: stray backslash"};
    }
  }
  if (name.empty()) return Error{Errc::malformed, "claim path: empty name"};
  path.names_.push_back(std::move(name));
  return path;
}

const Json* ClaimPath::find(const Json& claims) const {
  const Json* value = &claims;
  for (const std::string& name : names_) {
    if (!value->is_object()) return nullptr;
    const auto found = value->find(name);
    if (found == value->end()) return nullptr;
    value = &*found;
  }
  return value;
}

std::string claim_text(const Json& value) {
  if (!value.is_structured()) return scalar_text(value);
  if (value.is_object() || !all_scalars(value)) return compact(value);
  std::string out;
  bool first = true;
  for (const Json& element : value) {
    if (!std::exchange(first, false)) out.push_back(',');
    for (const char c : scalar_text(element)) {
      if (c == ',' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace oidc
