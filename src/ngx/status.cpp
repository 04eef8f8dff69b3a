#include "ngx/status.h"

#include <array>
#include <cstring>

#include "ngx/request_ctx.h"
#include "ngx/response.h"
#include "oidc/status_report.h"

namespace oidc::ngx {
namespace {

// The values of $oidc_outcome.
constexpr std::array<const char*, 12> kOutcomes = {
    "session", "bearer", "introspection", "userinfo",      "anonymous", "redirect",
    "denied",  "login",  "logout",        "refresh_token", "password",  "client_credentials"};
constexpr std::size_t kReasons = 1U << (8 * sizeof(Errc));  // whatever is added later

void add_zone(std::vector<ZoneStatus>& zones, ShmZone* zone) {
  if (zone == nullptr) return;
  const ShmTable::Stats stats = zone->locked([](const ShmTable& table) { return table.stats(); });
  ZoneStatus& one = zones.emplace_back();
  one.name = zone->name();
  one.size = zone->size();
  one.entries = stats.entries;
  one.blocks = stats.blocks;
  one.blocks_free = stats.blocks_free;
  one.evicted = stats.evicted;
  one.refused = stats.refused;
  one.resets = stats.resets;
}

StatusReport report_of(const MainConf& conf) {
  StatusReport report;
  for (const StoreConf& store : conf.stores) add_zone(report.zones, store.zone);
  add_zone(report.zones, conf.shared_zone);
  add_zone(report.zones, conf.states_zone);
  if (conf.counters == nullptr) return report;
  for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
    report.requests.emplace_back(kOutcomes[i], conf.counters->sum(kReasons + i));
  }
  for (std::size_t i = 1; i < kReasons; ++i) {
    const std::uint64_t count = conf.counters->sum(i);
    if (count > 0) report.reasons.emplace_back(info(static_cast<Errc>(i)).code, count);
  }
  return report;
}

}  // namespace

ShmCounters* declare_counters(ngx_conf_t* cf) noexcept {
  return ShmCounters::declare(cf, "oidc_counters", kReasons + kOutcomes.size());
}

ngx_int_t count_handler(ngx_http_request_t* r) noexcept {
  const RequestCtx* ctx = r == r->main ? RequestCtx::find(r) : nullptr;  // log_subrequest
  if (ctx == nullptr) return NGX_OK;
  ShmCounters* counters = main_conf(r).counters;
  if (ctx->error != Errc::none) counters->add(static_cast<std::size_t>(ctx->error));
  for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
    if (std::strcmp(kOutcomes[i], ctx->outcome_name) != 0) continue;
    counters->add(kReasons + i);
    break;
  }
  return NGX_OK;
}

ngx_int_t status_handler(ngx_http_request_t* r) noexcept {
  return guard<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR, [r]() -> ngx_int_t {
    if (r != r->main) return NGX_HTTP_FORBIDDEN;
    Outcome outcome;
    outcome.kind = Outcome::Kind::answer;
    if ((r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD)) == 0) {
      outcome.status = NGX_HTTP_NOT_ALLOWED;
      outcome.headers.emplace_back("Allow", "GET, HEAD");
    } else {
      const StatusFormat format = location_conf(r).status_format;
      outcome.status = NGX_HTTP_OK;
      outcome.content_type = content_type_of(format);
      outcome.headers.emplace_back("Cache-Control", "no-store");
      outcome.headers.emplace_back("X-Content-Type-Options", "nosniff");
      outcome.body = render(report_of(main_conf(r)), format);
    }
    return send_content(r, RequestCtx::get(r), std::move(outcome));
  });
}

}  // namespace oidc::ngx
