// SharedMemory (include/oidc/io.h) on a zone. Live entries are never forgotten before their time:
// where there is no room, writes are refused.
#pragma once

#include <vector>

#include "io/shm_zone.h"
#include "oidc/io.h"

namespace oidc {

class ShmDictionary final : public SharedMemory {
 public:
  // The zone outlives it.
  explicit ShmDictionary(ShmZone& zone) noexcept : zone_(zone) {}

  [[nodiscard]] std::optional<std::string> get(std::string_view name) override;
  bool put(std::string_view name, std::string_view value, Milliseconds ttl) override;
  bool put_if_absent(std::string_view name, std::string_view value, Milliseconds ttl) override;
  void erase_if_equal(std::string_view name, std::string_view value) override;

  [[nodiscard]] ShmTable::Stats stats();

 private:
  bool write(const ShmTable::Write& write);

  ShmZone& zone_;
  std::vector<char> buffer_ = std::vector<char>(4096);  // of this worker, reused
  std::uint64_t refusal_logged_at_ = 0;
};

// The point in time `ttl` from now, on nginx's clock: monotonic and the same in all workers.
[[nodiscard]] std::uint64_t shm_deadline(Milliseconds ttl) noexcept;

}  // namespace oidc
