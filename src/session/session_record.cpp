#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "oidc/crypto.h"
#include "oidc/fields.h"
#include "oidc/session.h"

namespace oidc {
namespace {

constexpr std::uint8_t kRecordVersion = 4;
constexpr char kEnvelopeVersion = 1;
constexpr std::size_t kKeyIdAt = kGenerationSize + 1;
constexpr std::size_t kSealedAt = kKeyIdAt + 4;
constexpr std::string_view kPurpose = "session record";

// Purpose, generation and identity; every one of them has a fixed length.
struct AdditionalData {
  std::array<char, kPurpose.size() + kGenerationSize + 32> bytes;
  std::size_t size = 0;
  AdditionalData(std::string_view generation, std::string_view identity) noexcept {
    add(kPurpose);
    add(generation);
    add(identity.substr(0, 32));
  }
  void add(std::string_view field) noexcept {
    std::memcpy(bytes.data() + size, field.data(), field.size());
    size += field.size();
  }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes.data(), size}; }
};

}  // namespace

std::string encode_record(const SessionRecord& record) {
  FieldWriter out;
  out.u8(kRecordVersion).u8(record.method);
  out.i64(record.created).i64(record.absolute_end).i64(record.access_expires);
  out.i64(record.tokens_since).i64(record.auth_time).i64(record.sid_since);
  out.text(record.subject).text(record.provider_sid).text(record.scope);
  out.text(record.access_token).text(record.refresh_token.kept()).text(record.id_token.kept());
  out.text(record.nonce).text(record.acr).text(record.previous).text(record.remember_sid);
  out.text(record.next_sid).text(record.introspection).i64(record.userinfo_since);
  out.text(record.answer_jwt).text(record.jwk);
  return out.take();
}

Result<SessionRecord> decode_record(std::string_view bytes) {
  FieldReader in(bytes);
  if (in.u8() != kRecordVersion) return Errc::session_record_invalid;
  SessionRecord record;
  record.method = in.u8();
  record.created = in.i64();
  record.absolute_end = in.i64();
  record.access_expires = in.i64();
  record.tokens_since = in.i64();
  record.auth_time = in.i64();
  record.sid_since = in.i64();
  record.subject = in.text();
  record.provider_sid = in.text();
  record.scope = in.text();
  record.access_token = in.text();
  const auto refresh_token = StoredToken::from_kept(in.text());
  const auto id_token = StoredToken::from_kept(in.text());
  if (!refresh_token || !id_token) return Errc::session_record_invalid;
  record.refresh_token = *refresh_token;
  record.id_token = *id_token;
  record.nonce = in.text();
  record.acr = in.text();
  record.previous = in.text();
  record.remember_sid = in.text();
  record.next_sid = in.text();
  record.introspection = in.text();
  record.userinfo_since = in.i64();
  record.answer_jwt = in.text();
  record.jwk = in.text();
  if (!in.complete()) return Errc::session_record_invalid;
  return record;
}

std::string seal_envelope(std::string_view record, std::string_view sid, const KeyRing& keys,
                          std::string_view identity) {
  std::string envelope = random_string(kGenerationSize);
  const AdditionalData additional(envelope, identity);
  const SessionKeys& key = keys.sealing();
  envelope.push_back(kEnvelopeVersion);
  envelope.append(key.id());
  Sha256 record_key = key.record_key(sid);
  envelope.append(aead_seal(as_view(record_key), additional.view(), record));
  return envelope;
}

std::string_view envelope_generation(std::string_view envelope) noexcept {
  return envelope.substr(0, kGenerationSize);
}

int open_envelope_into(std::string_view envelope, std::string_view sid, const KeyRing& keys,
                       std::string_view identity, std::span<unsigned char> out) noexcept {
  if (envelope.size() < kEnvelopeOverhead) return -1;
  if (envelope[kGenerationSize] != kEnvelopeVersion) return -1;
  const SessionKeys* key = keys.find(envelope.substr(kKeyIdAt, 4));
  if (key == nullptr) return -1;
  const AdditionalData additional(envelope_generation(envelope), identity);
  const Sha256 record_key = key->record_key(sid);
  return aead_open_into(as_view(record_key), additional.view(), envelope.substr(kSealedAt), out);
}

OpenSession::OpenSession(SessionCookie cookie, StoreKey key, std::string generation,
                         std::string bytes)
    : cookie_(cookie), key_(key), generation_(std::move(generation)), bytes_(std::move(bytes)) {}

Result<std::shared_ptr<const OpenSession>> OpenSession::make(SessionCookie cookie, StoreKey key,
                                                             std::string generation,
                                                             std::string bytes) {
  std::shared_ptr<OpenSession> session(
      new OpenSession(cookie, key, std::move(generation), std::move(bytes)));
  Result<SessionRecord> record = decode_record(session->bytes_);
  if (!record) return std::move(record).error();
  session->record_ = *record;
  return std::shared_ptr<const OpenSession>(std::move(session));
}

OpenSession::~OpenSession() { cleanse(bytes_); }

Result<std::shared_ptr<const OpenSession>> open_session(std::string_view envelope,
                                                        const SessionCookie& cookie,
                                                        const StoreKey& key, const KeyRing& keys,
                                                        std::string_view identity) {
  if (envelope.size() < kEnvelopeOverhead) {
    return Error{Errc::session_record_invalid, "the record is too short"};
  }
  std::string bytes(envelope.size() - kEnvelopeOverhead, '\0');
  const int size = open_envelope_into(
      envelope, cookie.sid_view(), keys, identity,
      {reinterpret_cast<unsigned char*>(bytes.data()), bytes.size()});
  if (size < 0) return Error{Errc::session_record_invalid, "the record does not open"};
  bytes.resize(static_cast<std::size_t>(size));
  return OpenSession::make(cookie, key, std::string(envelope_generation(envelope)),
                           std::move(bytes));
}

Milliseconds store_ttl(Seconds absolute_end, Seconds idling_timeout, Seconds now) {
  constexpr Seconds kForever = 400 * 86400;  // what browsers keep a cookie for at most
  Seconds left = kForever;
  if (absolute_end != 0) left = std::min(left, absolute_end - now);
  if (idling_timeout != 0) left = std::min(left, idling_timeout);
  return Milliseconds(left * 1000);
}

}  // namespace oidc
