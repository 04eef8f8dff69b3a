#include <openssl/crypto.h>

#include "oidc/crypto.h"

namespace oidc {

bool constant_time_equal(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace oidc
