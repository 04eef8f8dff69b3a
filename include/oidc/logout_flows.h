// What ends sessions from outside: the provider (Back-Channel and Front-Channel Logout 1.0) and the
// administration.
#pragma once

#include "oidc/flow.h"

namespace oidc {

// oidc_backchannel_logout_uri, matched server-wide. The token's own iss and aud decide which of the
// owners it is for.
[[nodiscard]] Task<Outcome> backchannel_logout_flow(Owners owners, Facts facts, BodyReader& body);

// oidc_frontchannel_logout_uri, matched server-wide.
[[nodiscard]] Task<Outcome> frontchannel_logout_flow(Owners owners, Facts facts);

// oidc_session_admin: lists and ends sessions of these settings. Who may ask is the location's.
[[nodiscard]] Task<Outcome> administration_flow(Services& services, Facts facts);

// How long a login or a refresh under these settings may be in flight before its record is written.
// Locations of one identity end each other's: Settings::longest_flight_ms is the longest.
[[nodiscard]] Milliseconds flight_of(const Settings& settings) noexcept;

}  // namespace oidc
