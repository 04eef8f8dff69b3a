// Values that become addresses of redirects, variables included.
#pragma once

#include <string>
#include <string_view>

#include "oidc/result.h"

namespace oidc {

// The names of the variables in a value ("$host", "${host}").
[[nodiscard]] bool has_variables(std::string_view text) noexcept;

// Fails when the value takes its variables from the client's own words: $arg_, $http_, $cookie_,
// $args, $query_string, $request_uri.
[[nodiscard]] Result<void> refuse_client_variables(std::string_view text);

// scheme://host[:port] of an absolute URL whose origin holds no variable, canonical; else empty.
[[nodiscard]] std::string literal_origin(std::string_view text);

// A path of our own ("/..."), a URL with a literal origin, or one whose origin is
// "$scheme://$host", "https://$host" or "http://$host" with an optional literal port.
[[nodiscard]] Result<void> check_redirect_target(std::string_view text);

// Where the callback is: a path, or an absolute URL whose origin may hold variables. The path may
// hold only characters that mean the same encoded, decoded and normalised.
[[nodiscard]] Result<std::string> callback_path(std::string_view redirect_uri);

}  // namespace oidc
