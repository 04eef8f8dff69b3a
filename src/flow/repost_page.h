#pragma once

#include <string_view>

#include "oidc/flow.h"
#include "oidc/form.h"

namespace oidc {

// The marker that the page adds, so that a callback is re-posted at most once.
inline constexpr std::string_view kRepostMarker = "oidc_repost";

// A cross-site POST carries no Lax cookie. This page posts the same fields again, from our own
// origin, where the cookies are visible.
[[nodiscard]] Outcome repost_page(Services& services, const RequestFacts& facts, const Form& form);

}  // namespace oidc
