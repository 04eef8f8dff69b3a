// Which cookies belong to the module, in a request and in an upstream's answer.
#pragma once

#include <string_view>

#include "ngx/conf.h"

namespace oidc::ngx {

// A session's or a pending login's cookie of any protected location of the server, with or without
// the prefix of the scheme.
[[nodiscard]] bool is_own_cookie(const ServerConf& server, std::string_view name) noexcept;

}  // namespace oidc::ngx
