// Whom the provider is asked about: one call for all requests of this worker with the same token.
#include "access_token_flow.h"
#include "oidc/token_cache.h"

namespace oidc {
namespace {

Task<Result<TokenSession>> ask(Services& services, std::string token, Asked asked) {
  if (asked == Asked::userinfo) co_return co_await ask_userinfo(services, token);
  co_return co_await introspect(services, token);
}

// Belongs to the worker: it ends whoever asked first.
Task<void> ask_for_all(Services& services, std::string token, Asked asked,
                       TokenCache::Arrival arrival) {
  std::shared_ptr<TokenCache::Answer> answer;
  try {
    answer = std::make_shared<TokenCache::Answer>(Error{Errc::internal, "asking about a token"});
    *answer = co_await ask(services, token, asked);
  } catch (const std::exception&) {
    // Who waits is told.
  }
  services.tokens->end(services.settings, token);
  arrival->set(std::move(answer));
}

void begin_for_all(Services& services, const std::string& token, Asked asked,
                   const TokenCache::Arrival& arrival) {
  try {
    services.loop.spawn(ask_for_all(services, token, asked, arrival));
  } catch (...) {
    services.tokens->end(services.settings, token);
    throw;
  }
}

}  // namespace

Task<Result<TokenSession>> ask_provider(Services& services, std::string token, Asked asked) {
  if (services.tokens == nullptr) co_return co_await ask(services, token, asked);
  const Settings& settings = services.settings;
  TokenCache::Arrival arrival = services.tokens->under_way(settings, token);
  if (!arrival) {
    arrival = services.tokens->begin(settings, token);
    if (arrival == nullptr) {
      co_return Error{Errc::provider_overloaded, "too many calls about tokens are under way"};
    }
    begin_for_all(services, token, asked, arrival);
  }
  // Discovery and the call itself, each with its own end.
  const Milliseconds patience(2 * settings.provider.timeout_ms + 2000);
  const auto answer = co_await wait_for(services.loop, arrival, patience);
  if (!answer) co_return Error{Errc::provider_timeout, "asking about a token"};
  if (!*answer) co_return Error{Errc::internal, "asking about a token"};
  co_return **answer;
}

}  // namespace oidc
