// Builds a Json from the parser's events, within limits and without duplicate member names, neither
// of which the library's own builder knows.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "oidc/json.h"

namespace oidc {

class JsonBuilder final : public nlohmann::json_sax<Json> {
 public:
  explicit JsonBuilder(const JsonLimits& limits) : limits_(limits) {}

  bool null() override { return place(nullptr) != nullptr; }
  bool boolean(bool value) override { return place(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return place(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return place(value) != nullptr; }
  bool number_float(number_float_t value, const string_t&) override {
    return place(value) != nullptr;
  }
  bool string(string_t& value) override { return place(std::move(value)) != nullptr; }
  bool binary(binary_t&) override { return fail(Errc::malformed, "JSON: binary"); }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool key(string_t& name) override {
    if (open_.back()->contains(name)) return fail(Errc::malformed, "JSON: duplicate member");
    name_ = std::move(name);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }

  // The library's own message quotes the input, which may be secret.
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return fail(Errc::malformed, "not JSON from byte " + std::to_string(position) + " on");
  }

  [[nodiscard]] Json result() && { return std::move(root_); }
  [[nodiscard]] Error error() && { return std::move(error_); }

 private:
  bool fail(Errc code, std::string detail) {
    error_ = Error{code, std::move(detail)};
    return false;
  }

  // Where the value now is; nullptr when there are too many.
  Json* place(Json value) {
    if (++values_ > limits_.max_values) {
      fail(Errc::too_large, "JSON: too many values");
      return nullptr;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *open_.back();
    if (parent.is_array()) return &parent.emplace_back(std::move(value));
    return &*parent.emplace(std::move(name_), std::move(value)).first;
  }

  bool open(Json container) {
    if (open_.size() == limits_.max_depth) return fail(Errc::too_large, "JSON: too deep");
    Json* placed = place(std::move(container));
    if (placed == nullptr) return false;
    // Stays valid: the parent does not grow before this one is closed.
    open_.push_back(placed);
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  const JsonLimits& limits_;
  Json root_;
  std::vector<Json*> open_;
  std::string name_;
  std::size_t values_ = 0;
  Error error_;
};

}  // namespace oidc
