// The plain record of a session, and the tokens in it.
#include <string>

#include "oidc/session.h"
#include "require.h"

using oidc::fuzz::require;

namespace {

void check_token(const oidc::StoredToken& token) {
  const std::string text = token.text();
  const std::string kept = token.kept();
  const auto again = oidc::StoredToken::from_kept(kept);
  require(again && *again == token, "a kept token comes back");
  static_cast<void>(token.payload());
  const oidc::StoredToken fresh(text);
  const auto stored = fresh.kept();
  const auto opened = oidc::StoredToken::from_kept(stored);
  require(opened && opened->text() == text, "a token is stored as it came");
  require(opened->payload() == fresh.payload(), "with the same claims");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = oidc::fuzz::text_of(data, size);
  const oidc::Result<oidc::SessionRecord> record = oidc::decode_record(bytes);
  if (!record) {
    require(record.error().code == oidc::Errc::session_record_invalid, "a refusal has its code");
  } else {
    require(oidc::encode_record(*record) == bytes, "a record has one spelling");
    check_token(record->refresh_token);
    check_token(record->id_token);
  }
  const oidc::StoredToken as_it_came(bytes);
  if (!bytes.empty()) check_token(as_it_came);
  return 0;
}
