// What oidc_session_request_headers and oidc_session_response_headers tell of a session.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "oidc/flow.h"

namespace oidc {

// The header of a fact, in lower case.
[[nodiscard]] std::string_view header_of(SessionFact fact) noexcept;

using FactHeaders = std::vector<std::pair<std::string_view, std::string>>;
// In the order of `wanted`; nothing for a timeout that is off. Times are seconds that are left,
// never negative. The subject is as the provider wrote it: not fit for a header yet.
[[nodiscard]] FactHeaders session_facts(const OpenSession& session, const Settings& settings,
                                        const std::vector<SessionFact>& wanted, Seconds now);

}  // namespace oidc
