#include "io/shm_evictions.h"

#include <utility>

namespace oidc {

namespace {

constexpr std::uint64_t kReportInterval = 60'000;  // ms

bool is_time(std::uint64_t& reported_at) {
  if (reported_at != 0 && ngx_current_msec - reported_at < kReportInterval) return false;
  reported_at = ngx_current_msec;
  return true;
}

}  // namespace

void ShmEvictions::add_sessions(std::uint64_t count) {
  sessions_ += count;
  if (sessions_ == 0 || !is_time(sessions_at_)) return;
  ngx_str_t zone = to_ngx_str(zone_.name());
  ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                "oidc: zone \"%V\" is full: %uL live sessions were evicted by this worker since "
                "the last such line, it should be larger",
                &zone, std::exchange(sessions_, 0));
}

void ShmEvictions::add_sets(std::uint64_t sets, std::uint64_t sessions) {
  sets_ += sets;
  sessions_of_sets_ += sessions;
  if (sets_ == 0 || !is_time(sets_at_)) return;
  ngx_str_t zone = to_ngx_str(zone_.name());
  ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                "oidc: zone \"%V\": the index has used up its half: %uL of its sets were evicted "
                "with %uL live sessions by this worker since the last such line, the zone should be "
                "larger",
                &zone, std::exchange(sets_, 0), std::exchange(sessions_of_sets_, 0));
}

void ShmEvictions::add_refused() {
  ++refused_;
  if (!is_time(refused_at_)) return;
  ngx_str_t zone = to_ngx_str(zone_.name());
  ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                "oidc: zone \"%V\" has no room: %uL entries (logouts, locks) were refused by this "
                "worker since the last such line; %s",
                &zone, std::exchange(refused_, 0), zone_.remedy());
}

}  // namespace oidc
