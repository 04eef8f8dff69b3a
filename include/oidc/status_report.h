// What an operator sees of a gateway (oidc_status): its zones, and what became of requests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oidc {

enum class StatusFormat : std::uint8_t { html, json, prometheus };

struct ZoneStatus {
  std::string name;
  std::uint64_t size = 0;     // bytes
  std::uint64_t entries = 0;  // expired ones that were not met yet included
  std::uint64_t blocks = 0, blocks_free = 0;
  std::uint64_t evicted = 0;  // live entries that had to go, since the zone was made
  std::uint64_t refused = 0;  // writes that found no room
  std::uint64_t resets = 0;   // found damaged and emptied

  // Of the room for entries, 0 to 1.
  [[nodiscard]] double used() const noexcept;
};

struct StatusReport {
  using Counts = std::vector<std::pair<std::string_view, std::uint64_t>>;

  std::vector<ZoneStatus> zones;
  Counts requests;  // by $oidc_outcome
  Counts reasons;   // by $oidc_error
};

// "html", "json" or "prometheus".
[[nodiscard]] std::optional<StatusFormat> parse_status_format(std::string_view name) noexcept;
[[nodiscard]] std::string render(const StatusReport& report, StatusFormat format);
// The Content-Type of what render() makes.
[[nodiscard]] std::string_view content_type_of(StatusFormat format) noexcept;

}  // namespace oidc
