#include <gtest/gtest.h>

#include <string>

#include "oidc/form.h"
#include "oidc/logout.h"
#include "oidc/url.h"

namespace oidc {
namespace {

constexpr std::string_view kEndpoint = "https://op.example.com/logout";

Form query_of(const std::string& url) {
  const Result<Url> parsed = parse_url(url);
  EXPECT_TRUE(parsed) << url;
  Result<Form> form = Form::parse(parsed->query);
  EXPECT_TRUE(form) << url;
  return *form;
}

TEST(EndSessionUrl, CarriesClientHintAndReturn) {
  const std::string url =
      end_session_url(kEndpoint, "gateway", "a.b.c", "https://app.example.org/bye?x=1&y=2");
  EXPECT_TRUE(url.starts_with("https://op.example.com/logout?")) << url;
  const Form query = query_of(url);
  EXPECT_EQ(query.get("client_id"), "gateway");
  EXPECT_EQ(query.get("id_token_hint"), "a.b.c");
  EXPECT_EQ(query.get("post_logout_redirect_uri"), "https://app.example.org/bye?x=1&y=2");
}

TEST(EndSessionUrl, LeavesOutWhatIsNotThere) {
  const Form query = query_of(end_session_url(kEndpoint, "gateway", "", ""));
  EXPECT_EQ(query.get("client_id"), "gateway");
  EXPECT_EQ(query.fields().size(), 1U);
}

TEST(EndSessionUrl, KeepsTheEndpointsQuery) {
  const Form query =
      query_of(end_session_url("https://op.example.com/logout?tenant=1", "gateway", "a.b.c", ""));
  EXPECT_EQ(query.get("tenant"), "1");
  EXPECT_EQ(query.get("id_token_hint"), "a.b.c");
}

TEST(EndSessionUrl, DropsTheHintBeyondFourKilobytes) {
  const std::size_t rest = end_session_url(kEndpoint, "gateway", "x", "https://app/bye").size() - 1;
  const std::string fits(4096 - rest, 'x');
  const std::string url = end_session_url(kEndpoint, "gateway", fits, "https://app/bye");
  EXPECT_EQ(url.size(), 4096U);
  EXPECT_EQ(query_of(url).get("id_token_hint"), fits);

  const Form without =
      query_of(end_session_url(kEndpoint, "gateway", fits + "x", "https://app/bye"));
  EXPECT_EQ(without.count("id_token_hint"), 0U);
  EXPECT_EQ(without.get("client_id"), "gateway");
  EXPECT_EQ(without.get("post_logout_redirect_uri"), "https://app/bye");
}

}  // namespace
}  // namespace oidc
