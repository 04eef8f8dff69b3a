// Redis Cluster and Sentinel in the configuration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf_lines.h"

namespace oidc {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::string kRedis =
    "oidc_session_storage redis\n"
    "oidc_session_secret 0123456789abcdef0123456789abcdef\n";
const std::string kCluster = kRedis + "oidc_redis_cluster_nodes a:1\n";
const std::string kSentinel =
    kRedis + "oidc_redis_sentinel_nodes a:1\noidc_redis_sentinel_master m\n";

void expect_refused(const std::string& lines, const char* why) {
  const Built built = build(lines);
  ASSERT_EQ(built.settings, nullptr) << lines;
  EXPECT_THAT(built.error, StartsWith("oidc_redis_")) << "the directive is named";
  EXPECT_THAT(built.error, HasSubstr(why));
}

TEST(ConfRedis, Cluster) {
  const Built built = build(kRedis +
                            "oidc_redis_cluster_nodes r1.example.com:7000 10.0.0.2:7001 [::1]:1\n"
                            "oidc_redis_cluster_max_redirections 3\n");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_THAT(built.warnings, IsEmpty());
  const RedisSettings& redis = built.settings->session.redis;
  ASSERT_EQ(redis.cluster_nodes.size(), 3U);
  EXPECT_EQ(redis.cluster_nodes[0], (HostPort{"r1.example.com", 7000}));
  EXPECT_EQ(redis.cluster_nodes[2], (HostPort{"::1", 1}));
  EXPECT_EQ(redis.cluster_max_redirections, 3U);
}

TEST(ConfRedis, Sentinel) {
  const Built built = build(kSentinel +
                            "oidc_redis_sentinel_role master\noidc_redis_sentinel_username u\n"
                            "oidc_redis_sentinel_password pw\noidc_redis_database 2");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_THAT(built.warnings, IsEmpty());
  const RedisSettings& redis = built.settings->session.redis;
  EXPECT_EQ(redis.sentinel_nodes.front(), (HostPort{"a", 1}));
  EXPECT_EQ(redis.sentinel_master, "m");
  EXPECT_EQ(redis.sentinel_username, "u");
  EXPECT_EQ(redis.sentinel_password.view(), "pw");
}

TEST(ConfRedis, NodesAreHostAndPort) {
  for (const char* directive : {"oidc_redis_cluster_nodes ", "oidc_redis_sentinel_nodes "}) {
    const std::string nodes = directive;
    expect_refused(nodes + "10.0.0.1", "HOST:PORT is expected");
    expect_refused(nodes + "::1:7000", "IPv6 address in brackets");
    expect_refused(nodes + "[10.0.0.1]:7000", "IPv6 address in brackets");
    expect_refused(nodes + "a/b:7000", "\"a/b:7000\"");
    expect_refused(nodes + ":7000", "HOST:PORT is expected");
    expect_refused(nodes + "a:0", "between 1 and 65535");
    expect_refused(nodes + "a:seven", "between 1 and 65535");
    expect_refused(nodes + "a:1 b:1 a:1", "twice");
    expect_refused(nodes + "a:1 off", "HOST:PORT is expected");
  }
  expect_refused("oidc_redis_cluster_max_redirections 101", "between 0 and 100");
  expect_refused("oidc_redis_sentinel_role replica", "master, slave or any");
}

TEST(ConfRedis, OnePlaceOnly) {
  expect_refused(kCluster + "oidc_redis_sentinel_nodes b:1", "has no Sentinel");
  expect_refused(kCluster + "oidc_redis_database 1", "database 0 alone");
  for (const std::string& nodes : {kCluster, kSentinel}) {
    expect_refused(nodes + "oidc_redis_host b", "together with oidc_redis_host");
    expect_refused(nodes + "oidc_redis_port 7", "together with oidc_redis_port");
    expect_refused(nodes + "oidc_redis_socket /s", "together with oidc_redis_socket");
    EXPECT_NE(build(nodes + "oidc_redis_socket off").settings, nullptr);
  }
}

TEST(ConfRedis, SentinelIsWhole) {
  expect_refused(kRedis + "oidc_redis_sentinel_nodes a:1", "oidc_redis_sentinel_master must be");
  expect_refused(kRedis + "oidc_redis_sentinel_master m", "oidc_redis_sentinel_nodes must be");
  expect_refused(kSentinel + "oidc_redis_sentinel_role slave", "sessions are written");
  expect_refused(kSentinel + "oidc_redis_sentinel_role any", "it must be master");
  expect_refused(kSentinel + "oidc_redis_sentinel_username u", "sentinel_password must be set");
}

TEST(ConfRedis, WhatHasNoEffectIsSaid) {
  for (const char* line : {"oidc_redis_cluster_max_redirections 3", "oidc_redis_sentinel_role any",
                           "oidc_redis_sentinel_username u", "oidc_redis_sentinel_password p"}) {
    const Built built = build(kRedis + line);
    ASSERT_NE(built.settings, nullptr) << built.error;
    ASSERT_EQ(built.warnings.size(), 1U) << line;
    EXPECT_THAT(built.warnings.front(), HasSubstr("no effect without oidc_redis_"));
  }
  const Built built = build("oidc_redis_cluster_nodes a:1");
  ASSERT_EQ(built.warnings.size(), 1U);
  EXPECT_THAT(built.warnings.front(), HasSubstr("no effect without oidc_session_storage redis"));
}

TEST(ConfRedis, AnOutageIsBridgedWithAllOfThem) {
  for (const std::string& nodes : {kRedis, kCluster, kSentinel}) {
    const Built built = build(nodes + "oidc_session_outage cached=5m");
    ASSERT_NE(built.settings, nullptr) << built.error;
    EXPECT_EQ(built.settings->session.outage_cached, 300);
    EXPECT_TRUE(built.warnings.empty());
  }
}

TEST(ConfRedis, StoresAreComparedByTheirNodes) {
  const auto same = [](const std::string& one, const std::string& two) {
    const Built a = build(one);
    const Built b = build(two);
    return same_store(a.settings->session, b.settings->session);
  };
  EXPECT_TRUE(same(kCluster, kCluster));
  EXPECT_TRUE(same(kSentinel, kSentinel));
  EXPECT_FALSE(same(kRedis, kCluster));
  EXPECT_FALSE(same(kRedis, kSentinel));
  EXPECT_FALSE(same(kCluster, kRedis + "oidc_redis_cluster_nodes b:1"));
  EXPECT_FALSE(same(kCluster, kCluster + "oidc_redis_cluster_max_redirections 1"));
  EXPECT_FALSE(
      same(kSentinel, kRedis + "oidc_redis_sentinel_nodes a:1\noidc_redis_sentinel_master n"));
  EXPECT_FALSE(same(kSentinel, kSentinel + "oidc_redis_sentinel_password p"));
}

}  // namespace
}  // namespace oidc
