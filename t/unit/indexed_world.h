// A browser that logs in, and who asks the index for its session.
#pragma once

#include <gtest/gtest.h>

#include "flow/session_index.h"
#include "scripted_world.h"

namespace oidc::test {

inline const IndexName kAlice{IndexedBy::subject, "alice"};
inline const IndexName kProviderSession{IndexedBy::provider_sid, "provider-session"};

class Index : public testing::Test {
 protected:
  Result<std::size_t> end(const IndexName& name) {
    return world_.loop.run(end_sessions_of(world_.worker.services, name));
  }
  std::vector<IndexedSession> listed(const IndexName& name) {
    return world_.loop.run(sessions_of(world_.worker.services, name)).value();
  }
  [[nodiscard]] bool alive(const Browser& browser) { return world_.session_of(browser) != nullptr; }

  World world_;
  Browser browser_;
};

}  // namespace oidc::test
