// What the rules of a location say of an identity that is known.
#pragma once

#include <memory>

#include "oidc/flow.h"

namespace oidc {

// Passes, or 403 with what oidc_forbidden_* say besides. Never a login: the same user would come back
// with the same claims.
[[nodiscard]] Task<Outcome> admit(Services& services, Facts facts,
                                  std::shared_ptr<const OpenSession> session);

}  // namespace oidc
