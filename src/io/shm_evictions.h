// What had to go from a full zone of sessions, or was refused: counted, and logged once a minute.
#pragma once

#include "io/shm_zone.h"

namespace oidc {

class ShmEvictions {
 public:
  // The zone outlives it.
  explicit ShmEvictions(ShmZone& zone) noexcept : zone_(zone) {}

  void add_sessions(std::uint64_t count);
  // With the sessions that they named.
  void add_sets(std::uint64_t sets, std::uint64_t sessions);
  void add_refused();

 private:
  ShmZone& zone_;
  std::uint64_t sessions_ = 0, sets_ = 0, sessions_of_sets_ = 0, refused_ = 0;  // since the last line
  std::uint64_t sessions_at_ = 0, sets_at_ = 0, refused_at_ = 0;
};

}  // namespace oidc
