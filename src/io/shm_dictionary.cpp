#include "io/shm_dictionary.h"

#include <algorithm>

namespace oidc {

namespace {

constexpr std::uint64_t kLogInterval = 60'000;  // ms between warnings of one kind by one worker

}  // namespace

std::uint64_t shm_deadline(Milliseconds ttl) noexcept {
  constexpr std::int64_t kLongest = std::int64_t{1} << 53;
  const auto length = std::clamp<std::int64_t>(ttl.count(), 0, kLongest);
  return ngx_current_msec + static_cast<std::uint64_t>(length);
}

std::optional<std::string> ShmDictionary::get(std::string_view name) {
  for (;;) {
    const auto found =
        zone_.locked([&](ShmTable& table) { return table.read(name, ngx_current_msec, buffer_); });
    if (!found) return std::nullopt;
    if (found->size <= buffer_.size()) return std::string(buffer_.data(), found->size);
    buffer_.resize(found->size);  // not under the lock; what is there may be longer by then
  }
}

bool ShmDictionary::put(std::string_view name, std::string_view value, Milliseconds ttl) {
  return write({.key = name, .value = value, .expires_at = shm_deadline(ttl)});
}

bool ShmDictionary::put_if_absent(std::string_view name, std::string_view value, Milliseconds ttl) {
  return write({.key = name,
                .value = value,
                .expires_at = shm_deadline(ttl),
                .when = ShmTable::When::absent});
}

bool ShmDictionary::write(const ShmTable::Write& write) {
  const auto result =
      zone_.locked([&](ShmTable& table) { return table.put(write, ngx_current_msec); });
  const bool refused =
      result.status == ShmTable::Put::full || result.status == ShmTable::Put::too_large;
  if (refused &&
      (refusal_logged_at_ == 0 || ngx_current_msec - refusal_logged_at_ >= kLogInterval)) {
    refusal_logged_at_ = ngx_current_msec;
    ngx_str_t zone_name = to_ngx_str(zone_.name());
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "oidc: zone \"%V\" is full: an entry of %uz bytes was refused; %s", &zone_name,
                  write.key.size() + write.value.size(), zone_.remedy());
  }
  return result.status == ShmTable::Put::stored;
}

void ShmDictionary::erase_if_equal(std::string_view name, std::string_view value) {
  zone_.locked(
      [&](ShmTable& table) { return table.erase_if_equal(name, value, ngx_current_msec); });
}

ShmTable::Stats ShmDictionary::stats() {
  return zone_.locked([](ShmTable& table) { return table.stats(); });
}

}  // namespace oidc
