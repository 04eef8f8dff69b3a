#include "oidc/provider.h"

#include "oidc/crypto.h"
#include "oidc/base64url.h"
#include "shared_document.h"

namespace oidc {
namespace {

// Documents are shared under a hash of what decides their meaning: two configurations that differ
// in an override never read each other's document.
std::string document_name(std::string_view kind, const ProviderSettings& settings) {
  std::string bytes;
  append_field(bytes, settings.issuer);
  append_field(bytes, settings.discovery_url);
  append_field(bytes, settings.jwks_endpoint);
  // And of how it was fetched: what an unverified connection brought is no other's document.
  append_field(bytes, settings.ssl_verify ? "verified" : "unverified");
  append_field(bytes, settings.ssl_trusted_certificate);
  append_field(bytes, settings.ssl_crl);
  append_field(bytes, settings.http_proxy);
  append_field(bytes, settings.https_proxy);
  const Sha256 hash = sha256(bytes);
  return std::string(kind) + ":" + base64url_encode(as_view(hash).substr(0, 16));
}

bool says_what_is_wrong(Errc code) {
  return code == Errc::discovery_invalid || code == Errc::discovery_issuer_mismatch;
}

}  // namespace

class Provider::Documents {
 public:
  Documents(const ProviderSettings& its_settings, HttpClient& http, SharedMemory& shared, Loop& loop,
            EventLog& log)
      : settings(its_settings),
        metadata(document_name("discovery", settings), settings.cache_ttl,
                 Milliseconds(settings.timeout_ms), http, shared, loop, log,
                 [this](std::string_view text) { return parse_discovery(text, settings); }),
        keys(document_name("jwks", settings), settings.cache_ttl,
             Milliseconds(settings.timeout_ms), http, shared, loop, log,
             [](std::string_view text) { return KeySet::parse(text); }),
        callback_throttle(document_name("rediscovery:callback", settings)),
        logout_throttle(document_name("rediscovery:logout", settings)) {}

  const ProviderSettings& settings;
  SharedDocument<ProviderMetadata> metadata;
  SharedDocument<KeySet> keys;
  const std::string callback_throttle, logout_throttle;
};

Provider::Provider(const ProviderSettings& settings, HttpClient& http, SharedMemory& shared,
                   Loop& loop, EventLog& log)
    : documents_(std::make_unique<Documents>(settings, http, shared, loop, log)) {}

Provider::~Provider() = default;

Task<Result<std::shared_ptr<const ProviderMetadata>>> Provider::metadata() {
  const ProviderSettings& settings = documents_->settings;
  if (!settings.discover) co_return std::make_shared<const ProviderMetadata>(pseudo_metadata(settings));
  Result<std::shared_ptr<const ProviderMetadata>> answer =
      co_await documents_->metadata.get(settings.discovery_url);
  if (answer || says_what_is_wrong(answer.error().code)) co_return answer;
  co_return Error{Errc::discovery_unavailable,
                  std::string(info(answer.error().code).code) + ": " + answer.error().detail};
}

Task<Result<std::shared_ptr<const KeySet>>> Provider::keys() {
  auto metadata = co_await this->metadata();
  if (!metadata) co_return std::move(metadata).error();
  co_return co_await documents_->keys.get((*metadata)->jwks_uri);
}

Task<Result<std::shared_ptr<const KeySet>>> Provider::newer_keys(
    std::shared_ptr<const KeySet> seen, KeyBudget budget) {
  auto metadata = co_await this->metadata();
  if (!metadata) co_return std::move(metadata).error();
  const Milliseconds throttle(documents_->settings.rediscovery_lifetime * 1000);
  const bool logout = budget == KeyBudget::logout_token;
  const std::string& name = logout ? documents_->logout_throttle : documents_->callback_throttle;
  co_return co_await documents_->keys.newer((*metadata)->jwks_uri, seen, name, throttle);
}

}  // namespace oidc
