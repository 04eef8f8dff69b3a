#include "oidc/discovery.h"

#include <string>

#include "oidc/url.h"
#include "require.h"

using oidc::fuzz::require;

namespace {

oidc::ProviderSettings provider(std::string issuer) {
  oidc::ProviderSettings settings;
  settings.issuer = std::move(issuer);
  settings.discovery_url = oidc::discovery_url(settings.issuer);
  return settings;
}

void check(std::string_view document, const oidc::ProviderSettings& settings) {
  const auto metadata = oidc::parse_discovery(document, settings);
  if (!metadata) {
    require(metadata.error().code == oidc::Errc::discovery_invalid ||
                metadata.error().code == oidc::Errc::discovery_issuer_mismatch,
            "a refusal has its code");
    return;
  }
  require(metadata->issuer == settings.issuer, "the issuer is the configured one");
  const bool https = settings.issuer.starts_with("https:");
  for (const std::string& endpoint :
       {metadata->authorization_endpoint, metadata->token_endpoint, metadata->jwks_uri,
        metadata->end_session_endpoint, metadata->revocation_endpoint,
        metadata->introspection_endpoint}) {
    if (endpoint.empty()) continue;
    const auto url = oidc::parse_url(endpoint);
    require(url.ok(), "an endpoint is a URL");
    require(!https || url->scheme == "https", "an https issuer has https endpoints");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const oidc::ProviderSettings kHttps = provider("https://op.example.com");
  static const oidc::ProviderSettings kHttp = provider("http://127.0.0.1:8080/realms/demo/");
  const std::string_view document = oidc::fuzz::text_of(data, size);
  check(document, kHttps);
  check(document, kHttp);
  return 0;
}
