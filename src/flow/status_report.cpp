#include "oidc/status_report.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "oidc/html.h"
#include "oidc/json.h"

namespace oidc {
namespace {

struct ZoneFigure {
  const char* name;
  const char* type;
  const char* help;
  std::uint64_t ZoneStatus::*value;
};
constexpr std::array<ZoneFigure, 7> kZoneFigures = {{
    {"size_bytes", "gauge", "Size of the zone.", &ZoneStatus::size},
    {"entries", "gauge", "Entries in the zone.", &ZoneStatus::entries},
    {"blocks", "gauge", "Blocks that entries are made of.", &ZoneStatus::blocks},
    {"blocks_free", "gauge", "Blocks that no entry has.", &ZoneStatus::blocks_free},
    {"evicted_total", "counter", "Live entries that had to go.", &ZoneStatus::evicted},
    {"refused_total", "counter", "Writes that found no room.", &ZoneStatus::refused},
    {"resets_total", "counter", "Times that the zone was found damaged and emptied.",
     &ZoneStatus::resets},
}};

std::string number(std::uint64_t value) { return std::to_string(value); }

// Whole percents are what a person wants to read.
std::string percent(double share) {
  return number(static_cast<std::uint64_t>(share * 100 + 0.5)).append(" %");
}

// ---- JSON ----------------------------------------------------------------------------------------

Json object_of(const StatusReport::Counts& counts) {
  Json object = Json::object();
  for (const auto& [name, count] : counts) object[std::string(name)] = count;
  return object;
}

std::string as_json(const StatusReport& report) {
  Json zones = Json::object();
  for (const ZoneStatus& zone : report.zones) {
    Json& one = zones[zone.name] = Json::object();
    for (const ZoneFigure& figure : kZoneFigures) one[figure.name] = zone.*figure.value;
    one["used"] = zone.used();
  }
  const Json document = {{"zones", zones},
                         {"requests", object_of(report.requests)},
                         {"reasons", object_of(report.reasons)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// ---- Prometheus: text exposition format 0.0.4 ----------------------------------------------------

std::string label(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') escaped.push_back('\\');
    if (c == '\n') {
      escaped.append("\\n");
    } else {
      escaped.push_back(c);
    }
  }
  return escaped;
}

void begin_metric(std::string& text, std::string_view name, std::string_view type,
                  std::string_view help) {
  text.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
  text.append(name).append(" ").append(type).append("\n");
}

void add_sample(std::string& text, std::string_view name, std::string_view label_name,
                std::string_view label_value, std::uint64_t value) {
  text.append(name).append("{").append(label_name).append("=\"").append(label(label_value));
  text.append("\"} ").append(number(value)).append("\n");
}

void add_counts(std::string& text, std::string_view name, std::string_view label_name,
                std::string_view help, const StatusReport::Counts& counts) {
  begin_metric(text, name, "counter", help);
  for (const auto& [value, count] : counts) add_sample(text, name, label_name, value, count);
}

std::string as_prometheus(const StatusReport& report) {
  std::string text;
  add_counts(text, "oidc_requests_total", "outcome", "Requests by what became of them.",
             report.requests);
  add_counts(text, "oidc_reasons_total", "reason", "Requests that have a reason code.",
             report.reasons);
  for (const ZoneFigure& figure : kZoneFigures) {
    std::string name("oidc_zone_");
    name.append(figure.name);
    begin_metric(text, name, figure.type, figure.help);
    for (const ZoneStatus& zone : report.zones) {
      add_sample(text, name, "zone", zone.name, zone.*figure.value);
    }
  }
  return text;
}

// ---- HTML ----------------------------------------------------------------------------------------

void begin_table(std::string& page, std::string_view caption,
                 std::initializer_list<std::string_view> columns) {
  page.append("<table><caption>").append(caption).append("</caption>\n<tr>");
  for (const std::string_view column : columns) {
    page.append("<th scope=\"col\">").append(column).append("</th>");
  }
  page.append("</tr>\n");
}

void add_row(std::string& page, std::string_view name, const std::vector<std::string>& cells) {
  page.append("<tr><th scope=\"row\">").append(html_escape(name)).append("</th>");
  for (const std::string& cell : cells) page.append("<td>").append(cell).append("</td>");
  page.append("</tr>\n");
}

void add_table(std::string& page, std::string_view caption, std::string_view column,
               const StatusReport::Counts& counts) {
  begin_table(page, caption, {column, "requests"});
  for (const auto& [name, count] : counts) add_row(page, name, {number(count)});
  page.append("</table>\n");
}

std::string as_html(const StatusReport& report) {
  std::string page(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<title>OpenID Connect: status</title></head>\n<body><h1>OpenID Connect: status</h1>\n");
  add_table(page, "Requests", "outcome", report.requests);
  add_table(page, "Reason codes", "reason", report.reasons);
  begin_table(page, "Zones",
              {"zone", "bytes", "entries", "used", "evicted", "refused", "resets"});
  for (const ZoneStatus& zone : report.zones) {
    add_row(page, zone.name,
            {number(zone.size), number(zone.entries), percent(zone.used()), number(zone.evicted),
             number(zone.refused), number(zone.resets)});
  }
  return page.append("</table>\n</body></html>\n");
}

}  // namespace

double ZoneStatus::used() const noexcept {
  if (blocks == 0) return 0;
  return static_cast<double>(blocks - std::min(blocks, blocks_free)) / static_cast<double>(blocks);
}

std::optional<StatusFormat> parse_status_format(std::string_view name) noexcept {
  if (name == "html") return StatusFormat::html;
  if (name == "json") return StatusFormat::json;
  if (name == "prometheus") return StatusFormat::prometheus;
  return std::nullopt;
}

std::string render(const StatusReport& report, StatusFormat format) {
  switch (format) {
    case StatusFormat::json:
      return as_json(report);
    case StatusFormat::prometheus:
      return as_prometheus(report);
    case StatusFormat::html:
      break;
  }
  return as_html(report);
}

std::string_view content_type_of(StatusFormat format) noexcept {
  switch (format) {
    case StatusFormat::json:
      return "application/json";
    case StatusFormat::prometheus:
      return "text/plain; version=0.0.4; charset=utf-8";
    case StatusFormat::html:
      break;
  }
  return "text/html; charset=utf-8";
}

}  // namespace oidc
