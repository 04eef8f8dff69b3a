// Bytes that must not linger: move-only, wiped when released, never printed, compared in constant
// time. The one type for client secrets, derived keys, codes, verifiers and token requests.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace oidc {

class Secret {
 public:
  Secret() = default;
  // Copies the bytes; the source stays the caller's to wipe.
  explicit Secret(std::string_view bytes);
  explicit Secret(std::span<const std::byte> bytes);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  // A zeroed secret of `size` bytes, to be filled through data().
  [[nodiscard]] static Secret of_size(std::size_t size);
  [[nodiscard]] Secret clone() const;

  [[nodiscard]] std::string_view view() const noexcept { return {data_, size_}; }
  [[nodiscard]] std::span<const unsigned char> bytes() const noexcept;
  [[nodiscard]] unsigned char* data() noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

  // Constant time in the contents (not in the length).
  [[nodiscard]] bool equals(std::string_view other) const noexcept;

 private:
  void wipe() noexcept;
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

// Wipes the bytes of a string that had to be one for a library's sake.
void cleanse(std::string& text) noexcept;

}  // namespace oidc
