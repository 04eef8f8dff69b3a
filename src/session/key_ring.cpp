#include "oidc/key_ring.h"

#include <algorithm>
#include <string>

#include "oidc/verified_cookies.h"

namespace oidc {
namespace {

constexpr std::string_view salt_of(SessionKeys::Purpose purpose) {
  return purpose == SessionKeys::Purpose::session ? "ngx_openid_connect session secret 1"
                                                  : "ngx_openid_connect remember secret 1";
}
constexpr std::string_view kRecordPurpose = "session record";

}  // namespace

SessionKeys::SessionKeys(const Secret& secret, Purpose purpose)
    : SessionKeys(FromPrk{}, hkdf_extract(salt_of(purpose), secret.view())) {}

SessionKeys::SessionKeys(FromPrk, const Secret& prk)
    : expand_(prk.view()),
      cookie_mac_(hkdf_expand(prk.view(), "session cookie", 32).view()),
      login_(hkdf_expand(prk.view(), "pending login", 32)),
      state_(hkdf_expand(prk.view(), "state", 32)) {
  const Secret id = hkdf_expand(prk.view(), "key id", id_.size());
  std::copy_n(id.view().begin(), id_.size(), id_.begin());
}

// HKDF-Expand (RFC 5869 section 2.3) for one block: HMAC(PRK, info || 0x01).
Sha256 SessionKeys::record_key(std::string_view sid) const {
  const std::array<std::string_view, 3> info = {kRecordPurpose, sid, std::string_view("\x01", 1)};
  return expand_.sign(info);
}

KeyRing::KeyRing(const std::vector<Secret>& secrets)
    : KeyRing(secrets, SessionKeys::Purpose::session) {
  remember_.reset(new KeyRing(secrets, SessionKeys::Purpose::remember));
}

KeyRing::KeyRing(const std::vector<Secret>& secrets, SessionKeys::Purpose purpose)
    : verified_(std::make_unique<VerifiedCookies>()) {
  keys_.reserve(secrets.size());
  for (const Secret& secret : secrets) keys_.emplace_back(secret, purpose);
}

KeyRing::KeyRing(KeyRing&&) noexcept = default;
KeyRing& KeyRing::operator=(KeyRing&&) noexcept = default;
KeyRing::~KeyRing() = default;

const SessionKeys* KeyRing::find(std::string_view id) const noexcept {
  const auto found = std::find_if(keys_.begin(), keys_.end(),
                                  [id](const SessionKeys& keys) { return keys.id() == id; });
  return found == keys_.end() ? nullptr : &*found;
}

}  // namespace oidc
