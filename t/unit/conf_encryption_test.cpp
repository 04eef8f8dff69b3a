// What may be encrypted to the client, in the configuration.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "conf_lines.h"
#include "jwe_vectors.h"
#include "oidc/client_key.h"
#include "oidc/introspection.h"
#include "oidc/published.h"
#include "private_keys.h"

namespace oidc {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ConfEncryption : public testing::Test {
 protected:
  ConfEncryption() { std::filesystem::create_directories(dir_); }
  ~ConfEncryption() override { std::filesystem::remove_all(dir_); }
  std::string file(const std::string& name, std::string_view text) {
    const auto path = dir_ / name;
    std::ofstream(path) << text;
    return path.string();
  }
  std::string rsa() { return file("rsa.json", test::kJweRsa); }
  std::string ec() { return file("ec.json", test::kJweP256); }
  static void refuses(const std::string& lines, const char* directive, const char* why) {
    const Built built = build(lines);
    ASSERT_EQ(built.settings, nullptr) << lines;
    EXPECT_THAT(built.error, StartsWith(directive));
    EXPECT_THAT(built.error, HasSubstr(why));
  }

 private:
  std::filesystem::path dir_ =
      std::filesystem::temp_directory_path() /
      ("conf-encryption-" + std::to_string(reinterpret_cast<std::uintptr_t>(this)));
};

TEST_F(ConfEncryption, NothingIsDemandedAndAllThatIsSafeIsAccepted) {
  const Built built = build("oidc_client_jwk " + rsa());
  ASSERT_NE(built.settings, nullptr) << built.error;
  const Settings& settings = *built.settings;
  EXPECT_EQ(settings.client.key, nullptr) << "it does not sign";
  ASSERT_EQ(settings.client.decryption_keys.size(), 1U);
  EXPECT_TRUE(settings.encryption.accepted.has(JweAlg::ECDH_ES_A192KW));
  EXPECT_TRUE(settings.encryption.accepted.has(JweEnc::A128CBC_HS256));
  EXPECT_FALSE(settings.encryption.id_token || settings.encryption.userinfo ||
               settings.encryption.introspection);
}

TEST_F(ConfEncryption, KeysOfBothKindsAreToldApart) {
  const std::string lines = "oidc_client_secret off\noidc_client_jwk ";
  const Built built =
      build(lines + rsa() + " " + file("sig.json", test::kPrivateP256) + " " + ec());
  ASSERT_NE(built.settings, nullptr) << built.error;
  const ClientSettings& client = built.settings->client;
  ASSERT_NE(client.key, nullptr);
  EXPECT_TRUE(client.further_keys.empty());
  ASSERT_EQ(client.decryption_keys.size(), 2U);
  const Json keys = Json::parse(client_jwks(client).value())["keys"];
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys[0]["use"], "sig");
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_EQ(keys[i]["use"], "enc");
    EXPECT_EQ(keys[i]["kid"], client.decryption_keys[i - 1]->kid());
    for (const char* secret : {"d", "p", "q", "dp", "dq", "qi"}) {
      EXPECT_FALSE(keys[i].contains(secret)) << secret;
    }
  }
  EXPECT_EQ(Json::parse(client_jwks(build("oidc_client_jwk " + ec()).settings->client).value())
                ["keys"].size(), 1U);
}

TEST_F(ConfEncryption, KeysThatWillNotDo) {
  const auto key = [this](const Json& changes) {
    Json jwk = Json::parse(test::kJweP256);
    jwk.merge_patch(changes);
    return "oidc_client_jwk " + file("changed.json", jwk.dump());
  };
  EXPECT_NE(build(key({{"alg", "ECDH-ES+A128KW"}})).settings, nullptr);
  refuses(key({{"alg", "RSA-OAEP"}}), "oidc_client_jwk", "does not fit the key");
  refuses(key({{"alg", "RSA1_5"}}), "oidc_client_jwk", "must be RSA-OAEP");
  refuses(key({{"alg", 5}}), "oidc_client_jwk", "must be RSA-OAEP");
  refuses(key({{"d", nullptr}}), "oidc_client_jwk", "no private JSON Web Key");
  refuses(key({{"d", "AAAA"}}), "oidc_client_jwk", "do not belong together");
  const Json other = Json::parse(test::kPrivateP256);
  refuses(key({{"x", other["x"]}, {"y", other["y"]}}), "oidc_client_jwk", "belong together");
  refuses(key({{"kty", "oct"}, {"k", "AAAA"}}), "oidc_client_jwk", "no private JSON Web Key");
  Json edwards = Json::parse(test::kPrivateEd25519);
  edwards["use"] = "enc";
  refuses("oidc_client_jwk " + file("ed.json", edwards.dump()), "oidc_client_jwk",
          "P-521 or X25519 is expected");
  refuses("oidc_client_jwk " + ec() + " " + file("again.json", test::kJweP256), "oidc_client_jwk",
          "its kid is that of another one");
  Json montgomery = Json::parse(test::kJweX25519);
  montgomery["use"] = "sig";
  refuses("oidc_client_jwk " + file("x.json", montgomery.dump()), "oidc_client_jwk",
          "sign nothing here");
}

TEST_F(ConfEncryption, NamesThatCannotBeAccepted) {
  for (const char* alg : {"RSA1_5", "dir", "A128KW", "PBES2-HS256+A128KW", "RS256", "rsa-oaep"}) {
    refuses(std::string("oidc_encryption_algs ") + alg, "oidc_encryption_algs",
            "can be accepted");
  }
  refuses("oidc_encryption_encs A128CBC", "oidc_encryption_encs", "can be accepted");
  refuses("oidc_encryption_algs ECDH-ES ECDH-ES", "oidc_encryption_algs", "twice");
  refuses("oidc_encryption_encs A128GCM A128GCM", "oidc_encryption_encs", "twice");
  refuses("oidc_client_jwk " + ec() + "\noidc_encryption_algs RSA-OAEP", "oidc_encryption_algs",
          "none of these fits the key");
}

TEST_F(ConfEncryption, Demands) {
  const std::string key = "oidc_client_jwk " + ec() + "\n";
  refuses("oidc_encryption_required id_token", "oidc_encryption_required", "\"use\": \"enc\"");
  refuses(key + "oidc_encryption_required access_token", "oidc_encryption_required", "id_token");
  refuses(key + "oidc_encryption_required id_token id_token", "oidc_encryption_required", "twice");
  const Built built = build(key + "oidc_encryption_required id_token userinfo introspection");
  ASSERT_NE(built.settings, nullptr) << built.error;
  EXPECT_TRUE(built.settings->encryption.id_token);
  EXPECT_EQ(built.settings->userinfo.accept, "application/jwt");
  EXPECT_EQ(built.settings->introspection.accept, kSignedIntrospection);
  refuses(key + "oidc_encryption_required userinfo\noidc_userinfo_accept application/json",
          "oidc_userinfo_accept", "must be application/jwt");
  refuses(key + "oidc_encryption_required introspection\n"
                "oidc_introspection_accept application/json",
          "oidc_introspection_accept", "must be application/token-introspection+jwt");
}

}  // namespace
}  // namespace oidc
