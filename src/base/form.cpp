#include "oidc/form.h"

#include <algorithm>

#include "hex.h"
#include "oidc/secret.h"

namespace oidc {
namespace {

constexpr bool stays(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

Result<std::string> decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+') {
      c = ' ';
    } else if (c == '%') {
      const std::optional<char> byte = hex_byte(text.substr(i + 1));
      if (!byte) return Error{Errc::malformed, "form: broken percent-encoding"};
      c = *byte;
      i += 2;
    }
    if (c == '\0') return Error{Errc::malformed, "form: NUL byte"};
    out.push_back(c);
  }
  return out;
}

}  // namespace

Result<Form> Form::parse(std::string_view text, std::size_t max_fields) {
  Form form;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view piece = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (piece.empty()) continue;
    if (form.fields_.size() == max_fields) return Error{Errc::too_large, "form: too many fields"};

    const std::size_t equals = std::min(piece.find('='), piece.size());
    Result<std::string> name = decode(piece.substr(0, equals));
    if (!name) return std::move(name).error();
    Result<std::string> value = decode(piece.substr(std::min(equals + 1, piece.size())));
    if (!value) return std::move(value).error();
    form.fields_.push_back({std::move(*name), std::move(*value)});
  }
  return form;
}

std::optional<std::string_view> Form::get(std::string_view name) const {
  const auto found = std::ranges::find(fields_, name, &FormField::name);
  if (found == fields_.end()) return std::nullopt;
  return found->value;
}

std::size_t Form::count(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::count(fields_, name, &FormField::name));
}

void Form::add(std::string_view name, std::string_view value) {
  fields_.push_back({std::string(name), std::string(value)});
}

std::string Form::encode() const {
  std::string out;
  for (const FormField& field : fields_) {
    if (!out.empty()) out.push_back('&');
    out += form_encode(field.name);
    out.push_back('=');
    out += form_encode(field.value);
  }
  return out;
}

void Form::wipe() noexcept {
  for (FormField& field : fields_) cleanse(field.value);
}

std::string form_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == ' ') {
      out.push_back('+');
    } else if (stays(c)) {
      out.push_back(c);
    } else {
      append_percent_encoded(out, c);
    }
  }
  return out;
}

}  // namespace oidc
