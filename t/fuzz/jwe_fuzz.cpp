#include <string>
#include <vector>

#include "oidc/base64url.h"
#include "oidc/jwe.h"
#include "require.h"

using oidc::fuzz::require;

namespace {

const oidc::JweAccepted& accepted() {
  static const oidc::JweAccepted kAll = [] {
    oidc::JweAccepted all;
    for (const char* name : {"RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW",
                             "ECDH-ES+A192KW", "ECDH-ES+A256KW"}) {
      all.add(*oidc::parse_jwe_alg(name));
    }
    for (const char* name : {"A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256", "A192CBC-HS384",
                             "A256CBC-HS512"}) {
      all.add(*oidc::parse_jwe_enc(name));
    }
    return all;
  }();
  return kAll;
}

std::vector<std::shared_ptr<const oidc::DecryptionKey>> keys() {
  return {*oidc::DecryptionKey::parse(
      "{\"crv\":\"P-256\",\"d\":\"sawx_8qqw6Vq4h_Dx4ObKtmAv1A2zErskEKrR_XjtB0\",\"kid\":\"P-256\",\"kty\""
      ":\"EC\",\"use\":\"enc\",\"x\":\"ErZ3kT57SDRBfI95nRqJfngZBjvSICAUyiEJ0mr-UOQ\",\"y\":\"3uRaakhX6ul"
      "jtSbn5KfjNSblpE_MWW9uZOc9rYY56ZE\"}"),
          *oidc::DecryptionKey::parse(
      "{\"crv\":\"X25519\",\"d\":\"SMz129zlvQ8JNw3okTRv-yhW4w9rgXfdKyXn_lEBIHk\",\"kid\":\"X25519\",\"kt"
      "y\":\"OKP\",\"use\":\"enc\",\"x\":\"wDBdErrQeAxHsiiM2-sB6ky4IOK6eZjxi6jNCkVrbAA\"}")};
}

void open(std::string_view token) {
  static const auto kKeys = keys();
  const oidc::Result<std::string> opened = oidc::decrypt_jwe(token, kKeys, accepted());
  if (opened) {
    require(oidc::looks_encrypted(token) && *opened == "inside", "only what was sealed opens");
    return;
  }
  const oidc::Errc code = opened.error().code;
  require(code == oidc::Errc::jwe_malformed || code == oidc::Errc::jwe_not_allowed ||
              code == oidc::Errc::jwe_decryption,
          "a refusal has its code");
  require(code != oidc::Errc::jwe_decryption || opened.error().detail.empty(),
          "nothing is said of why it does not open");
  require(opened.error().detail.size() < 64, "a detail is short");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string kToken =
      "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSIsImVwayI6eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVD"
      "IiwieCI6ImlwZG5CNU83U2JNSnNsYThwMFJ4QUd3N3JfWUQyR2V4ZDY4UnFrelBvb00iLCJ5IjoiVUxJOXBz"
      "MllBaHl1amVmcF94Q3FqT0JPQnVwMVhLOVdUVUZLb0ZUc2lEQSJ9fQ..xD1nq540_UYRUAgf.RdQq6tjr.FJ"
      "suqo2rZh02Ri3BqMrxmg";
  const std::string_view text = oidc::fuzz::text_of(data, size);
  open(text);
  // The input as the header of a token that is right but for it.
  open(oidc::base64url_encode(text).append(kToken.substr(kToken.find('.'))));
  static_cast<void>(oidc::DecryptionKey::parse(text));
  return 0;
}
