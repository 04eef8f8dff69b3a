#include "oidc/fields.h"

namespace oidc {

FieldWriter& FieldWriter::u8(std::uint8_t value) {
  bytes_.push_back(static_cast<char>(value));
  return *this;
}

FieldWriter& FieldWriter::u32(std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) u8(static_cast<std::uint8_t>(value >> shift));
  return *this;
}

FieldWriter& FieldWriter::u64(std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) u8(static_cast<std::uint8_t>(value >> shift));
  return *this;
}

FieldWriter& FieldWriter::text(std::string_view value) {
  u32(static_cast<std::uint32_t>(value.size()));
  bytes_.append(value);
  return *this;
}

std::string_view FieldReader::raw(std::size_t size) noexcept {
  if (failed_ || rest_.size() < size) {
    failed_ = true;
    return {};
  }
  const std::string_view result = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return result;
}

namespace {

std::uint64_t big_endian(std::string_view bytes) noexcept {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

std::uint8_t FieldReader::u8() noexcept { return static_cast<std::uint8_t>(big_endian(raw(1))); }
std::uint32_t FieldReader::u32() noexcept { return static_cast<std::uint32_t>(big_endian(raw(4))); }
std::uint64_t FieldReader::u64() noexcept { return big_endian(raw(8)); }

std::string_view FieldReader::text() noexcept { return raw(u32()); }

}  // namespace oidc
