// oidc_auth_methods password and client_credentials make every request a guess: one caller's wrong
// ones are counted by all workers together.
#include <charconv>

#include "grant_flow.h"

namespace oidc {
namespace {

constexpr int kMostFailures = 10;
constexpr Milliseconds kFailuresCount{60'000};

int failures_of(Services& services, const std::string& who) {
  const std::optional<std::string> known = services.used_states.get(who);
  int count = 0;
  if (known) std::from_chars(known->data(), known->data() + known->size(), count);
  return count;
}

}  // namespace

Result<void> check_failures(Services& services, const std::string& who) {
  if (who.empty()) return {};
  // Where nothing can be counted nobody may guess.
  if (!services.used_states.put_if_absent(who, "0", kFailuresCount) &&
      !services.used_states.get(who)) {
    return Error{Errc::credential_throttled, "no room in the zone of used states"};
  }
  if (failures_of(services, who) < kMostFailures) return {};
  return Error{Errc::credential_throttled, "wrong too often within a minute"};
}

void count_failure(Services& services, const std::string& who) {
  if (who.empty()) return;
  const std::string count = std::to_string(failures_of(services, who) + 1);
  services.used_states.put(who, count, kFailuresCount);
}

}  // namespace oidc
