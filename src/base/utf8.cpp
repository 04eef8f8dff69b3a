#include "utf8.h"

#include <array>

namespace oidc {
namespace {

struct Form {
  unsigned char mask, begin;  // of the first byte
  std::size_t size;
  char32_t least;  // what is smaller has a shorter form
};
constexpr std::array<Form, 4> kForms = {{{0x80, 0x00, 1, 0},
                                         {0xe0, 0xc0, 2, 0x80},
                                         {0xf0, 0xe0, 3, 0x800},
                                         {0xf8, 0xf0, 4, 0x10000}}};

}  // namespace

std::optional<char32_t> take_character(std::string_view& text) noexcept {
  const auto first = static_cast<unsigned char>(text.front());
  for (const Form& form : kForms) {
    if ((first & form.mask) != form.begin) continue;
    if (text.size() < form.size) return std::nullopt;
    char32_t character = first & static_cast<unsigned char>(~form.mask);
    for (std::size_t i = 1; i < form.size; ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if ((byte & 0xc0) != 0x80) return std::nullopt;
      character = character << 6 | (byte & 0x3fU);
    }
    const bool surrogate = character >= 0xd800 && character <= 0xdfff;
    if (character < form.least || character > 0x10ffff || surrogate) return std::nullopt;
    text.remove_prefix(form.size);
    return character;
  }
  return std::nullopt;
}

}  // namespace oidc
