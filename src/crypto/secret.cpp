#include "oidc/secret.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "oidc/crypto.h"

namespace oidc {

Secret::Secret(std::string_view bytes) {
  if (bytes.empty()) return;
  data_ = new char[bytes.size()];
  size_ = bytes.size();
  std::ranges::copy(bytes, data_);
}

Secret::Secret(std::span<const std::byte> bytes)
    : Secret(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size())) {}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Secret::~Secret() {
  wipe();
}

Secret Secret::of_size(std::size_t size) {
  Secret secret;
  if (size == 0) return secret;
  secret.data_ = new char[size]();
  secret.size_ = size;
  return secret;
}

Secret Secret::clone() const {
  return Secret(view());
}

std::span<const unsigned char> Secret::bytes() const noexcept {
  return {reinterpret_cast<const unsigned char*>(data_), size_};
}

unsigned char* Secret::data() noexcept {
  return reinterpret_cast<unsigned char*>(data_);
}

bool Secret::equals(std::string_view other) const noexcept {
  return constant_time_equal(view(), other);
}

void Secret::wipe() noexcept {
  OPENSSL_cleanse(data_, size_);
  delete[] data_;
  data_ = nullptr;
  size_ = 0;
}

void cleanse(std::string& text) noexcept {
  // The whole buffer: a shorter value may have taken the place of a longer one.
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

}  // namespace oidc
