// One session's end, wherever it is known.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "oidc/flow.h"
#include "session_index.h"

namespace oidc {

// A session that a cookie of the request names; null: nothing of it is left, or it does not open.
struct NamedSession {
  StoreKey key;
  std::shared_ptr<const OpenSession> session;
  Membership of = {};  // its sets, where the session does not say
};

// Under all its sids, with its place in the index; its tokens are revoked where that is on. Fails with
// store_unavailable. To be run by the worker (in_worker).
[[nodiscard]] Task<Result<void>> end_session(Services& services, NamedSession named);

// oidc_*_destroy_session: ends it, with the remember cookie that came along; the cookies that the
// answer deletes. A store that does not answer ends nothing, and the cookies stay.
[[nodiscard]] Task<std::vector<std::string>> destroy_session(Services& services, Facts facts,
                                                             NamedSession named);
// The same of the session that the request's cookie names.
[[nodiscard]] Task<std::vector<std::string>> destroy_present_session(Services& services,
                                                                     Facts facts);

}  // namespace oidc
