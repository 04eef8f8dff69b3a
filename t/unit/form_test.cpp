#include "oidc/form.h"

#include <gtest/gtest.h>

#include <string>

namespace oidc {
namespace {

using namespace std::string_view_literals;

TEST(Form, Parses) {
  const Result<Form> form = Form::parse("code=a%2Bb+c&state=%c3%a4&empty=&bare&=nameless&x=1=2");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->fields().size(), 6U);
  EXPECT_EQ(form->get("code"), "a+b c");
  EXPECT_EQ(form->get("state"), "\xc3\xa4");
  EXPECT_EQ(form->get("empty"), "");
  EXPECT_EQ(form->get("bare"), "");
  EXPECT_EQ(form->get(""), "nameless");
  EXPECT_EQ(form->get("x"), "1=2");
  EXPECT_EQ(form->get("absent"), std::nullopt);
}

TEST(Form, CountsAndGivesTheFirst) {
  const Result<Form> form = Form::parse("state=1&state=2&st%61te=3&State=4");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->count("state"), 3U);
  EXPECT_EQ(form->get("state"), "1");
  EXPECT_EQ(form->count("code"), 0U);
}

TEST(Form, EmptyPiecesArePassedOver) {
  const Result<Form> form = Form::parse("&&a=1&&b=2&");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->fields().size(), 2U);
  EXPECT_TRUE(Form::parse("")->fields().empty());
  EXPECT_TRUE(Form::parse("&")->fields().empty());
}

TEST(Form, SemicolonSeparatesNothing) {
  const Result<Form> form = Form::parse("a=1;state=2");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->get("a"), "1;state=2");
  EXPECT_EQ(form->count("state"), 0U);
}

TEST(Form, RefusesBrokenEncodingAndNul) {
  for (const std::string_view text : {"a=%"sv, "a=%2"sv, "a=%zz"sv, "%=1"sv, "a=%u0041"sv,
                                      "a=%00"sv, "%00=1"sv, "a=\0"sv, "ok=1&a=x%0"sv}) {
    const Result<Form> form = Form::parse(text);
    ASSERT_FALSE(form) << text;
    EXPECT_EQ(form.error().code, Errc::malformed);
  }
}

TEST(Form, RefusesTooManyFields) {
  EXPECT_TRUE(Form::parse("a&b&c", 3));
  const Result<Form> form = Form::parse("a&b&c&d", 3);
  ASSERT_FALSE(form);
  EXPECT_EQ(form.error().code, Errc::too_large);
  EXPECT_TRUE(Form::parse(std::string(1000, '&') + "a", 3));
}

TEST(Form, EncodesInOrder) {
  Form form;
  form.add("grant_type", "authorization_code");
  form.add("redirect_uri", "https://a.test/cb?x=1&y= z");
  form.add("a b", "");
  EXPECT_EQ(form.encode(),
            "grant_type=authorization_code&redirect_uri=https%3A%2F%2Fa.test%2Fcb%3Fx%3D1%26y%3D+z"
            "&a+b=");
  EXPECT_EQ(Form().encode(), "");
}

TEST(Form, WhatItEncodesItParses) {
  std::string all;
  for (int i = 1; i < 256; ++i) all.push_back(static_cast<char>(i));
  Form form;
  form.add(all, all);
  const Result<Form> parsed = Form::parse(form.encode());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->get(all), all);
}

// RFC 6749 appendix B.
TEST(FormEncode, TheRfcsExample) {
  EXPECT_EQ(form_encode(" %&+\xc2\xa3\xe2\x82\xac"), "+%25%26%2B%C2%A3%E2%82%AC");
  EXPECT_EQ(form_encode("AZaz09-._~"), "AZaz09-._~");
}

TEST(Form, WipeLeavesNamesOnly) {
  Form form;
  form.add("client_secret", "canary");
  form.wipe();
  EXPECT_EQ(form.get("client_secret"), "");
}

}  // namespace
}  // namespace oidc
