#include "oidc/status_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "oidc/json.h"

namespace oidc {
namespace {

using testing::HasSubstr;

StatusReport sample() {
  StatusReport report;
  ZoneStatus zone;
  zone.name = "pe\"o\\ple<1>";
  zone.size = 1'048'576;
  zone.entries = 7;
  zone.blocks = 2000;
  zone.blocks_free = 500;
  zone.evicted = 3;
  report.zones = {zone, ZoneStatus{}};
  report.requests = {{"session", 18'446'744'073'709'551'615ULL}, {"denied", 0}};
  report.reasons = {{"state_mismatch", 2}};
  return report;
}

TEST(StatusReport, Json) {
  const Json json = Json::parse(render(sample(), StatusFormat::json));
  const Json& zone = json["zones"]["pe\"o\\ple<1>"];
  EXPECT_EQ(zone["size_bytes"], 1'048'576);
  EXPECT_EQ(zone["entries"], 7);
  EXPECT_EQ(zone["used"], 0.75);
  EXPECT_EQ(zone["evicted_total"], 3);
  EXPECT_EQ(zone["resets_total"], 0);
  EXPECT_EQ(json["requests"]["session"], 18'446'744'073'709'551'615ULL);
  EXPECT_EQ(json["requests"]["denied"], 0);
  EXPECT_EQ(json["reasons"], Json({{"state_mismatch", 2}}));
}

TEST(StatusReport, Prometheus) {
  const std::string text = render(sample(), StatusFormat::prometheus);
  EXPECT_THAT(text, HasSubstr("# TYPE oidc_requests_total counter\n"
                              "oidc_requests_total{outcome=\"session\"} 18446744073709551615\n"));
  EXPECT_THAT(text, HasSubstr("oidc_reasons_total{reason=\"state_mismatch\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("oidc_zone_evicted_total{zone=\"pe\\\"o\\\\ple<1>\"} 3\n"));
  EXPECT_EQ(text.back(), '\n');
}

TEST(StatusReport, Html) {
  const std::string page = render(sample(), StatusFormat::html);
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">pe&quot;o\\ple&lt;1&gt;</th>"));
  EXPECT_THAT(page, HasSubstr("<td>75 %</td><td>3</td>"));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">state_mismatch</th><td>2</td>"));
}

TEST(StatusReport, OfNothing) {
  EXPECT_EQ(Json::parse(render({}, StatusFormat::json))["zones"], Json::object());
  EXPECT_THAT(render({}, StatusFormat::prometheus), HasSubstr("# TYPE oidc_zone_entries gauge\n"));
  EXPECT_EQ(ZoneStatus{}.used(), 0);
}

TEST(StatusReport, FormatsByName) {
  for (const auto& [name, format, type] :
       {std::tuple("html", StatusFormat::html, "text/html; charset=utf-8"),
        std::tuple("json", StatusFormat::json, "application/json"),
        std::tuple("prometheus", StatusFormat::prometheus,
                   "text/plain; version=0.0.4; charset=utf-8")}) {
    EXPECT_EQ(parse_status_format(name), format);
    EXPECT_EQ(content_type_of(format), type);
  }
  EXPECT_EQ(parse_status_format("HTML"), std::nullopt);
  EXPECT_EQ(parse_status_format(""), std::nullopt);
}

}  // namespace
}  // namespace oidc
