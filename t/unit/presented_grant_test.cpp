// Where passwords, clients' secrets and refresh tokens are found in a request.
#include "oidc/presented_grant.h"

#include <gtest/gtest.h>

#include <string>

#include "oidc/base64url.h"

namespace oidc {
namespace {

std::string basic(std::string_view pair) {
  std::string value("Basic ");
  return value.append(base64_encode(pair));
}

struct Sent {
  std::vector<std::string> authorization;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string query, body, content_type = "application/x-www-form-urlencoded";
};

PresentedGrant find(const CredentialSettings& settings, const Sent& sent) {
  return find_grant(settings, {sent.authorization, sent.headers, sent.query, sent.body,
                               sent.content_type});
}

CredentialSettings all_methods() {
  CredentialSettings settings;
  settings.refresh_token = settings.password = settings.client_credentials = true;
  return settings;
}

CredentialSettings everywhere() {
  CredentialSettings settings = all_methods();
  settings.refresh_token_places = {true, true, true, false};
  settings.password_places = settings.refresh_token_places;
  settings.client_credentials_places = settings.refresh_token_places;
  return settings;
}

TEST(PresentedGrant, BasicIsAPassword) {
  const PresentedGrant found = find(all_methods(), {{basic("alice:a:b c")}, {}, {}, {}});
  ASSERT_TRUE(found.found);
  EXPECT_EQ(found.fault, Errc::none);
  EXPECT_EQ(found.method, Method::password);
  EXPECT_EQ(found.name.view(), "alice");
  EXPECT_EQ(found.secret.view(), "a:b c");
  EXPECT_TRUE(found.basic);
}

TEST(PresentedGrant, BasicIsAClientWherePasswordsAreNone) {
  CredentialSettings settings = all_methods();
  settings.password = false;
  const PresentedGrant found = find(settings, {{basic("id:secret")}, {}, {}, {}});
  EXPECT_EQ(found.method, Method::client_credentials);
  EXPECT_EQ(found.name.view(), "id");
}

TEST(PresentedGrant, NothingWhereNothingIsAccepted) {
  EXPECT_FALSE(find({}, {{basic("alice:x")}, {{"refresh-token", "r"}}, {}, {}}).found);
  CredentialSettings settings = all_methods();
  settings.password_places = settings.client_credentials_places = {false, false, false, false};
  EXPECT_FALSE(find(settings, {{basic("alice:x")}, {}, {}, {}}).found);
  EXPECT_FALSE(find(all_methods(), {{"Bearer abc", "Basically x"}, {}, {}, {}}).found);
}

class BrokenBasic : public testing::TestWithParam<std::string> {};

TEST_P(BrokenBasic, IsMalformed) {
  const PresentedGrant found = find(all_methods(), {{GetParam()}, {}, {}, {}});
  EXPECT_TRUE(found.found);
  EXPECT_TRUE(found.basic);
  EXPECT_EQ(found.fault, Errc::credential_malformed);
}

INSTANTIATE_TEST_SUITE_P(
    All, BrokenBasic,
    testing::Values("Basic", "basic ", "BASIC !", "Basic YQ", "Basic YTpi YTpi",
                    basic(std::string("a\0:b", 4)), basic("a:b\n"), basic("a:\x7f"),
                    basic(std::string(2000, 'a') + ":b"), basic("a:" + std::string(20000, 'b'))));

TEST(PresentedGrant, TwiceIsAConflict) {
  EXPECT_EQ(find(all_methods(), {{basic("a:b"), basic("a:b")}, {}, {}, {}}).fault,
            Errc::credential_conflict);
  EXPECT_EQ(find(all_methods(), {{basic("a:b"), "Bearer x"}, {}, {}, {}}).fault,
            Errc::credential_conflict);
  EXPECT_EQ(find(everywhere(), {{basic("a:b")}, {}, "username=a&password=b", {}}).fault,
            Errc::credential_conflict);
  EXPECT_EQ(find(everywhere(), {{}, {}, "username=a&password=b&password=c", {}}).fault,
            Errc::credential_conflict);
  EXPECT_EQ(find(everywhere(), {{}, {}, "username=a&password=b", "username=a&password=b"}).fault,
            Errc::credential_conflict);
  const Sent two{{}, {{"refresh-token", "a"}, {"x-refresh-token", "b"}}, {}, {}};
  EXPECT_EQ(find(everywhere(), two).fault, Errc::credential_conflict);
}

TEST(PresentedGrant, TheFirstMethodDecides) {
  const Sent all{{basic("alice:x")}, {{"refresh-token", "r"}}, "client_id=c&client_secret=s", {}};
  CredentialSettings settings = everywhere();
  EXPECT_EQ(find(settings, all).method, Method::refresh_token);
  settings.refresh_token = false;
  EXPECT_EQ(find(settings, all).method, Method::password);
  settings.password = false;
  EXPECT_EQ(find(settings, all).fault, Errc::credential_conflict);
  settings.client_credentials_places.header = false;
  EXPECT_EQ(find(settings, all).name.view(), "c");
}

TEST(PresentedGrant, FormsAndJson) {
  const Sent form{{}, {}, {}, "username=al%20ice&password=%26%3D+x"};
  EXPECT_EQ(find(everywhere(), form).name.view(), "al ice");
  EXPECT_EQ(find(everywhere(), form).secret.view(), "&= x");
  Sent json{{}, {}, {}, R"({"username":"alice","password":"p\"q","n":[1]})", "application/json"};
  EXPECT_EQ(find(everywhere(), json).secret.view(), "p\"q");
  json.body = R"({"username":["alice"],"password":{"a":1}})";
  EXPECT_FALSE(find(everywhere(), json).found);
  json.body = "{\"username\":";
  EXPECT_FALSE(find(everywhere(), json).found);
  json.body = R"({"client_id":"a","client_secret":"b)" "\\u0000" R"("})";
  EXPECT_EQ(find(everywhere(), json).fault, Errc::credential_malformed);
}

TEST(PresentedGrant, HalfAPairIsTheApplications) {
  EXPECT_FALSE(find(everywhere(), {{}, {}, "username=alice", "password=x"}).found);
  EXPECT_FALSE(find(everywhere(), {{}, {}, "client_id=alice", {}}).found);
}

TEST(PresentedGrant, NamesOfRefreshTokens) {
  CredentialSettings settings = everywhere();
  EXPECT_TRUE(may_carry_grant(settings, "x-refresh-token"));
  EXPECT_EQ(find(settings, {{}, {}, "refresh_token=r1", {}}).secret.view(), "r1");
  settings.refresh_token_name = "My_Token";
  EXPECT_FALSE(may_carry_grant(settings, "refresh-token"));
  EXPECT_TRUE(may_carry_grant(settings, "my-token"));
  EXPECT_EQ(find(settings, {{}, {{"my-token", "r2"}}, {}, {}}).secret.view(), "r2");
  EXPECT_EQ(find(settings, {{}, {}, "My_Token=r3&refresh_token=r1", {}}).secret.view(), "r3");
  EXPECT_TRUE(is_grant_field(settings, "My_Token"));
  EXPECT_FALSE(is_grant_field(settings, "refresh_token"));
}

}  // namespace
}  // namespace oidc
