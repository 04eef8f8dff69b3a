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
        metadata(document_name("discovery", settings), settings.cache_ttl, settings.resurrect,
                 Milliseconds(settings.timeout_ms), http, shared, loop, log,
                 [this](std::string_view text) { return parse_discovery(text, settings); }),
        keys(document_name("jwks", settings), settings.cache_ttl, settings.resurrect,
             Milliseconds(settings.timeout_ms), http, shared, loop, log,
             [](std::string_view text) { return KeySet::parse(text); }),
        callback_throttle(document_name("rediscovery:callback", settings)),
        logout_throttle(document_name("rediscovery:logout", settings)),
        access_throttle(document_name("rediscovery:access", settings)) {
    for (const std::string& url : settings.extra_jwks_uris) {
      further.push_back(std::make_unique<SharedDocument<KeySet>>(
          document_name("jwks of " + url, settings), settings.cache_ttl, settings.resurrect,
          Milliseconds(settings.timeout_ms), http, shared, loop, log,
          [](std::string_view text) { return KeySet::parse(text); }));
    }
  }

  [[nodiscard]] const std::string& throttle_of(KeyBudget budget) const {
    switch (budget) {
      case KeyBudget::logout_token:
        return logout_throttle;
      case KeyBudget::access_token:
        return access_throttle;
      case KeyBudget::callback:
        break;
    }
    return callback_throttle;
  }

  const ProviderSettings& settings;
  SharedDocument<ProviderMetadata> metadata;
  SharedDocument<KeySet> keys;
  std::vector<std::unique_ptr<SharedDocument<KeySet>>> further;  // of extra_jwks_uris
  const std::string callback_throttle, logout_throttle, access_throttle;
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

Task<Result<NewerKeys>> Provider::newer_keys(std::shared_ptr<const KeySet> seen,
                                             KeyBudget budget) {
  auto metadata = co_await this->metadata();
  if (!metadata) co_return std::move(metadata).error();
  const Milliseconds throttle(documents_->settings.rediscovery_lifetime * 1000);
  const std::string& name = documents_->throttle_of(budget);
  auto newer = co_await documents_->keys.newer((*metadata)->jwks_uri, seen, name, throttle);
  if (!newer) co_return std::move(newer).error();
  co_return NewerKeys{std::move(newer->document), newer->asked};
}

Task<Result<KeySets>> Provider::access_token_keys() {
  const std::vector<std::string>& urls = documents_->settings.extra_jwks_uris;
  KeySets sets;
  auto own = co_await keys();
  sets.push_back(own ? *own : nullptr);
  bool any = own.ok();
  for (std::size_t i = 0; i < urls.size(); ++i) {
    auto further = co_await documents_->further[i]->get(urls[i]);
    sets.push_back(further ? *further : nullptr);
    any = any || further.ok();
  }
  if (!any) co_return std::move(own).error();
  co_return std::move(sets);
}

Task<Result<KeySets>> Provider::newer_access_token_keys(KeySets seen) {
  const std::vector<std::string>& urls = documents_->settings.extra_jwks_uris;
  const Milliseconds throttle(documents_->settings.rediscovery_lifetime * 1000);
  KeySets sets;
  auto own = co_await newer_keys(seen[0], KeyBudget::access_token);
  sets.push_back(own ? own->keys : nullptr);
  for (std::size_t i = 0; i < urls.size(); ++i) {
    const std::string name = documents_->throttle_of(KeyBudget::access_token) + urls[i];
    auto further = co_await documents_->further[i]->newer(urls[i], seen[i + 1], name, throttle);
    sets.push_back(further ? further->document : nullptr);
  }
  co_return std::move(sets);
}

std::optional<std::uint64_t> Provider::keys_version() const {
  std::optional<std::uint64_t> sum = documents_->keys.version();
  for (const auto& further : documents_->further) {
    const std::optional<std::uint64_t> version = further->version();
    if (!sum || !version) return std::nullopt;
    *sum += *version;
  }
  return sum;
}

std::optional<std::uint64_t> Provider::keys_version(const KeySets& sets) const {
  if (sets[0] != documents_->keys.current()) return std::nullopt;
  for (std::size_t i = 0; i < documents_->further.size(); ++i) {
    if (sets[i + 1] != documents_->further[i]->current()) return std::nullopt;
  }
  return keys_version();
}

}  // namespace oidc
