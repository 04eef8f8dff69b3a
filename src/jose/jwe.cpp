#include "oidc/jwe.h"

#include <algorithm>
#include <array>
#include <vector>

#include "jwe_parts.h"
#include "oidc/base64url.h"
#include "oidc/crypto.h"

namespace oidc {
namespace {

constexpr std::size_t kMaxHeader = 4096;        // as it came
constexpr std::size_t kMaxEncryptedKey = 2048;  // the same
constexpr std::size_t kMaxParty = 512;
constexpr std::size_t kMostKeys = 4;

Error malformed(const char* what) { return {Errc::jwe_malformed, what}; }
Error refused(std::string what) { return {Errc::jwe_not_allowed, std::move(what)}; }

// A name of the sender's, fit for a log.
std::string named(std::string_view what, std::string_view name) {
  constexpr std::size_t kMost = 32;
  const bool plain = !name.empty() && name.size() <= kMost &&
                     std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
  return std::string(what).append(plain ? name : std::string_view("that nobody knows"));
}

using Raw = std::array<std::string_view, 5>;

std::optional<Raw> split(std::string_view compact) {
  if (!looks_encrypted(compact)) return std::nullopt;
  Raw raw;
  for (std::string_view& part : raw) {
    const std::size_t dot = std::min(compact.find('.'), compact.size());
    part = compact.substr(0, dot);
    compact.remove_prefix(std::min(dot + 1, compact.size()));
  }
  return raw;
}

// What a header may not have: a zipped content is a bomb, and what must be understood is not.
Result<void> check_extras(const Json& header) {
  for (const char* name : {"zip", "crit", "p2s", "p2c"}) {
    if (header.contains(name)) return refused(name);
  }
  return {};
}

// Base64url of at most `most` bytes; absent is empty.
bool read_party(const Json& header, const char* name, std::string& out) {
  if (!header.contains(name)) return true;
  const std::optional<std::string> text = json_string(header, name);
  if (!text || text->size() > kMaxParty) return false;
  Result<std::string> bytes = base64url_decode(*text);
  if (!bytes) return false;
  out = std::move(*bytes);
  return true;
}

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

Result<void> read_header(const Json& header, JweAccepted accepted, JweParts& parts) {
  const std::optional<std::string> alg_name = json_string(header, "alg");
  const std::optional<std::string> enc_name = json_string(header, "enc");
  if (!alg_name || !enc_name) return malformed("no alg or no enc");
  const std::optional<JweAlg> alg = parse_jwe_alg(*alg_name);
  if (!alg || !accepted.has(*alg)) return refused(named("alg ", *alg_name));
  const std::optional<JweEnc> enc = parse_jwe_enc(*enc_name);
  if (!enc || !accepted.has(*enc)) return refused(named("enc ", *enc_name));
  Result<void> extras = check_extras(header);
  if (!extras) return extras;
  if (header.contains("kid")) {
    std::optional<std::string> kid = json_string(header, "kid");
    if (!kid) return malformed("kid is no string");
    parts.kid = std::move(*kid);
  }
  // RFC 7519 section 5.2: inside is a JWT.
  if (header.contains("cty")) {
    const std::string cty = json_string(header, "cty").value_or("");
    if (!equal_without_case(cty, "JWT") && !equal_without_case(cty, "application/jwt")) {
      return malformed("cty is not JWT");
    }
  }
  parts.alg = *alg;
  parts.enc = *enc;
  if (!read_party(header, "apu", parts.party_u) || !read_party(header, "apv", parts.party_v)) {
    return malformed("apu or apv");
  }
  if (const auto epk = header.find("epk"); epk != header.end()) parts.ephemeral = *epk;
  return {};
}

Result<JweParts> read_parts(std::string_view compact, JweAccepted accepted) {
  if (compact.size() > kMaxJwe) return malformed("larger than allowed");
  const std::optional<Raw> raw = split(compact);
  if (!raw) return malformed("not five parts");
  if ((*raw)[0].size() > kMaxHeader) return malformed("the header is larger than allowed");
  if ((*raw)[1].size() > kMaxEncryptedKey) return malformed("the key is larger than allowed");
  std::array<std::string, 5> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Result<std::string> part = base64url_decode((*raw)[i]);
    if (!part) return malformed("a part is not base64url");
    bytes[i] = std::move(*part);
  }
  const Result<Json> header = parse_json_object(bytes[0]);
  if (!header) return malformed("the header is no JSON object");
  JweParts parts;
  Result<void> read = read_header(*header, accepted, parts);
  if (!read) return std::move(read).error();
  parts.protected_header = (*raw)[0];
  parts.encrypted_key = std::move(bytes[1]);
  parts.iv = std::move(bytes[2]);
  parts.ciphertext = std::move(bytes[3]);
  parts.tag = std::move(bytes[4]);
  return parts;
}

// As KeySet::candidates: by kid where one has it, else all that fit.
std::vector<const DecryptionKey*> candidates(DecryptionKeys keys, const JweParts& parts,
                                             bool by_kid) {
  const bool known = !parts.kid.empty() && std::ranges::any_of(keys, [&parts](const auto& key) {
    return key->kid() == parts.kid;
  });
  std::vector<const DecryptionKey*> out;
  if (by_kid && !parts.kid.empty() && !known) return out;
  for (const auto& key : keys) {
    if (!key->fits(parts.alg) || (known && key->kid() != parts.kid)) continue;
    if (out.size() < kMostKeys) out.push_back(key.get());
  }
  return out;
}

}  // namespace

bool looks_encrypted(std::string_view compact) noexcept {
  return std::ranges::count(compact, '.') == 4;
}

Result<std::string> decrypt_jwe(std::string_view compact, DecryptionKeys keys,
                                JweAccepted accepted, JweUses* uses) {
  const Result<JweParts> parts = read_parts(compact, accepted);
  if (!parts) return parts.error();
  for (const DecryptionKey* candidate : candidates(keys, *parts, uses != nullptr)) {
    if (uses != nullptr && uses->left-- == 0) {
      uses->left = 0;
      break;
    }
    // RFC 7516 section 11.5: a key that does not come out is replaced by a random one, and the
    // content tells nobody what was wrong.
    std::optional<Secret> found = content_key(*parts, *candidate);
    std::string random = random_string(content_key_size(parts->enc));
    const Secret key = found ? std::move(*found) : Secret(random);
    cleanse(random);
    std::optional<std::string> content = open_content(*parts, key);
    if (content) return std::move(*content);
  }
  return Errc::jwe_decryption;
}

}  // namespace oidc
