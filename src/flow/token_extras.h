// What requests to the token endpoint carry besides the protocol's own: oidc_token_post_arg,
// oidc_token_header, and what they copy from the client's request.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "oidc/flow.h"
#include "oidc/form.h"

namespace oidc {

// Evaluated while the request lives: the call may outlive it.
struct TokenExtras {
  std::vector<std::pair<std::string, std::string>> args, headers;
  std::vector<std::string> keep_headers;

  void add_to(Form& form) const {
    for (const auto& [name, value] : args) form.add(name, value);
  }
  void add_to(HttpRequest& request) const {
    request.headers = headers;
    request.keep_headers = keep_headers;
  }
};

// `copies`: with what the client's own request brings.
enum class Copies : bool { no, yes };
[[nodiscard]] TokenExtras token_extras(const Settings& settings, const RequestFacts& facts,
                                       Copies copies);

}  // namespace oidc
