// Rules on claims: what each of them says of claims of each kind.
#include "oidc/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "conf_lines.h"
#include "oidc/base64url.h"
#include "session_sample.h"

namespace oidc {
namespace {

using namespace test;
using testing::HasSubstr;

std::string jwt(std::string_view claims) {
  std::string token = base64url_encode(R"({"alg":"RS256"})");
  return token.append(".").append(base64url_encode(claims)).append(".c2lnbmF0dXJl");
}

// The rules of a configuration's lines.
std::shared_ptr<const Rules> rules(const std::string& lines) {
  const Built built = build(lines);
  if (built.settings == nullptr) throw std::logic_error(built.error);
  return built.settings->rules;
}

// What the rules say of an access token with these claims; none: it may pass.
Errc say(const std::string& lines, std::string_view claims) {
  const std::string token = jwt(claims);
  SessionRecord record;
  record.access_token = token;
  const Result<void> checked = rules(lines)->check(Claims(record));
  return checked ? Errc::none : checked.error().code;
}

struct Case {
  const char* lines;
  std::vector<const char*> yes, no;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.lines; }

class RulesOn : public testing::TestWithParam<Case> {};

TEST_P(RulesOn, Claims) {
  for (const char* claims : GetParam().yes) {
    EXPECT_EQ(say(GetParam().lines, claims), Errc::none) << GetParam().lines << " <- " << claims;
  }
  for (const char* claims : GetParam().no) {
    EXPECT_NE(say(GetParam().lines, claims), Errc::none) << GetParam().lines << " <- " << claims;
  }
}

const Case kWords[] = {
    // A string of words, an array of them, one word.
    {"oidc_roles_required admin",
     {R"({"roles":"admin"})", R"({"roles":"a admin b"})", R"({"roles":["x","admin"]})",
      R"({"roles":[1,null,{},["no"],"admin"]})"},
     {"{}", R"({"roles":null})", R"({"roles":""})", R"({"roles":[]})", R"({"roles":{}})",
      R"({"roles":"administrator"})", R"({"roles":"admins admin2 xadmin"})", R"({"roles":"Admin"})",
      R"({"roles":["administrator"]})", R"({"roles":["not admin"]})", R"({"roles":["admin "]})",
      R"({"roles":[["admin"]]})", R"({"roles":{"admin":true}})", R"({"roles":[{"admin":1}]})",
      R"({"roles":true})", R"({"roles":"a,admin"})", R"({"roles":"a\tadmin"})",
      R"({"ROLES":"admin"})", R"({"groups":"admin"})", R"({"roles":"\u0430dmin"})",
      R"({"roles":"admin\u0000"})", R"({"roles":["admin\u0000"]})"}},
    // OR of arguments, AND of the words inside one.
    {"oidc_groups_required \"a b\" c",
     {R"({"groups":["a","b"]})", R"({"groups":"b x a"})", R"({"groups":"c"})"},
     {R"({"groups":["a"]})", R"({"groups":"b"})", R"({"groups":["a b"]})", R"({"groups":"x"})"}},
    {"oidc_groups_required \"  a   b \"", {R"({"groups":"b a"})"}, {R"({"groups":"a"})"}},
    // Whole numbers are words, other numbers and booleans are not.
    {"oidc_groups_required 1000",
     {R"({"groups":1000})", R"({"groups":[1000]})", R"({"groups":"1000"})"},
     {R"({"groups":10000})", R"({"groups":1000.0})", R"({"groups":[1000.5]})", R"({"groups":-1000})"}},
    {"oidc_groups_required true", {R"({"groups":"true"})"}, {R"({"groups":true})", R"({"groups":[true]})"}},
    // Letters of all scripts, compared byte by byte.
    {"oidc_roles_required \xc3\xa4rzte", {R"({"roles":["ärzte"]})", R"({"roles":["\u00e4rzte"]})"},
     {R"({"roles":["a\u0308rzte"]})", R"({"roles":["ÄRZTE"]})"}},
    // Paths.
    {"oidc_roles_required admin\noidc_roles_claim realm_access.roles",
     {R"({"realm_access":{"roles":["admin"]}})"},
     {R"({"realm_access.roles":["admin"]})", R"({"roles":["admin"]})", R"({"realm_access":["roles","admin"]})",
      R"({"realm_access":[{"roles":["admin"]}]})", R"({"realm_access":"roles admin"})",
      R"({"realm_access":{"x":{"roles":["admin"]}}})"}},
    {"oidc_roles_required admin\noidc_roles_claim https://a\\.test/roles",
     {R"({"https://a.test/roles":"admin"})"},
     {R"({"https://a":{"test/roles":"admin"}})"}},
    {"oidc_roles_required admin\noidc_roles_claim a\\.b.c\\\\d",
     {R"({"a.b":{"c\\d":"admin"}})"},
     {R"({"a":{"b":{"c\\d":"admin"}}})", R"({"a.b.c\\d":"admin"})"}},
    // All kinds together.
    {"oidc_scopes_required read\noidc_audience_required api",
     {R"({"scope":"openid read","aud":["api","x"]})", R"({"scope":["read"],"aud":"api"})"},
     {R"({"scope":"read"})", R"({"aud":"api"})", R"({"scope":"reader","aud":"api"})",
      R"({"scope":"read","aud":"https://api"})"}},
    {"oidc_audience_required any\noidc_roles_required x", {R"({"roles":"x"})"}, {R"({"aud":"x"})"}},
};
INSTANTIATE_TEST_SUITE_P(Words, RulesOn, testing::ValuesIn(kWords));

const Case kForbidden[] = {
    {"oidc_claims_forbidden act suspended.since",
     {"{}", R"({"actor":1})", R"({"suspended":true})", R"({"x":{"act":1}})"},
     {R"({"act":{}})", R"({"act":false})", R"({"act":null})", R"({"suspended":{"since":0}})"}},
};
INSTANTIATE_TEST_SUITE_P(Forbidden, RulesOn, testing::ValuesIn(kForbidden));

const Case kRequire[] = {
    {"oidc_require a = x", {R"({"a":"x"})", R"({"a":["y","x"]})"},
     {"{}", R"({"a":null})", R"({"a":"xx"})", R"({"a":"x y"})", R"({"a":["x y"]})", R"({"a":{"x":1}})",
      R"({"a":[["x"]]})", R"({"a":"X"})", R"({"a":[]})"}},
    {"oidc_require a = \"\"", {R"({"a":""})"}, {"{}", R"({"a":null})", R"({"a":" "})", R"({"a":[]})"}},
    {"oidc_require a = true", {R"({"a":true})", R"({"a":"true"})", R"({"a":[false,true]})"},
     {R"({"a":false})", R"({"a":1})", R"({"a":"TRUE"})", R"({"a":{}})"}},
    {"oidc_require a = 5", {R"({"a":5})", R"({"a":"5"})", R"({"a":5.0})", R"({"a":[1,5]})"},
     {R"({"a":50})", R"({"a":5.5})", R"({"a":"5.0"})", R"({"a":true})"}},
    {"oidc_require a = 9007199254740993",
     {R"({"a":9007199254740993})"}, {R"({"a":9007199254740992})", R"({"a":9007199254740994})"}},
    {"oidc_require a = 1.5", {R"({"a":1.5})", R"({"a":"1.5"})"}, {R"({"a":1.50001})"}},
    // Nothing passes by being of the wrong kind.
    {"oidc_require a != x", {R"({"a":"y"})", R"({"a":["y","z"]})", R"({"a":[]})", R"({"a":1})", R"({"a":false})"},
     {"{}", R"({"a":null})", R"({"a":"x"})", R"({"a":["y","x"]})", R"({"a":{}})", R"({"a":[["y"]]})",
      R"({"a":[null]})", R"({"a":[{"b":1}]})"}},
    {"oidc_require a in x y 7", {R"({"a":"y"})", R"({"a":7})", R"({"a":["z","x"]})"},
     {"{}", R"({"a":"x y"})", R"({"a":"z"})", R"({"a":[]})", R"({"a":{"x":1}})"}},
    {"oidc_require a contains x y", {R"({"a":["y","z","x"]})", R"({"a":"x z y"})"},
     {"{}", R"({"a":["x"]})", R"({"a":["x y"]})", R"({"a":"xy"})", R"({"a":"x,y"})", R"({"a":{"x":1,"y":1}})",
      R"({"a":[["x","y"]]})"}},
    {"oidc_require a contains admin", {R"({"a":"admin"})", R"({"a":["admin"]})"},
     {R"({"a":"administrator"})", R"({"a":["administrator"]})", R"({"a":"no-admin"})", R"({"a":7})"}},
    {"oidc_require a contains \"Domain Admins\"", {R"({"a":["Domain Admins"]})"},
     {R"({"a":["Domain","Admins"]})", R"({"a":"Domain Admins"})", R"({"a":["No Domain Admins"]})"}},
    {"oidc_require a contains 7 true", {R"({"a":[true,7]})", R"({"a":"7 true"})"}, {R"({"a":7})", R"({"a":true})"}},
    {"oidc_require a matches \"[a-z]+@example\\.com\"",
     {R"({"a":"bob@example.com"})", R"({"a":["x","bob@example.com"]})"},
     {"{}", R"({"a":"bob@example.com.evil"})", R"({"a":"bob@examplescom"})", R"({"a":"a b@example.com"})",
      R"({"a":"bob@example.com\nx"})", R"({"a":{"x":"bob@example.com"}})", R"({"a":[["bob@example.com"]]})"}},
    {"oidc_require a matches \\d+", {R"({"a":"12"})"}, {R"({"a":12})", R"({"a":true})"}},
    {"oidc_require a >= 3", {R"({"a":3})", R"({"a":3.5})", R"({"a":[1,4]})", R"({"a":18446744073709551615})"},
     {"{}", R"({"a":2})", R"({"a":2.99})", R"({"a":"4"})", R"({"a":true})", R"({"a":{}})", R"({"a":[]})",
      R"({"a":-9223372036854775808})", R"({"a":null})"}},
    {"oidc_require a <= 3", {R"({"a":3})", R"({"a":-1})"}, {R"({"a":4})", R"({"a":3.01})", R"({"a":"1"})"}},
    {"oidc_require a > -3", {R"({"a":-2})"}, {R"({"a":-3})", R"({"a":-4})"}},
    {"oidc_require a < 9223372036854775807", {R"({"a":9223372036854775806})"},
     {R"({"a":9223372036854775807})", R"({"a":9223372036854775808})"}},
    {"oidc_require a.b exists", {R"({"a":{"b":0}})", R"({"a":{"b":false}})", R"({"a":{"b":[]}})"},
     {"{}", R"({"a":{"b":null}})", R"({"a":["b"]})", R"({"a":"b"})"}},
    // Several lines: all of them.
    {"oidc_require a = 1\noidc_require b exists\noidc_require a != 2",
     {R"({"a":1,"b":1})"}, {R"({"a":1})", R"({"b":1})", R"({"a":[1,2],"b":1})"}},
};
INSTANTIATE_TEST_SUITE_P(Require, RulesOn, testing::ValuesIn(kRequire));

TEST(Rules, SayWhichRuleAndNeverAValue) {
  const std::string token = jwt(R"({"scope":"secret-scope","roles":"secret-role","act":"secret-actor"})");
  SessionRecord record;
  record.access_token = token;
  const Claims claims(record);
  const auto refusal = [&claims](const std::string& lines) {
    const Result<void> checked = rules(lines)->check(claims);
    return checked ? Error{} : checked.error();
  };
  EXPECT_EQ(refusal("oidc_scopes_required read").code, Errc::scope_insufficient);
  EXPECT_EQ(refusal("oidc_scopes_required read").detail,
            "oidc_scopes_required: scope has none of the alternatives");
  EXPECT_EQ(refusal("oidc_groups_required a").detail, "oidc_groups_required: groups is missing");
  EXPECT_EQ(refusal("oidc_roles_required a").code, Errc::forbidden);
  EXPECT_EQ(refusal("oidc_require roles = a").detail, "oidc_require =: roles does not hold");
  EXPECT_EQ(refusal("oidc_claims_forbidden act").detail, "oidc_claims_forbidden: act is there");
}

TEST(Rules, WhatBearerTokensAskOfThem) {
  EXPECT_EQ(rules(""), nullptr);
  EXPECT_FALSE(rules("oidc_roles_required a")->has_audience());
  EXPECT_TRUE(rules("oidc_audience_required a")->has_audience());
  EXPECT_TRUE(rules("oidc_audience_required any")->has_audience());
  EXPECT_EQ(rules("oidc_audience_required any")->wanted_scope(), "");
  EXPECT_EQ(rules("oidc_scopes_required \"read write\" all")->wanted_scope(), "read write");
}

TEST(Claims, AreLookedUpInTheOrderOfTheDocumentation) {
  const std::string access = jwt(R"({"a":"access","n":null,"o":{}})");
  const std::string id = jwt(R"({"a":"id","b":"id","n":"id","o":{"x":"id"}})");
  SessionRecord record;
  record.access_token = access;
  record.id_token = id;
  record.introspection = R"({"a":"intro","b":"intro","c":"intro","scope":"intro"})";
  record.scope = "answer";
  const Claims claims(record);
  const auto found = [&claims](std::string_view path) {
    const Json* value = claims.find(*ClaimPath::parse(path));
    return value == nullptr ? std::string("-") : claim_text(*value);
  };
  EXPECT_EQ(found("c"), "intro");
  EXPECT_EQ(found("a"), "intro");
  EXPECT_EQ(found("n"), "id");
  EXPECT_EQ(found("o.x"), "id");
  EXPECT_EQ(found("scope"), "intro");
  EXPECT_EQ(found("d"), "-");
  EXPECT_TRUE(claims.contains(*ClaimPath::parse("n")));
  EXPECT_FALSE(claims.unreadable());
  record.introspection = {};
  EXPECT_EQ(claim_text(*Claims(record).find(*ClaimPath::parse("a"))), "access");
  EXPECT_EQ(claim_text(*Claims(record).find(*ClaimPath::parse("b"))), "id");
  EXPECT_EQ(claim_text(*Claims(record).find(*ClaimPath::parse("scope"))), "answer");
}

// The answer says what a token is good for, and not that nobody acts for its subject.
TEST(Claims, OfATokenThatUserinfoJudgedCountWhereTheyAreForbidden) {
  const std::string access = jwt(R"({"act":{"sub":"mallory"},"roles":["admin"]})");
  SessionRecord record;
  record.method = static_cast<std::uint8_t>(Method::userinfo);
  record.access_token = access;
  record.introspection = R"({"sub":"alice"})";
  const Claims claims(record);
  EXPECT_TRUE(claims.contains(*ClaimPath::parse("act")));
  EXPECT_EQ(claims.find(*ClaimPath::parse("act")), nullptr);
  EXPECT_EQ(claims.find(*ClaimPath::parse("roles")), nullptr);
  EXPECT_EQ(claim_text(*claims.find(*ClaimPath::parse("sub"))), "alice");
}

TEST(Claims, OfOpaqueTokensThereAreNone) {
  for (const char* token : {"", "opaque", "a.b", "not.base64!.x", "eyJh.bm90IGpzb24.c2ln", "a.b.c.d.e"}) {
    SessionRecord record;
    record.access_token = token;
    const Claims claims(record);
    EXPECT_EQ(claims.find(*ClaimPath::parse("sub")), nullptr) << token;
    EXPECT_FALSE(claims.unreadable()) << token;
  }
}

// What cannot be read has no claim, and may have each forbidden one.
TEST(Claims, ThatCannotBeReadAreNone) {
  const std::string nested = std::string(40, '[').append(40, ']');
  const std::string many = "[" + [] {
    std::string all = "0";
    for (int i = 0; i < 30'000; ++i) all.append(",0");
    return all;
  }() + "]";
  for (const std::string& body :
       {std::string(R"({"roles":"admin","roles":"x"})"), R"({"roles":"admin","x":)" + nested + "}",
        R"({"roles":"admin","x":)" + many + "}", std::string(R"({"roles":"admin")"),
        std::string("{\"roles\":\"admin\",\"x\":\"\xff\"}")}) {
    EXPECT_EQ(say("oidc_roles_required admin", body), Errc::forbidden) << body.substr(0, 60);
    EXPECT_EQ(say("oidc_claims_forbidden act", body), Errc::forbidden) << body.substr(0, 60);
  }
}

TEST(Claims, OfAHugeArrayAreLookedThrough) {
  std::string body = R"({"groups":["x0")";
  for (int i = 1; i < 15'000; ++i) body.append(",\"x").append(std::to_string(i)).append("\"");
  body.append(R"(]})");
  EXPECT_EQ(say("oidc_groups_required x14999", body), Errc::none);
  EXPECT_EQ(say("oidc_groups_required x15000", body), Errc::forbidden);
}

std::shared_ptr<const OpenSession> session_with(const std::string& access_token) {
  SessionRecord record = sample_record();
  record.access_token = access_token;
  return *OpenSession::make({}, store_key("sid"), "12345678", encode_record(record));
}

TEST(Rules, JudgeASessionOnceEach) {
  const auto session = session_with(jwt(R"({"roles":"editor"})"));
  const auto editors = rules("oidc_roles_required editor");
  const auto admins = rules("oidc_roles_required admin");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(editors->judge(*session), Errc::none);
    EXPECT_EQ(admins->judge(*session), Errc::forbidden);
  }
  // More sets of rules than are kept.
  std::vector<std::shared_ptr<const Rules>> others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(rules(i % 2 == 0 ? "oidc_roles_required editor" : "oidc_scopes_required x"));
    EXPECT_EQ(others.back()->judge(*session), i % 2 == 0 ? Errc::none : Errc::scope_insufficient);
  }
  EXPECT_EQ(admins->judge(*session), Errc::forbidden);
  EXPECT_EQ(editors->judge(*session), Errc::none);
}

TEST(Rules, NewTokensAreJudgedAnew) {
  const auto editors = rules("oidc_roles_required editor");
  EXPECT_EQ(editors->judge(*session_with(jwt(R"({"roles":"editor"})"))), Errc::none);
  EXPECT_EQ(editors->judge(*session_with(jwt(R"({"roles":"reader"})"))), Errc::forbidden);
}

TEST(Rules, SettingsWithoutThemLetEverybodyPass) {
  EXPECT_EQ(judge(*build("").settings, *session_with("opaque")), Errc::none);
  EXPECT_EQ(judge(*build("oidc_audience_required any").settings, *session_with("opaque")), Errc::none);
  EXPECT_EQ(judge(*build("oidc_require sub exists").settings, *session_with("opaque")), Errc::forbidden);
}

}  // namespace
}  // namespace oidc
