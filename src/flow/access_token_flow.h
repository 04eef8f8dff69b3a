// Requests whose credential is an access token.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "oidc/access_token.h"
#include "oidc/flow.h"
#include "oidc/presented_token.h"

namespace oidc {

using TokenSession = std::shared_ptr<const OpenSession>;

// What the request presents; empty token and no fault: nothing.
struct PresentedToken {
  std::string token;
  Errc fault = Errc::none;
  [[nodiscard]] bool present() const noexcept { return fault != Errc::none || !token.empty(); }
};
// `body` is the request's, where one was read for this; a JSON object or a form.
[[nodiscard]] PresentedToken presented_token(const Settings& settings, const RequestFacts& facts,
                                             std::string_view body = {});

// The request is decided by this token alone.
[[nodiscard]] Task<Outcome> access_token_flow(Services& services, Facts facts,
                                              PresentedToken presented);

// The rules of this location. The audience first: a token for somebody else is no credential.
[[nodiscard]] Result<TokenSession> allowed(const Settings& settings, TokenSession session,
                                           Seconds now);

// ---- the ways of judging -----------------------------------------------------------------------

[[nodiscard]] AccessTokenExpectations expectations(const Settings& settings, Seconds now);

struct VerifiedToken {
  AccessTokenFacts facts;
  std::optional<std::uint64_t> keys;  // the version of the key sets that verified it
};
// A JWT by the provider's keys and the further ones.
[[nodiscard]] Task<Result<VerifiedToken>> verify_access_token(Services& services,
                                                              std::string token);
// By the provider's answer; one call for all requests of this worker with the same token.
enum class Asked : std::uint8_t { introspection, userinfo };
[[nodiscard]] Task<Result<TokenSession>> ask_provider(Services& services, std::string token,
                                                      Asked asked);
// The calls themselves: RFC 7662, and OpenID Connect Core 5.3.
[[nodiscard]] Task<Result<TokenSession>> introspect(Services& services, std::string token);
[[nodiscard]] Task<Result<TokenSession>> ask_userinfo(Services& services, std::string token);

[[nodiscard]] Result<TokenSession> make_token_session(Method method, std::string_view token,
                                                      const AccessTokenFacts& facts,
                                                      std::string_view introspection, Seconds now);

}  // namespace oidc
