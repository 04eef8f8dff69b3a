// A token as a session's record keeps it: a JWT as its three parts without their base64url, a quarter
// smaller and the same to the last byte when it is put together again; anything else as it is.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

namespace oidc {

// A view into bytes that somebody else keeps: the token as it came, or its kept form.
class StoredToken {
 public:
  StoredToken() noexcept = default;
  // As it came.
  template <std::convertible_to<std::string_view> Text>
  StoredToken(const Text& token) noexcept : bytes_(token) {}
  // nullopt: kept() makes nothing like this.
  [[nodiscard]] static std::optional<StoredToken> from_kept(std::string_view bytes) noexcept;

  [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }  // as it is here
  [[nodiscard]] std::string kept() const;
  [[nodiscard]] std::string text() const;
  // A JWT's claims, decoded and not verified; nullopt for an opaque token.
  [[nodiscard]] std::optional<std::string> payload() const;

  friend bool operator==(const StoredToken& a, const StoredToken& b) {
    return a.text() == b.text();
  }

 private:
  std::string_view bytes_;
  bool is_kept_ = false;
};

}  // namespace oidc
