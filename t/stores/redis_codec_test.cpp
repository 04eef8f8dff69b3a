#include "io/redis_codec.h"

#include <gtest/gtest.h>

namespace oidc {
namespace {

using Kind = RedisReply::Kind;
using namespace std::string_literals;

TEST(RedisCommand, IsCountedNotQuoted) {
  EXPECT_EQ(redis_command({"SET", "k", "a b\r\n\0c"s, ""}),
            "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$7\r\na b\r\n\0c\r\n$0\r\n\r\n"s);
}

TEST(RedisAsking, GoesBeforeEachCommand) {
  const std::string get = redis_command({"GET", "a\r\n*1\r\n"}), ttl = redis_command({"PTTL", ""});
  const std::string asking = redis_command({"ASKING"});
  EXPECT_EQ(redis_asking(get), asking + get);
  EXPECT_EQ(redis_asking(get + ttl), asking + get + asking + ttl);
}

TEST(RedisParser, TakesBytesInAnyPieces) {
  const std::string bytes =
      "+OK\r\n-ERR "
      "no\r\n:-42\r\n$5\r\na\0\r\nb\r\n$-1\r\n*3\r\n$1\r\nx\r\n*2\r\n:1\r\n$-1\r\n+s\r\n"
      "*-1\r\n*0\r\n"s;
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    RedisParser parser;
    std::vector<RedisReply> replies;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      ASSERT_TRUE(parser.feed(std::string_view(bytes).substr(at, piece)));
      while (auto reply = parser.next()) replies.push_back(std::move(*reply));
      ASSERT_FALSE(parser.broken());
    }
    ASSERT_EQ(replies.size(), 8U);
    EXPECT_EQ(replies[0].kind, Kind::status);
    EXPECT_EQ(replies[0].text, "OK");
    EXPECT_EQ(replies[1].kind, Kind::error);
    EXPECT_EQ(replies[1].text, "ERR no");
    EXPECT_EQ(replies[2].integer, -42);
    EXPECT_EQ(replies[3].kind, Kind::string);
    EXPECT_EQ(replies[3].text, "a\0\r\nb"s);
    EXPECT_EQ(replies[4].kind, Kind::nil);
    ASSERT_EQ(replies[5].elements.size(), 3U);
    EXPECT_EQ(replies[5].elements[0].text, "x");
    ASSERT_EQ(replies[5].elements[1].elements.size(), 2U);
    EXPECT_EQ(replies[5].elements[1].elements[0].integer, 1);
    EXPECT_EQ(replies[5].elements[1].elements[1].kind, Kind::nil);
    EXPECT_EQ(replies[5].elements[2].text, "s");
    EXPECT_EQ(replies[6].kind, Kind::nil);
    EXPECT_EQ(replies[7].kind, Kind::array);
  }
}

TEST(RedisParser, RefusesWhatIsNoReply) {
  for (const std::string_view bytes :
       {"HTTP/1.1 400 Bad Request\r\n", "$x\r\n", "*1000000000\r\n", "*70000\r\n", "$-5\r\n",
        "*4294967296\r\n", ":12a\r\n", "$99999999999999999999\r\n"}) {
    RedisParser parser;
    if (parser.feed(bytes)) {
      EXPECT_FALSE(parser.next()) << bytes;
    }
    EXPECT_TRUE(parser.broken()) << bytes;
    EXPECT_FALSE(parser.feed("+OK\r\n"));
    EXPECT_FALSE(parser.next());
  }
}

TEST(RedisParser, RefusesAnEndlessReply) {
  RedisParser parser;
  ASSERT_TRUE(parser.feed("$500000000\r\n"));
  const std::string piece(65536, 'x');
  int pieces = 0;
  while (parser.feed(piece)) {
    EXPECT_FALSE(parser.next());
    ASSERT_LT(++pieces, 100);
  }
  EXPECT_TRUE(parser.broken());
}

TEST(RedisParser, LeavesNothingBehindInTheMiddle) {
  RedisParser parser;
  ASSERT_TRUE(parser.feed("*3\r\n$3\r\nabc\r\n*2\r\n:1\r\n"));
  EXPECT_FALSE(parser.next());
  EXPECT_FALSE(parser.broken());  // and the sanitizer sees no leak
}

TEST(RedisErrors, AreReadableAndQuoteNothing) {
  EXPECT_NE(redis_error_detail("WRONGPASS invalid username-password pair").find("password"),
            std::string::npos);
  EXPECT_NE(redis_error_detail("OOM command not allowed").find("maxmemory"), std::string::npos);
  EXPECT_EQ(redis_error_detail("ERR unknown command 'canary', with args beginning with: 'canary2'"),
            "Redis answered: ERR unknown command ");
  EXPECT_EQ(redis_error_detail("ERR invalid DB index"), "Redis answered: ERR invalid DB index");
  EXPECT_EQ(redis_error_detail("canary"), "Redis answered: an error of no known kind");
  EXPECT_EQ(redis_error_detail("ERR \x1b[2J\r\n"), "Redis answered: an error of no known kind");
  EXPECT_EQ(redis_error_detail(""), "Redis answered: an error of no known kind");
}

}  // namespace
}  // namespace oidc
