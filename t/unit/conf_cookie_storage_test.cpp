// oidc_session_storage cookie at nginx -t: its options, what it wants, what does not go with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf_lines.h"

namespace oidc {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kSecretLine =
    "oidc_session_secret 0123456789abcdef0123456789abcdef\n";

Built cookies(const std::string& options, const std::string& more = "") {
  return build("oidc_session_storage cookie " + options + "\n" + kSecretLine + more);
}

TEST(CookieStorage, HasDefaults) {
  const Built built = cookies("");
  ASSERT_NE(built.settings, nullptr) << built.error;
  const SessionSettings& session = built.settings->session;
  EXPECT_EQ(session.storage, StorageKind::cookie);
  EXPECT_EQ(session.cookie_size, 6144U);
  EXPECT_FALSE(session.deny_in_redis);
  EXPECT_EQ(session.zone, kDefaultCookieZone);
  EXPECT_FALSE(session.store_metadata) << "nobody reads that index";
  EXPECT_THAT(built.warnings, IsEmpty());
}

TEST(CookieStorage, HasOptions) {
  Built built = cookies("size=20k deny=shm:ended");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_EQ(built.settings->session.cookie_size, 20U * 1024);
  EXPECT_EQ(built.settings->session.zone, "ended");
  built = cookies("deny=redis size=3k", "oidc_redis_host redis.example.com\n");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_TRUE(built.settings->session.deny_in_redis);
  EXPECT_EQ(built.settings->session.redis.host, "redis.example.com");
  EXPECT_TRUE(built.settings->session.store_metadata);
  EXPECT_THAT(built.warnings, IsEmpty());
}

TEST(CookieStorage, RefusesOtherWords) {
  for (const char* options : {"size=", "size=100", "size=33k", "size=1m", "parts=2", "redis", "deny=",
                              "deny=memcached", "deny=shm:", "deny=shm:a:b"}) {
    const Built built = cookies(options);
    EXPECT_EQ(built.settings, nullptr) << options;
    EXPECT_THAT(built.error, HasSubstr("oidc_session_storage: ")) << options;
  }
  EXPECT_THAT(cookies("size=2k size=3k").error, HasSubstr("twice"));
  EXPECT_THAT(build("oidc_session_storage shm size=6k\n").error, HasSubstr("nothing may follow"));
}

TEST(CookieStorage, WantsASecret) {
  EXPECT_THAT(build("oidc_session_storage cookie\n").error,
              HasSubstr("oidc_session_secret: it must be set for oidc_session_storage cookie"));
}

TEST(CookieStorage, WhatMustFindSessionsWantsASharedList) {
  for (const char* line :
       {"oidc_backchannel_logout_uri /bc", "oidc_frontchannel_logout_uri /fc",
        "oidc_session_max_per_subject 3"}) {
    const std::string more = std::string(line) + "\n";
    for (const char* options : {"", "deny=shm"}) {
      const Built refused = cookies(options, more);
      EXPECT_EQ(refused.settings, nullptr) << line;
      EXPECT_THAT(refused.error, HasSubstr("cookie deny=redis")) << line;
      EXPECT_THAT(refused.error, ::testing::StartsWith(more.substr(0, more.find(' ')))) << line;
    }
    const Built taken = cookies("deny=redis", more);
    EXPECT_NE(taken.settings, nullptr) << line << " " << taken.error;
  }
}

TEST(CookieStorage, GoesWithoutRememberCookies) {
  for (const char* options : {"", "deny=redis"}) {
    EXPECT_THAT(cookies(options, "oidc_session_remember on\n").error,
                HasSubstr("oidc_session_remember: it needs a store"));
  }
}

TEST(CookieStorage, WarnsOfWhatHasNoEffect) {
  const auto only_warning = [](const Built& built) {
    return built.warnings.size() == 1 ? built.warnings.front() : "not one warning: " + built.error;
  };
  EXPECT_THAT(only_warning(cookies("", "oidc_redis_host redis.example.com\n")),
              HasSubstr("no effect without oidc_session_storage redis, or cookie deny=redis"));
  EXPECT_THAT(only_warning(cookies("deny=redis", "oidc_session_outage cached=5m\n")),
              HasSubstr("no effect without oidc_session_storage redis"));
  EXPECT_THAT(only_warning(cookies("", "oidc_session_store_metadata on\n")),
              HasSubstr("no effect with oidc_session_storage cookie unless deny=redis"));
}

TEST(CookieStorage, PartsHaveNamesOfTheirOwn) {
  EXPECT_THAT(cookies("", "oidc_session_cookie_name s\noidc_authorization_cookie_name s\n").error,
              HasSubstr("begin as the cookies of pending logins do"));
  EXPECT_NE(build("oidc_session_cookie_name s\noidc_authorization_cookie_name s\n").settings,
            nullptr);
  const Built a = cookies("", "oidc_session_cookie_name s\n");
  const Built b = build("oidc_client_id other\noidc_session_cookie_name s_1\n"
                        "oidc_redirect_uri /other\n");
  ASSERT_NE(a.settings, nullptr) << a.error;
  ASSERT_NE(b.settings, nullptr) << b.error;
  const std::vector<const Settings*> both = {a.settings.get(), b.settings.get()};
  const Result<void> checked = check_server(both);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().detail, HasSubstr("the name of a part of the other"));
}

TEST(CookieStorage, OneListForOneCookie) {
  const Built a = cookies("deny=shm");
  const Built same = cookies("size=3k");
  const Built zone = cookies("deny=shm:other");
  const Built redis = cookies("deny=redis");
  const Built shm = build(kSecretLine);
  const auto verdict = [&](const Built& other) {
    const std::vector<const Settings*> both = {a.settings.get(), other.settings.get()};
    return check_server(both).ok();
  };
  EXPECT_TRUE(verdict(same));
  EXPECT_TRUE(same_store(a.settings->session, same.settings->session));
  for (const Built* other : {&zone, &redis, &shm}) {
    EXPECT_FALSE(verdict(*other));
    EXPECT_FALSE(same_store(a.settings->session, other->settings->session));
  }
}

}  // namespace
}  // namespace oidc
