// Names of ledger entries that stores treat in their own way.
#pragma once

#include <string_view>

namespace oidc {

// What an id became that another one renewed.
inline constexpr std::string_view kRenewals = "renewed:";

}  // namespace oidc
