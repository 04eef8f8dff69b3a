// How the client authenticates, in the configuration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "conf_lines.h"
#include "oidc/client_key.h"
#include "private_keys.h"

namespace oidc {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A file that is there while the test runs.
class File {
 public:
  explicit File(std::string_view text, const char* name = "key.json")
      : path_(std::filesystem::temp_directory_path() /
              (std::to_string(::testing::UnitTest::GetInstance()->random_seed()) + "-" +
               std::to_string(reinterpret_cast<std::uintptr_t>(this)) + "-" + name)) {
    std::ofstream(path_) << text;
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { std::filesystem::remove(path_); }
  [[nodiscard]] std::string name() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

const std::string kSecret = "oidc_client_secret 0123456789abcdef0123456789abcdef\n";

void expect_refused(const std::string& lines, const char* directive, const char* why) {
  const Built built = build(lines);
  ASSERT_EQ(built.settings, nullptr) << lines;
  EXPECT_THAT(built.error, StartsWith(directive));
  EXPECT_THAT(built.error, HasSubstr(why));
}

TEST(ConfClient, EachMethodWithWhatItNeeds) {
  const File key(test::kPrivateP256);
  const File certificate("c");
  const std::string files = "oidc_tls_client_auth_certificate " + certificate.name() +
                            "\noidc_tls_client_auth_certificate_key " + certificate.name() + "\n";
  const struct {
    const char* method;
    std::string more;
    ClientAuth auth;
  } cases[] = {
      {"client_secret_basic", kSecret, ClientAuth::client_secret_basic},
      {"client_secret_post", kSecret, ClientAuth::client_secret_post},
      {"client_secret_jwt", kSecret, ClientAuth::client_secret_jwt},
      {"private_key_jwt", "oidc_client_secret off\noidc_client_jwk " + key.name(),
       ClientAuth::private_key_jwt},
      {"tls_client_auth", "oidc_client_secret off\n" + files, ClientAuth::tls_client_auth},
      {"self_signed_tls_client_auth", "oidc_client_secret off\n" + files,
       ClientAuth::self_signed_tls_client_auth},
      {"none", "oidc_client_secret off", ClientAuth::none},
  };
  for (const auto& one : cases) {
    const Built built = build("oidc_client_auth " + std::string(one.method) + "\n" + one.more);
    ASSERT_NE(built.settings, nullptr) << one.method << ": " << built.error;
    EXPECT_EQ(built.settings->client.auth, one.auth);
  }
}

TEST(ConfClient, EndpointsMayDiffer) {
  const Built built = build(kSecret +
                            "oidc_token_endpoint_auth_method client_secret_post\n"
                            "oidc_revocation_endpoint_auth_method client_secret_jwt\n"
                            "oidc_introspection_endpoint_auth_method none\n"
                            "oidc_client_alg HS256");
  ASSERT_NE(built.settings, nullptr) << built.error;
  const ClientSettings& client = built.settings->client;
  EXPECT_FALSE(client.auth);
  EXPECT_EQ(client.token_auth, ClientAuth::client_secret_post);
  EXPECT_EQ(client.revocation_auth, ClientAuth::client_secret_jwt);
  EXPECT_EQ(client.introspection_auth, ClientAuth::none);
}

TEST(ConfClient, AKeyAloneIsTheMethod) {
  const File key(test::kPrivateRsa);
  const Built built = build("oidc_client_secret off\noidc_client_jwk " + key.name() +
                            "\noidc_client_alg PS256");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_FALSE(built.settings->client.auth);
  EXPECT_EQ(built.settings->client.key->kid(), "r1");
  EXPECT_EQ(built.settings->client.alg, Alg::PS256);
}

TEST(ConfClient, Audience) {
  const auto audience = [](const std::string& word) {
    const Built built = build("oidc_client_assertion_audience " + word);
    EXPECT_NE(built.settings, nullptr) << built.error;
    return built.settings->client.assertion_audience;
  };
  EXPECT_EQ(audience("issuer"), "");
  EXPECT_EQ(audience("token_endpoint"), "token_endpoint");
  EXPECT_EQ(audience("https://x.example.com/y"), "https://x.example.com/y");
  expect_refused("oidc_client_assertion_audience nobody", "oidc_client_assertion_audience",
                 "issuer, token_endpoint or an absolute URL");
}

TEST(ConfClient, WhatIsMissing) {
  expect_refused("oidc_client_secret off\noidc_client_auth client_secret_jwt", "oidc_client_auth",
                 "oidc_client_secret must be set");
  expect_refused("oidc_client_auth private_key_jwt", "oidc_client_auth", "oidc_client_jwk must be");
  expect_refused("oidc_client_auth tls_client_auth", "oidc_client_auth",
                 "oidc_tls_client_auth_certificate must be set");
  expect_refused("oidc_revocation_endpoint_auth_method private_key_jwt",
                 "oidc_revocation_endpoint_auth_method", "oidc_client_jwk must be set");
  expect_refused("oidc_client_jwk /no/such/file", "oidc_client_jwk", "cannot find");
  expect_refused("oidc_client_auth magic", "oidc_client_auth", "private_key_jwt");
}

TEST(ConfClient, CertificateAndKeyGoTogether) {
  const File file("c");
  for (const std::string directive :
       {"oidc_tls_client_auth_certificate", "oidc_tls_client_auth_certificate_key"}) {
    expect_refused(directive + " " + file.name(), directive.c_str(), "go together");
  }
}

TEST(ConfClient, AlgorithmAndKeyFit) {
  const File key(test::kPrivateP256);
  const std::string by_key =
      "oidc_client_secret off\noidc_client_auth private_key_jwt\noidc_client_jwk " + key.name() + "\n";
  expect_refused(by_key + "oidc_client_alg RS256", "oidc_client_alg", "ES256 would");
  expect_refused(by_key + "oidc_client_alg HS256", "oidc_client_alg", "does not fit");
  expect_refused(by_key + "oidc_client_alg none", "oidc_client_alg", "signature algorithm");
  expect_refused(kSecret + "oidc_client_auth client_secret_jwt\noidc_client_alg ES256",
                 "oidc_client_alg", "HS256, HS384 or HS512");
  expect_refused(kSecret + "oidc_client_auth client_secret_jwt\noidc_client_alg HS512",
                 "oidc_client_secret", "64 bytes at least");
  expect_refused("oidc_client_alg HS256", "oidc_client_alg", "no endpoint uses");
}

TEST(ConfClient, AKeyForNothing) {
  const File key(test::kPrivateP256);
  expect_refused("oidc_client_jwk " + key.name(), "oidc_client_jwk", "used for nothing");
}

TEST(ConfClient, AFileThatIsNoKey) {
  const File text("hello");
  expect_refused("oidc_client_jwk " + text.name(), "oidc_client_jwk", "neither PEM nor");
  const File encrypted(test::kPrivateEncryptedPem);
  expect_refused("oidc_client_jwk " + encrypted.name(), "oidc_client_jwk", "no unencrypted");
}

TEST(ConfClient, ACertificateNeedsHttps) {
  const File file("c");
  expect_refused("oidc_issuer http://127.0.0.1:1\noidc_client_auth tls_client_auth\n"
                 "oidc_tls_client_auth_certificate " + file.name() +
                 "\noidc_tls_client_auth_certificate_key " + file.name(),
                 "oidc_client_auth", "must be https");
}

}  // namespace
}  // namespace oidc
