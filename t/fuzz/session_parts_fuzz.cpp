// The parts of a session in cookies, among whatever other cookies a browser sends.
#include <string>

#include "oidc/session_parts.h"
#include "require.h"
#include "sealed.h"

using oidc::fuzz::identity;
using oidc::fuzz::keys;
using oidc::fuzz::require;

namespace {

using Session = std::shared_ptr<const oidc::OpenSession>;

const oidc::CookieAttributes& base() {
  static const oidc::CookieAttributes attributes{.name = std::string(oidc::fuzz::kCookieName),
                                                 .secure = true};
  return attributes;
}

oidc::SessionCookie cookie_of(unsigned char first) {
  oidc::SessionCookie cookie;
  cookie.sid.fill('s');
  cookie.sid[0] = static_cast<char>(first);
  return cookie;
}

// What opens first, as it does for a request; null: nothing.
Session open(std::string_view header, const oidc::SessionCookie& cookie,
             const oidc::KeyRing& ring = keys(), const std::string& tenant = identity()) {
  oidc::PartsFinder parts(base().name);
  parts.look_at(header);
  for (std::size_t i = 0; const auto set = parts.set(i); ++i) {
    require(set->count >= 1 && set->count <= oidc::kMostParts, "a set has one to eight parts");
    auto opened = oidc::open_parts(*set, cookie, ring, base().name, tenant);
    if (opened) return *opened;
    require(opened.error().code == oidc::Errc::session_record_invalid, "a refusal has its reason");
  }
  return nullptr;
}

std::string header_of(const std::vector<std::string>& values) {
  std::string header;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) header.append("; ");
    header.append(oidc::part_attributes(base(), i + 1).name).append("=").append(values[i]);
  }
  return header;
}

void require_ours_or_nothing(std::string_view header, const oidc::SessionCookie& cookie,
                             std::string_view token) {
  const Session opened = open(header, cookie);
  require(!opened || opened->record().access_token == token, "only what was sealed opens");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = oidc::fuzz::text_of(data, size);
  const oidc::SessionCookie cookie = cookie_of('a');
  require(!open(text, cookie), "nothing here was sealed for this session");

  const std::string token = oidc::base64url_encode(text) + oidc::base64url_encode(text);
  oidc::SessionRecord record;
  record.subject = "alice";
  record.access_token = token;
  const Session session = oidc::OpenSession::make(cookie, oidc::store_key(cookie.sid_view()),
                                                  "generatn", oidc::encode_record(record))
                              .value();
  const oidc::SealedParts sealed = oidc::seal_parts(*session, keys(), base(), identity(), 1000,
                                                    oidc::kMostParts * oidc::kPartSize);
  if (sealed.values.empty()) return 0;
  std::string header = header_of(sealed.values);
  const Session opened = open(header, cookie);
  require(opened && opened->record().access_token == token, "what was sealed opens");
  require(!open(header, cookie_of('b')), "for one session");
  require(!open(header, cookie, oidc::fuzz::other_keys()), "by one secret");
  require(!open(header, cookie, keys(), identity(true)), "for one tenant");
  // Cookies that were planted beside them, and a byte that was changed.
  require_ours_or_nothing(header + "; " + std::string(text), cookie, token);
  require_ours_or_nothing(std::string(text) + "; " + header, cookie, token);
  if (size > 2) {
    const std::size_t at = (data[0] * 256U + data[1]) % header.size();
    header[at] = static_cast<char>(data[2]);
    require_ours_or_nothing(header, cookie, token);
  }
  return 0;
}
