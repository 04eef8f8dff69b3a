// How the client says who it is at the provider's endpoints: RFC 6749 section 2.3, OpenID Connect
// Core section 9 (assertions, RFC 7523), RFC 8705 (mutual TLS).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "oidc/discovery.h"
#include "oidc/form.h"
#include "oidc/io.h"
#include "oidc/settings.h"
#include "oidc/time.h"

namespace oidc {

enum class ClientEndpoint : std::uint8_t { token, revocation, introspection };

// Configured for the endpoint, else for all; else by what there is (a key: private_key_jwt; a
// certificate: what the provider offers of RFC 8705; nothing: a public client); else what the
// provider offers for a secret, client_secret_basic first, which is RFC 6749's default.
[[nodiscard]] ClientAuth choose_client_auth(const ClientSettings& client,
                                            const ProviderSettings& provider,
                                            const ProviderMetadata& metadata,
                                            ClientEndpoint endpoint);

// A POST of the form to the endpoint, or to its alias for mutual TLS, with the client's
// authentication: client_secret_basic form-encodes id and secret first (RFC 6749 section 2.3.1); an
// assertion is a new one for each request. Wipes the form.
[[nodiscard]] HttpRequest client_request(ClientEndpoint endpoint, const ProviderMetadata& metadata,
                                         const Settings& settings, Form form, Seconds now);
// The same for a client that is not the configured one: its id and secret came with the request.
[[nodiscard]] HttpRequest client_request(ClientEndpoint endpoint, const ProviderMetadata& metadata,
                                         const ClientSettings& client,
                                         const ProviderSettings& provider, Form form, Seconds now);

// Whether the token endpoint learns nothing that only the client knows.
[[nodiscard]] bool is_public(const ClientSettings& client) noexcept;

// Whether the method needs the client's secret.
[[nodiscard]] bool needs_secret(ClientAuth auth) noexcept;
[[nodiscard]] bool is_mutual_tls(ClientAuth auth) noexcept;

}  // namespace oidc
