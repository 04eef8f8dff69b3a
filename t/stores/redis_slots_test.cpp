#include "io/redis_slots.h"

#include <gtest/gtest.h>

namespace oidc {
namespace {

using Kind = RedisReply::Kind;

RedisReply parsed(std::string_view bytes) {
  RedisParser parser;
  EXPECT_TRUE(parser.feed(bytes));
  return parser.next().value_or(RedisReply{});
}

// What `CLUSTER KEYSLOT` of a real Redis says.
TEST(RedisSlot, IsThatOfRedis) {
  EXPECT_EQ(redis_slot("123456789"), 0x31c3);  // the check value of the CRC
  EXPECT_EQ(redis_slot(""), 0);
  EXPECT_EQ(redis_slot("foo"), 12182);
  EXPECT_EQ(redis_slot("session:abc"), redis_slot("session:abc"));
}

TEST(RedisSlot, HasATag) {
  for (unsigned slot = 0; slot < kRedisSlots; slot += 211) {
    const std::string key = "session:tracking:{" + redis_tag_of(static_cast<std::uint16_t>(slot)) + "}:1";
    EXPECT_EQ(redis_slot(key), slot);
  }
}

TEST(RedisSlot, HashTags) {
  EXPECT_EQ(redis_slot("{user1000}.following"), redis_slot("user1000"));
  EXPECT_EQ(redis_slot("a{foo}b"), 12182);
  EXPECT_EQ(redis_slot("foo{{bar}}zap"), redis_slot("{bar"));
  EXPECT_EQ(redis_slot("foo{bar}{zap}"), redis_slot("bar"));
  // Nothing between the first braces, or no second one: the whole key.
  EXPECT_NE(redis_slot("foo{}{bar}"), redis_slot("bar"));
  EXPECT_NE(redis_slot("a{foo"), 12182);
  EXPECT_NE(redis_slot("}foo{"), 12182);
}

const RedisNode kAsked{"10.0.0.1", 7000};

TEST(RedisSlots, OfAReply) {
  const auto ranges = redis_slot_ranges(
      parsed("*3\r\n"
             "*4\r\n:0\r\n:5460\r\n*2\r\n$8\r\n10.0.0.2\r\n:7001\r\n*2\r\n$1\r\nx\r\n:1\r\n"
             "*3\r\n:5461\r\n:5461\r\n*4\r\n$0\r\n\r\n:7002\r\n$2\r\nid\r\n*0\r\n"
             "*3\r\n:5462\r\n:16383\r\n*3\r\n$-1\r\n:7003\r\n$2\r\nid\r\n"),
      kAsked);
  ASSERT_TRUE(ranges);
  ASSERT_EQ(ranges->size(), 3U);
  EXPECT_EQ(ranges->at(0).first, 0);
  EXPECT_EQ(ranges->at(0).last, 5460);
  EXPECT_EQ(ranges->at(0).master, (RedisNode{"10.0.0.2", 7001}));
  // Without a host: the node that answered.
  EXPECT_EQ(ranges->at(1).master, (RedisNode{"10.0.0.1", 7002}));
  EXPECT_EQ(ranges->at(2).master, (RedisNode{"10.0.0.1", 7003}));
}

TEST(RedisSlots, OfNonsense) {
  for (const char* bytes :
       {"+OK\r\n", ":1\r\n", "*1\r\n:1\r\n", "*1\r\n*2\r\n:0\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:-1\r\n:4\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:5\r\n:4\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:4\r\n*2\r\n$1\r\na\r\n:70000\r\n",
        "*1\r\n*3\r\n:0\r\n:4\r\n*1\r\n$1\r\na\r\n", "*1\r\n*3\r\n:0\r\n:4\r\n$1\r\na\r\n",
        "*1\r\n*3\r\n$1\r\n0\r\n:4\r\n*2\r\n$1\r\na\r\n:1\r\n"}) {
    EXPECT_FALSE(redis_slot_ranges(parsed(bytes), kAsked)) << bytes;
  }
  const auto none = redis_slot_ranges(parsed("*0\r\n"), kAsked);
  EXPECT_TRUE(none && none->empty());
  const auto unnamed =
      redis_slot_ranges(parsed("*1\r\n*3\r\n:0\r\n:4\r\n*2\r\n$1\r\n?\r\n:1\r\n"), kAsked);
  EXPECT_TRUE(unnamed && unnamed->empty());
}

TEST(RedisRedirection, Where) {
  const auto moved = redis_redirection("MOVED 3999 127.0.0.1:6381", kAsked);
  ASSERT_TRUE(moved);
  EXPECT_EQ(moved->slot, 3999);
  EXPECT_EQ(moved->node, (RedisNode{"127.0.0.1", 6381}));
  EXPECT_EQ(redis_redirection("ASK 1 ::1:6381", kAsked)->node, (RedisNode{"::1", 6381}));
  EXPECT_EQ(redis_redirection("ASK 1 :6381", kAsked)->node, (RedisNode{"10.0.0.1", 6381}));
  for (const char* text : {"MOVED", "MOVED 1", "MOVED x a:1", "MOVED 16384 a:1", "MOVED 1 a",
                           "MOVED 1 a:0", "MOVED 1 a:65536", "MOVED 1 a:1 b:2", "MOVED 1 ?:1"}) {
    EXPECT_FALSE(redis_redirection(text, kAsked)) << text;
  }
}

TEST(RedisErrorName, AlsoOfScripts) {
  EXPECT_EQ(redis_error_name("READONLY You can't write against a read only replica."), "READONLY");
  EXPECT_EQ(redis_error_name("ERR Error running script (call to f_0): @user_script:5: -OOM command "
                             "not allowed when used memory > 'maxmemory'."),
            "OOM");
  EXPECT_EQ(redis_error_name("ERR Error running script: @user_script:1: something"), "ERR");
  EXPECT_EQ(redis_error_name("ERR unknown command"), "ERR");
}

}  // namespace
}  // namespace oidc
