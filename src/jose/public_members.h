#pragma once

#include <openssl/evp.h>

#include "oidc/json.h"

namespace oidc {

// The members that RFC 7638 names, and no others; null: a kind of key without an algorithm here.
[[nodiscard]] Json public_members(const EVP_PKEY* key);

}  // namespace oidc
