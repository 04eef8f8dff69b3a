// The way of refreshed tokens into the store: wherever their session's record is by now.
#pragma once

#include <memory>
#include <string>

#include "oidc/flow.h"
#include "oidc/refreshes.h"
#include "oidc/token_endpoint.h"
#include "steps.h"

namespace oidc {

// The session as it is with the new tokens, under its sid; a token that did not come stays the old
// one. Not stored yet.
[[nodiscard]] Result<std::shared_ptr<const OpenSession>> with_tokens(Services& services,
                                                                     const OpenSession& redeemed,
                                                                     const TokenResponse& tokens);

// The same with another userinfo.
[[nodiscard]] Result<std::shared_ptr<const OpenSession>> with_userinfo(Services& services,
                                                                       const OpenSession& session,
                                                                       const UserinfoText& userinfo);

struct SavedTokens {
  bool unsaved = false;   // the store did not take them: try again
  std::string detail;     // unsaved: why
  RefreshResult result;   // else
};
// Writes over the version that was redeemed, or that a renewal of the sid made of it, and over
// nothing else: a logout in between wins, and so does another refresh.
[[nodiscard]] Task<SavedTokens> save_tokens(Services& services,
                                            std::shared_ptr<const OpenSession> redeemed,
                                            std::shared_ptr<const OpenSession> fresh);

// The stored session as it is now.
[[nodiscard]] Task<RefreshResult> read_again(Services& services,
                                             std::shared_ptr<const OpenSession> known);

}  // namespace oidc
