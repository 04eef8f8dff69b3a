// The answers that flows give: redirects, refusals, small pages.
#pragma once

#include <string>
#include <string_view>

#include "oidc/flow.h"

namespace oidc {

// A refusal with the reason's status: a page where one is accepted, JSON for everything else, with the
// words that the configuration has for it; or the redirect that it has in place of it. Nothing of the
// error's detail.
[[nodiscard]] Outcome deny(Services& services, const RequestFacts& facts, Error error);
// The same page with a link to `retry` (an absolute URL of our own).
[[nodiscard]] Outcome deny_with_retry(Services& services, const RequestFacts& facts, Error error,
                                      std::string_view retry);
// A refusal of an access token, or of a request for what the token is (RFC 6750 section 3.1): the
// client's fault where the reason is the token's, whatever status it would have elsewhere. `scope`:
// what would be enough.
[[nodiscard]] Outcome refuse_token(Services& services, const RequestFacts& facts, Error error,
                                   std::string_view scope = {});
// A refusal of credentials that are exchanged for tokens. `basic`: the challenge is for them.
[[nodiscard]] Outcome refuse_grant(Services& services, const RequestFacts& facts, Error error,
                                   bool basic);
// The challenge of a refusal offers Basic as well (RFC 7617), for clients that wait to be asked.
void offer_basic(const Settings& settings, const RequestFacts& facts, Outcome& outcome);
// 302, or 303 after a POST; never stored by a cache.
[[nodiscard]] Outcome redirect(Services& services, const RequestFacts& facts,
                               std::string location);
[[nodiscard]] Outcome pass(Services& services, std::shared_ptr<const OpenSession> session);
// 200 with a page of our own under a strict Content-Security-Policy; `script_nonce` may be empty.
[[nodiscard]] Outcome page(Services& services, std::string html, std::string_view script_nonce);
// The end of a logout that leads nowhere else.
[[nodiscard]] Outcome logged_out_page(Services& services);

// The absolute URL of a target on our own origin, byte for byte: a target can never name a host.
[[nodiscard]] std::string absolute(const Services& services, const RequestFacts& facts,
                                   std::string_view target);

// A configured redirect target after evaluation: a path becomes our own origin's URL, anything else
// must be a well-formed URL. Empty where it is neither, which is logged.
[[nodiscard]] std::string evaluated_target(Services& services, const RequestFacts& facts,
                                           const Value& value);

}  // namespace oidc
