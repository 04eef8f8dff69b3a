// The refreshes of one worker: one for all requests that want the same session's tokens renewed.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "oidc/flow.h"

namespace oidc {

struct RefreshResult {
  enum class Kind : std::uint8_t {
    refreshed,  // `session` has the new tokens
    ended,      // the session is over: refused by the provider, or logged out meanwhile
    failed,     // nothing is known; the old tokens stay what they are
  };
  Kind kind = Kind::failed;
  std::shared_ptr<const OpenSession> session;
  Error why;
};

class Refreshes {
 public:
  using Arrival = std::shared_ptr<Promised<RefreshResult>>;

  // The refresh of this session that runs, or whose result still counts; nullptr: none.
  [[nodiscard]] Arrival find(const StoreKey& key) const {
    const auto found = running_.find(key.view());
    return found == running_.end() ? nullptr : found->second;
  }
  Arrival begin(const StoreKey& key) {
    return running_[std::string(key.view())] = std::make_shared<Promised<RefreshResult>>();
  }
  void end(const StoreKey& key) { running_.erase(std::string(key.view())); }

 private:
  std::map<std::string, Arrival, std::less<>> running_;
};

}  // namespace oidc
