#include "oidc/time.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace oidc {
namespace {

constexpr Seconds kLargest = Seconds{1} << 53;
constexpr Seconds kMax = std::numeric_limits<Seconds>::max();
constexpr Seconds kMin = std::numeric_limits<Seconds>::min();

std::optional<Seconds> date(const char* text) {
  return numeric_date(nlohmann::json::parse(std::string("{\"exp\":") + text + "}"), "exp");
}

TEST(NumericDate, Numbers) {
  EXPECT_EQ(date("0"), 0);
  EXPECT_EQ(date("1700000000"), 1700000000);
  EXPECT_EQ(date("1700000000.9"), 1700000000);
  EXPECT_EQ(date("1.7e9"), 1700000000);
  EXPECT_EQ(date("-0.0"), 0);
}

TEST(NumericDate, Saturates) {
  EXPECT_EQ(date("9007199254740992"), kLargest);
  EXPECT_EQ(date("9007199254740991"), kLargest - 1);
  EXPECT_EQ(date("9223372036854775807"), kLargest);
  EXPECT_EQ(date("18446744073709551615"), kLargest);
  EXPECT_EQ(date("18446744073709551616"), kLargest);
  EXPECT_EQ(date("1e300"), kLargest);
}

TEST(NumericDate, IsNothingElse) {
  for (const char* text : {"-1", "-0.5", "-1e300", "-9223372036854775808", "\"1700000000\"", "null",
                           "true", "[1]", "{}"}) {
    EXPECT_EQ(date(text), std::nullopt) << text;
  }
  EXPECT_EQ(numeric_date(nlohmann::json{{"exp", std::numeric_limits<double>::infinity()}}, "exp"),
            std::nullopt);
  EXPECT_EQ(numeric_date(nlohmann::json{{"exp", std::numeric_limits<double>::quiet_NaN()}}, "exp"),
            std::nullopt);
  EXPECT_EQ(numeric_date(nlohmann::json::object(), "exp"), std::nullopt);
  EXPECT_EQ(numeric_date(nlohmann::json::array({1}), "exp"), std::nullopt);
}

TEST(NumericDate, AbsenceIsToldApart) {
  const nlohmann::json object{{"exp", nullptr}};
  EXPECT_TRUE(has_member(object, "exp"));
  EXPECT_FALSE(has_member(object, "iat"));
  EXPECT_FALSE(has_member(nlohmann::json("exp"), "exp"));
}

TEST(AddSaturated, AtTheEnds) {
  EXPECT_EQ(add_saturated(1, 2), 3);
  EXPECT_EQ(add_saturated(kMax, 1), kMax);
  EXPECT_EQ(add_saturated(kMax, -1), kMax - 1);
  EXPECT_EQ(add_saturated(kMin, -1), kMin);
  EXPECT_EQ(add_saturated(kMin, kMax), -1);
  EXPECT_EQ(add_saturated(kMax, kMax), kMax);
  EXPECT_EQ(add_saturated(kMin, kMin), kMin);
}

}  // namespace
}  // namespace oidc
