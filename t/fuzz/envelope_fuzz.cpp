// What a store gives back for a session's name: anything at all, or a record of ours that was
// changed.
#include <algorithm>
#include <string>

#include "oidc/session.h"
#include "require.h"
#include "sealed.h"

using oidc::fuzz::identity;
using oidc::fuzz::keys;
using oidc::fuzz::require;

namespace {

oidc::SessionCookie cookie_of(char fill) {
  oidc::SessionCookie cookie;
  cookie.sid.fill(fill);
  return cookie;
}

auto open(std::string_view envelope, const oidc::SessionCookie& cookie, const oidc::KeyRing& ring,
          const std::string& who) {
  return oidc::open_session(envelope, cookie, oidc::store_key(cookie.sid_view()), ring, who);
}

// Never opened by anybody else; the input says what is changed.
void check_sealed(std::string_view input) {
  static const oidc::SessionCookie kOurs = cookie_of('s');
  static const oidc::SessionCookie kOther = cookie_of('t');
  std::string envelope = oidc::seal_envelope(input, kOurs.sid_view(), keys(), identity());
  const bool decodes = oidc::decode_record(input).ok();
  require(open(envelope, kOurs, keys(), identity()).ok() == decodes, "it opens if it decodes");
  require(!open(envelope, kOther, keys(), identity()), "not for another session");
  require(!open(envelope, kOurs, keys(), identity(true)), "nor for another tenant");
  require(!open(envelope, kOurs, oidc::fuzz::other_keys(), identity()), "nor for another secret");
  require(!open(envelope, kOurs, keys().remember(), identity()), "nor for another purpose");
  if (input.size() < 2) return;
  const std::size_t at =
      (static_cast<unsigned char>(input[0]) * 256U + static_cast<unsigned char>(input[1])) %
      envelope.size();
  const std::string cut = envelope.substr(0, at);
  require(!open(cut, kOurs, keys(), identity()), "nor what is left of it");
  envelope[at] = static_cast<char>(envelope[at] ^ (1 << (input.size() % 8)));
  require(!open(envelope, kOurs, keys(), identity()), "nor with a bit changed");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const oidc::SessionCookie kOurs = cookie_of('s');
  const std::string_view bytes = oidc::fuzz::text_of(data, size);
  const auto session = open(bytes, kOurs, keys(), identity());
  if (session) {
    require((*session)->generation() == bytes.substr(0, oidc::kGenerationSize), "its generation");
  } else {
    require(session.error().code == oidc::Errc::session_record_invalid, "a refusal has its code");
  }
  check_sealed(bytes);
  return 0;
}
