#include <openssl/rand.h>

#include <limits>

#include "openssl.h"

namespace oidc {

void random_bytes(std::span<unsigned char> out) {
  openssl::require(out.size() <= std::numeric_limits<int>::max(), "too many random bytes");
  openssl::require(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1, "RAND_bytes");
}

std::string random_string(std::size_t bytes) {
  std::string out(bytes, '\0');
  random_bytes({reinterpret_cast<unsigned char*>(out.data()), out.size()});
  return out;
}

}  // namespace oidc
