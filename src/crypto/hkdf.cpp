#include <algorithm>
#include <cstring>

#include "openssl.h"

namespace oidc {

Secret hkdf_extract(std::string_view salt, std::string_view key_material) {
  Sha256 prk = HmacKey(salt).sign(key_material);
  Secret out(as_view(prk));
  OPENSSL_cleanse(prk.data(), prk.size());
  return out;
}

Secret hkdf_expand(std::string_view prk, std::string_view info, std::size_t size) {
  openssl::require(size <= 255 * sizeof(Sha256), "HKDF: too many bytes");
  const HmacKey key(prk);
  Secret out = Secret::of_size(size);
  Sha256 block;
  for (std::size_t done = 0; done < size; done += block.size()) {
    const char counter = static_cast<char>(done / block.size() + 1);
    const std::string_view pieces[] = {
        done == 0 ? std::string_view() : as_view(block), info, {&counter, 1}};
    block = key.sign(pieces);
    std::memcpy(out.data() + done, block.data(), std::min(block.size(), size - done));
  }
  OPENSSL_cleanse(block.data(), block.size());
  return out;
}

void append_field(std::string& out, std::string_view field) {
  openssl::require(field.size() <= UINT32_MAX, "field too long");
  const auto size = static_cast<std::uint32_t>(field.size());
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>(size >> shift & 0xff));
  out += field;
}

}  // namespace oidc
