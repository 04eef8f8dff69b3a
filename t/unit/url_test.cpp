#include "oidc/url.h"

#include <gtest/gtest.h>

#include <string>

namespace oidc {
namespace {

using namespace std::string_view_literals;

TEST(Url, Parts) {
  const Result<Url> url = parse_url("HTTPS://Login.Example.com:8443/a/b?x=1&y=/#frag?ment");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "login.example.com");
  EXPECT_EQ(url->port, 8443);
  EXPECT_TRUE(url->port_given);
  EXPECT_EQ(url->path, "/a/b");
  EXPECT_EQ(url->query, "x=1&y=/");
  EXPECT_EQ(url->fragment, "frag?ment");
  EXPECT_TRUE(url->has_query && url->has_fragment);
  EXPECT_EQ(url->origin(), "https://login.example.com:8443");
}

TEST(Url, LittleOfAll) {
  const Result<Url> url = parse_url("http://a");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->path, "");
  EXPECT_EQ(url->port, 80);
  EXPECT_FALSE(url->port_given || url->has_query || url->has_fragment);
  EXPECT_EQ(url->origin(), "http://a");
}

TEST(Url, EmptyQueryAndFragmentAreThere) {
  const Result<Url> url = parse_url("http://a?#");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->has_query && url->has_fragment);
  EXPECT_EQ(url->query + url->fragment, "");
}

TEST(Url, QuestionMarkInFragmentStartsNoQuery) {
  const Result<Url> url = parse_url("http://a/p#f?x=1");
  ASSERT_TRUE(url);
  EXPECT_FALSE(url->has_query);
  EXPECT_EQ(url->fragment, "f?x=1");
}

TEST(Url, SlashAfterQueryIsNoPath) {
  const Result<Url> url = parse_url("http://a?x=/b");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "a");
  EXPECT_EQ(url->path, "");
}

TEST(Url, OriginNamesThePortUnlessItIsTheDefault) {
  EXPECT_EQ(parse_url("https://a:443/")->origin(), "https://a");
  EXPECT_EQ(parse_url("http://a:80/")->origin(), "http://a");
  EXPECT_EQ(parse_url("http://a:443/")->origin(), "http://a:443");
  EXPECT_EQ(parse_url("https://a:80/")->origin(), "https://a:80");
  EXPECT_TRUE(parse_url("https://a:443/")->port_given);
}

TEST(Url, Ipv6) {
  const Result<Url> url = parse_url("https://[2001:DB8:0:0::1]:8443/x");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->host_is_ipv6);
  EXPECT_EQ(url->host, "2001:db8::1");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->origin(), "https://[2001:db8::1]:8443");
  EXPECT_EQ(parse_url("http://[::1]")->origin(), "http://[::1]");
}

TEST(Url, Refused) {
  for (const std::string_view text : {
           ""sv,
           "http"sv,
           "http:"sv,
           "http:/a"sv,
           "http:a"sv,
           "//a/b"sv,
           "/a"sv,
           "ftp://a/"sv,
           "javascript://a/%0aalert(1)"sv,
           "http s://a"sv,
           " http://a"sv,
           "http://a "sv,
           "http://"sv,
           "http:///path"sv,
           "http://?x"sv,
           "http://:80/"sv,
           "http://user@a/"sv,
           "http://user:pw@a/"sv,
           "http://a@b@c/"sv,
           "http://@a/"sv,
           "http://a:0/"sv,
           "http://a:65536/"sv,
           "http://a:99999999999/"sv,
           "http://a:/"sv,
           "http://a:8o/"sv,
           "http://a:-1/"sv,
           "http://a:80:80/"sv,
           "http://a\\b/"sv,
           "http://a/\\b"sv,
           "http://a/b c"sv,
           "http://a/\tb"sv,
           "http://a/\r\nSet-Cookie: x"sv,
           "http://a/\0b"sv,
           "http://a/\x7f"sv,
           "http://a/\xc3\xa4"sv,
           "http://\xc3\xa4/"sv,
           "http://a%2fb/"sv,
           "http://a,b/"sv,
           "http://a;b/"sv,
           "http://a..b/"sv,
           "http://.a/"sv,
           "http://./"sv,
           "http://[::1/"sv,
           "http://::1/"sv,
           "http://[::1]80/"sv,
           "http://[::1]x:80/"sv,
           "http://[]/"sv,
           "http://[1.2.3.4]/"sv,
           "http://[fe80::1%eth0]/"sv,
           "http://[::g]/"sv,
           "http://x[::1]/"sv,
           "http://127.1/"sv,
           "http://2130706433/"sv,
           "http://0x7f000001/"sv,
           "http://0x7f.1/"sv,
           "http://0x/"sv,
           "http://127.0.0.256/"sv,
           "http://127.0.0.01/"sv,
           "http://127.0.0.1./"sv,
           "http://1.2.3.4.5/"sv,
       }) {
    const Result<Url> url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, Errc::malformed) << text;
  }
}

