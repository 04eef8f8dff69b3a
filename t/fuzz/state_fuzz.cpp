// The state of an authorization request: sealed, with the deflated target inside.
#include <string>

#include "oidc/pending_login.h"
#include "require.h"
#include "sealed.h"

using oidc::fuzz::identity;
using oidc::fuzz::keys;
using oidc::fuzz::require;

namespace {

void check(std::string_view value) {
  const auto state = oidc::open_state(value, keys(), identity());
  require(!oidc::open_state(value, keys(), identity(true)), "a state has one tenant");
  require(!oidc::open_state(value, oidc::fuzz::other_keys(), identity()), "and one secret");
  if (!state) return;
  require(state->target.size() <= 64 * 1024, "a target is no bomb");
  const auto again = oidc::seal_state(*state, keys(), identity());
  if (!again) return;
  const auto opened = oidc::open_state(*again, keys(), identity());
  require(opened && opened->target == state->target && opened->login_id == state->login_id &&
              opened->settings == state->settings && opened->restarts == state->restarts,
          "it comes back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = oidc::fuzz::text_of(data, size);
  check(bytes);
  check(oidc::fuzz::seal_bytes(keys().sealing().state_key(), "state", {}, bytes));
  return 0;
}
