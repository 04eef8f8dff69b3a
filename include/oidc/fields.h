// The compact binary layout of what we seal ourselves: integers big endian, texts with their length
// before them. Reading never goes beyond the bytes and reports any mismatch at the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace oidc {

class FieldWriter {
 public:
  FieldWriter& u8(std::uint8_t value);
  FieldWriter& u32(std::uint32_t value);
  FieldWriter& u64(std::uint64_t value);
  FieldWriter& i64(std::int64_t value) { return u64(static_cast<std::uint64_t>(value)); }
  FieldWriter& text(std::string_view value);  // u32 length, bytes
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) noexcept : rest_(bytes) {}
  std::uint8_t u8() noexcept;
  std::uint32_t u32() noexcept;
  std::uint64_t u64() noexcept;
  std::int64_t i64() noexcept { return static_cast<std::int64_t>(u64()); }
  std::string_view text() noexcept;
  std::string_view raw(std::size_t size) noexcept;
  // True when every read was inside the bytes and nothing is left.
  [[nodiscard]] bool complete() const noexcept { return !failed_ && rest_.empty(); }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace oidc
