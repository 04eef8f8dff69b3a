#include <array>

#include "openssl.h"

namespace oidc {
namespace openssl {

void fail(const char* what) {
  ERR_clear_error();
  throw CryptoFailure(std::string("OpenSSL: ") + what);
}

const EVP_MD* message_digest(Hash hash) {
  static const std::array<Digest, 3> kDigests{Digest(EVP_MD_fetch(nullptr, "SHA256", nullptr)),
                                              Digest(EVP_MD_fetch(nullptr, "SHA384", nullptr)),
                                              Digest(EVP_MD_fetch(nullptr, "SHA512", nullptr))};
  const EVP_MD* const digest = kDigests[static_cast<std::size_t>(hash)].get();
  require(digest != nullptr, "no SHA-2");
  return digest;
}

}  // namespace openssl

namespace {

// Returns the digest's size; `out` has room for it.
std::size_t digest_into(Hash hash, std::string_view bytes, unsigned char* out) {
  static const openssl::DigestContext kContext(EVP_MD_CTX_new());
  unsigned size = 0;
  openssl::require(
      kContext != nullptr &&
          EVP_DigestInit_ex2(kContext.get(), openssl::message_digest(hash), nullptr) == 1 &&
          EVP_DigestUpdate(kContext.get(), bytes.data(), bytes.size()) == 1 &&
          EVP_DigestFinal_ex(kContext.get(), out, &size) == 1,
      "digest");
  return size;
}

}  // namespace

Sha256 sha256(std::string_view bytes) {
  Sha256 out;
  digest_into(Hash::sha256, bytes, out.data());
  return out;
}

std::string_view as_view(const Sha256& digest) noexcept {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string digest(Hash hash, std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> out;
  const std::size_t size = digest_into(hash, bytes, out.data());
  return {reinterpret_cast<const char*>(out.data()), size};
}

}  // namespace oidc
