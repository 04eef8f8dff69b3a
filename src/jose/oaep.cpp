#include "oaep.h"

#include <openssl/rsa.h>

namespace oidc {
namespace {

openssl::KeyContext context_of(EVP_PKEY* key, int (*begin)(EVP_PKEY_CTX*), OaepHash hash) {
  openssl::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  const char* const name = hash == OaepHash::sha1 ? "SHA1" : "SHA256";
  openssl::require(
      context != nullptr && begin(context.get()) == 1 &&
          EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
          EVP_PKEY_CTX_set_rsa_oaep_md_name(context.get(), name, nullptr) == 1 &&
          EVP_PKEY_CTX_set_rsa_mgf1_md_name(context.get(), name, nullptr) == 1,
      "RSA-OAEP");
  return context;
}

}  // namespace

std::string oaep_encrypt(EVP_PKEY* key, OaepHash hash, std::string_view text) {
  const openssl::KeyContext context = context_of(key, EVP_PKEY_encrypt_init, hash);
  std::string sealed(static_cast<std::size_t>(EVP_PKEY_get_size(key)), '\0');
  std::size_t size = sealed.size();
  openssl::require(
      EVP_PKEY_encrypt(context.get(), reinterpret_cast<unsigned char*>(sealed.data()), &size,
                       openssl::bytes_of(text), text.size()) == 1,
      "RSA-OAEP");
  sealed.resize(size);
  return sealed;
}

std::optional<Secret> oaep_decrypt(EVP_PKEY* key, OaepHash hash, std::string_view sealed) {
  const openssl::ErrorScope errors;
  const openssl::KeyContext context = context_of(key, EVP_PKEY_decrypt_init, hash);
  Secret room = Secret::of_size(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t size = room.size();
  if (EVP_PKEY_decrypt(context.get(), room.data(), &size, openssl::bytes_of(sealed),
                       sealed.size()) != 1) {
    return std::nullopt;
  }
  return Secret(room.view().substr(0, size));
}

}  // namespace oidc
