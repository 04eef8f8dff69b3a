// Urlencoded bodies.
#pragma once

#include "oidc/flow.h"
#include "oidc/form.h"

namespace oidc {

inline constexpr std::size_t kMaxFormBody = 64 * 1024;

// Fails with callback_body_type, callback_body_too_large, malformed or too_large (fields).
[[nodiscard]] Task<Result<Form>> read_form_body(Facts facts, BodyReader& reader);

}  // namespace oidc