TEST(Url, HostsOfAllKinds) {
  for (const std::string_view host :
       {"localhost"sv, "a-b.c_d.example"sv, "xn--bcher-kva.example"sv, "example.com."sv,
        "192.0.2.1"sv, "1.example"sv, "3com.com"sv, "0x7f.example"sv}) {
    EXPECT_TRUE(parse_url("https://" + std::string(host) + "/")) << host;
  }
  EXPECT_TRUE(parse_url("https://" + std::string(253, 'a')));
  EXPECT_FALSE(parse_url("https://" + std::string(254, 'a')));
}

TEST(Url, Loopback) {
  for (const std::string_view text :
       {"http://localhost/"sv, "http://LOCALHOST:81"sv, "http://127.0.0.1/"sv,
        "http://127.255.1.2"sv, "http://[::1]:8080/"sv, "http://[0:0:0:0:0:0:0:1]/"sv}) {
    EXPECT_TRUE(parse_url(text)->is_loopback()) << text;
  }
  for (const std::string_view text :
       {"http://127.evil.test/"sv, "http://localhost.evil.test/"sv, "http://128.0.0.1/"sv,
        "http://[::2]/"sv, "http://[::]/"sv, "http://[::ffff:127.0.0.1]/"sv, "http://0.0.0.0/"sv}) {
    EXPECT_FALSE(parse_url(text)->is_loopback()) << text;
  }
}

TEST(PercentEncoding, EncodesAllButUnreserved) {
  EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(percent_encode(" +/?&=#%"), "%20%2B%2F%3F%26%3D%23%25");
  EXPECT_EQ(percent_encode("\xc3\xa4\0\xff"sv), "%C3%A4%00%FF");
}

TEST(PercentEncoding, DecodesWhatItEncodes) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  const Result<std::string> decoded = percent_decode(percent_encode(all));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, all);
}

TEST(PercentEncoding, PlusStaysPlusAndBothCasesAreHex) {
  EXPECT_EQ(*percent_decode("a+b%2fc%2F"), "a+b/c/");
}

TEST(PercentEncoding, RefusesBrokenOnes) {
  for (const std::string_view text : {"%"sv, "%1"sv, "a%zz"sv, "%%41"sv, "%4 1"sv, "%-1"sv}) {
    EXPECT_FALSE(percent_decode(text)) << text;
  }
}

TEST(SafeOriginForm, OursAreSafe) {
  for (const std::string_view target : {
           "/"sv,
           "/a/b?c=d&e"sv,
           "/a//b"sv,
           "/?next=//evil.test"sv,
           "/?next=https://evil.test"sv,
           "/%5cevil.test"sv,     // a browser does not decode before it looks for a host
           "/%2f%2fevil.test"sv,  //
           "/.//evil.test"sv,     // normalised, it is a path of ours that starts with "//"
           "/a/..//evil.test"sv,
           "/@evil.test"sv,
           "/:80"sv,
           "/\xc3\xa4"sv,
           "/a%0d%0ab"sv,
       }) {
    EXPECT_TRUE(is_safe_origin_form(target)) << target;
  }
}

TEST(SafeOriginForm, OthersAreNot) {
  for (const std::string_view target : {
           ""sv,
           "a"sv,
           "?a"sv,
           "#a"sv,
           "//evil.test"sv,
           "///evil.test"sv,
           "/\\evil.test"sv,
           "\\/evil.test"sv,
           "\\\\evil.test"sv,
           "/\t/evil.test"sv,
           "/\n/evil.test"sv,
           "/\r/evil.test"sv,
           "\t//evil.test"sv,
           " //evil.test"sv,
           "/a b"sv,
           "/a\\b"sv,
           "/a\0b"sv,
           "/a\x7f"sv,
           "/a\r\nSet-Cookie: x=y"sv,
           "https://evil.test"sv,
           "https:evil.test"sv,
           "javascript:alert(1)"sv,
           "\xe2\x80\xa8//evil.test"sv,
       }) {
    EXPECT_FALSE(is_safe_origin_form(target)) << target;
  }
}

TEST(AppendQuery, WithTheRightSeparator) {
  EXPECT_EQ(append_query("https://a/b", "x=1"), "https://a/b?x=1");
  EXPECT_EQ(append_query("https://a/b?", "x=1"), "https://a/b?x=1");
  EXPECT_EQ(append_query("https://a/b?c=d", "x=1"), "https://a/b?c=d&x=1");
  EXPECT_EQ(append_query("https://a/b?c=d&", "x=1"), "https://a/b?c=d&x=1");
  EXPECT_EQ(append_query("https://a/b#f", "x=1"), "https://a/b?x=1#f");
  EXPECT_EQ(append_query("https://a/b?c#f?g", "x=1"), "https://a/b?c&x=1#f?g");
  EXPECT_EQ(append_query("https://a/b#f", ""), "https://a/b#f");
}

}  // namespace
}  // namespace oidc
