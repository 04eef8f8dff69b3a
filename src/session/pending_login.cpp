#include "oidc/pending_login.h"

#include <charconv>

#include "oidc/base64url.h"
#include "oidc/crypto.h"
#include "oidc/deflate.h"
#include "oidc/fields.h"

namespace oidc {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kIdSize = 16;
constexpr std::size_t kTimeDigits = 8;
constexpr std::size_t kDeflateFrom = 200;
constexpr std::size_t kMaxInflated = 64 * 1024;  // nginx's own limit of a request line

// Key id, then the AEAD's bytes, base64url.
std::string seal(std::string_view key_id, std::string_view key, std::string_view additional,
                 std::string_view plaintext) {
  std::string bytes(key_id);
  bytes.append(aead_seal(key, additional, plaintext));
  return base64url_encode(bytes);
}

using KeyOf = std::string_view (SessionKeys::*)() const noexcept;

std::optional<std::string> open(std::string_view value, const KeyRing& keys, KeyOf key_of,
                                std::string_view additional) {
  const Result<std::string> bytes = base64url_decode(value);
  if (!bytes) return std::nullopt;
  const std::string_view all = *bytes;
  if (all.size() < std::tuple_size_v<KeyId> + kAeadOverhead) return std::nullopt;
  const SessionKeys* key = keys.find(all.substr(0, std::tuple_size_v<KeyId>));
  if (key == nullptr) return std::nullopt;
  return aead_open((key->*key_of)(), additional, all.substr(std::tuple_size_v<KeyId>));
}

std::string additional_data(std::string_view purpose, std::string_view name,
                            std::string_view identity) {
  std::string bytes;
  append_field(bytes, purpose);
  append_field(bytes, name);
  append_field(bytes, identity);
  return bytes;
}

}  // namespace

std::string make_login_id(Seconds now) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string id;
  for (int shift = 28; shift >= 0; shift -= 4) id.push_back(kHex[(now >> shift) & 15]);
  id.append(base64url_encode(random_string(6)));
  return id;
}

Seconds login_id_time(std::string_view id) noexcept {
  if (id.size() != kIdSize) return 0;
  Seconds time = 0;
  const char* end = id.data() + kTimeDigits;
  const auto [stopped, failure] = std::from_chars(id.data(), end, time, 16);
  return failure == std::errc() && stopped == end && time > 0 ? time : 0;
}

std::string seal_pending_login(const PendingLogin& login, const KeyRing& keys,
                               std::string_view cookie_name, std::string_view identity) {
  FieldWriter out;
  out.u8(kVersion).i64(login.created).text(login.nonce).text(login.code_verifier);
  out.text(login.state_hash).text(login.redirect_uri).text(login.replaces);
  out.u8(login.prompt_none ? 1 : 0).u8(login.restarts);
  std::string plaintext = out.take();
  const SessionKeys& key = keys.sealing();
  std::string sealed = seal(key.id(), key.login_key(),
                            additional_data("pending login", cookie_name, identity), plaintext);
  cleanse(plaintext);
  return sealed;
}

std::optional<PendingLogin> open_pending_login(std::string_view value, const KeyRing& keys,
                                               std::string_view cookie_name,
                                               std::string_view identity) {
  const std::string additional = additional_data("pending login", cookie_name, identity);
  std::optional<std::string> plaintext = open(value, keys, &SessionKeys::login_key, additional);
  if (!plaintext) return std::nullopt;
  FieldReader in(*plaintext);
  if (in.u8() != kVersion) return std::nullopt;
  PendingLogin login;
  login.created = in.i64();
  login.nonce = in.text();
  login.code_verifier = in.text();
  login.state_hash = in.text();
  login.redirect_uri = in.text();
  login.replaces = in.text();
  login.prompt_none = in.u8() != 0;
  login.restarts = in.u8();
  const bool complete = in.complete();
  cleanse(*plaintext);
  if (!complete) return std::nullopt;
  return login;
}

std::string seal_pending_logout(const PendingLogout& logout, const KeyRing& keys,
                                std::string_view cookie_name, std::string_view identity) {
  FieldWriter out;
  out.u8(kVersion).i64(logout.created).text(logout.state).text(logout.settings);
  const SessionKeys& key = keys.sealing();
  return seal(key.id(), key.login_key(), additional_data("pending logout", cookie_name, identity),
              out.bytes());
}

std::optional<PendingLogout> open_pending_logout(std::string_view value, const KeyRing& keys,
                                                 std::string_view cookie_name,
                                                 std::string_view identity) {
  const std::string additional = additional_data("pending logout", cookie_name, identity);
  const std::optional<std::string> plaintext = open(value, keys, &SessionKeys::login_key, additional);
  if (!plaintext) return std::nullopt;
  FieldReader in(*plaintext);
  if (in.u8() != kVersion) return std::nullopt;
  PendingLogout logout;
  logout.created = in.i64();
  logout.state = in.text();
  logout.settings = in.text();
  if (!in.complete()) return std::nullopt;
  return logout;
}

std::optional<std::string> seal_state(const LoginState& state, const KeyRing& keys,
                                      std::string_view identity) {
  std::string packed;
  if (state.target.size() > kDeflateFrom) packed = deflate_text(state.target);
  const bool deflated = !packed.empty() && packed.size() < state.target.size();
  const std::string_view target = deflated ? std::string_view(packed) : state.target;
  if (target.size() > kMaxTargetBytes || state.target.size() > kMaxInflated) return std::nullopt;
  FieldWriter out;
  out.u8(kVersion).text(state.login_id).i64(state.created).u8(state.restarts).text(state.settings);
  out.u8(deflated ? 1 : 0).text(target);
  const SessionKeys& key = keys.sealing();
  return seal(key.id(), key.state_key(), additional_data("state", {}, identity), out.bytes());
}

std::optional<LoginState> open_state(std::string_view value, const KeyRing& keys,
                                     std::string_view identity) {
  const std::string additional = additional_data("state", {}, identity);
  const std::optional<std::string> plaintext =
      open(value, keys, &SessionKeys::state_key, additional);
  if (!plaintext) return std::nullopt;
  FieldReader in(*plaintext);
  if (in.u8() != kVersion) return std::nullopt;
  LoginState state;
  state.login_id = in.text();
  state.created = in.i64();
  state.restarts = in.u8();
  state.settings = in.text();
  const bool deflated = in.u8() != 0;
  const std::string_view target = in.text();
  if (!in.complete()) return std::nullopt;
  if (!deflated) {
    state.target = target;
    return state;
  }
  Result<std::string> inflated = inflate_text(target, kMaxInflated);
  if (!inflated) return std::nullopt;
  state.target = std::move(*inflated);
  return state;
}

}  // namespace oidc
