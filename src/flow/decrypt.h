#pragma once

#include <string>

#include "oidc/io.h"
#include "oidc/result.h"
#include "oidc/settings.h"

namespace oidc {

// The signed token inside of one that was encrypted to this client; one that is not encrypted as it
// is, unless it must be (jwe_missing).
[[nodiscard]] Result<std::string> signed_part(const Settings& settings, std::string token,
                                              bool must_be_encrypted);

// The same of an endpoint's answer; where encryption is demanded, of one that is a JWT of this type
// alone. Other answers than 200 pass.
[[nodiscard]] Result<HttpResponse> decrypted(const Settings& settings, HttpResponse response,
                                             std::string_view jwt_type, bool must_be_encrypted);

}  // namespace oidc
