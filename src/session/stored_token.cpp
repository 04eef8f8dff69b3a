#include "oidc/stored_token.h"

#include "oidc/base64url.h"
#include "oidc/fields.h"

namespace oidc {
namespace {

// The first byte of a kept form.
constexpr std::uint8_t kPlain = 0;
constexpr std::uint8_t kJwt = 1;

struct Parts {
  std::string_view header, payload, signature;
};

// Of a compact JWS; the parts of a JWE are five.
std::optional<Parts> split(std::string_view token) noexcept {
  const std::size_t first = token.find('.');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  if (token.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
               token.substr(second + 1)};
}

Parts read_parts(FieldReader& in) noexcept {
  Parts parts;
  parts.header = in.text();
  parts.payload = in.text();
  parts.signature = in.text();
  return parts;
}

}  // namespace

std::optional<StoredToken> StoredToken::from_kept(std::string_view bytes) noexcept {
  StoredToken token(bytes);
  token.is_kept_ = true;
  if (bytes.empty()) return token;
  FieldReader in(bytes);
  const std::uint8_t form = in.u8();
  if (form == kPlain) return token;
  if (form != kJwt) return std::nullopt;
  read_parts(in);
  if (!in.complete()) return std::nullopt;
  return token;
}

std::string StoredToken::kept() const {
  if (is_kept_ || bytes_.empty()) return std::string(bytes_);
  FieldWriter out;
  if (const std::optional<Parts> parts = split(bytes_)) {
    // Strict: what decodes is what encoding gives back.
    const Result<std::string> header = base64url_decode(parts->header);
    const Result<std::string> payload = base64url_decode(parts->payload);
    const Result<std::string> signature = base64url_decode(parts->signature);
    if (header && payload && signature) {
      return out.u8(kJwt).text(*header).text(*payload).text(*signature).take();
    }
  }
  return out.u8(kPlain).take().append(bytes_);
}

std::string StoredToken::text() const {
  if (!is_kept_ || bytes_.empty()) return std::string(bytes_);
  FieldReader in(bytes_);
  if (in.u8() == kPlain) return std::string(bytes_.substr(1));
  const Parts parts = read_parts(in);
  std::string token = base64url_encode(parts.header);
  token.append(".").append(base64url_encode(parts.payload));
  return token.append(".").append(base64url_encode(parts.signature));
}

std::optional<std::string> StoredToken::payload() const {
  FieldReader in(bytes_);
  if (is_kept_ && in.u8() == kJwt) return std::string(read_parts(in).payload);
  const std::optional<Parts> parts = split(is_kept_ ? bytes_.substr(!bytes_.empty()) : bytes_);
  if (!parts) return std::nullopt;
  Result<std::string> payload = base64url_decode(parts->payload);
  if (!payload) return std::nullopt;
  return std::move(*payload);
}

}  // namespace oidc
