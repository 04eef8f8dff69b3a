#include "oidc/session_parts.h"

#include <algorithm>
#include <bitset>
#include <utility>

#include "oidc/base64url.h"
#include "oidc/crypto.h"
#include "oidc/deflate.h"

namespace oidc {
namespace {

constexpr std::string_view kPurpose = "session parts";
constexpr unsigned char kVersion = 1;
constexpr unsigned char kDeflated = 1;
constexpr std::size_t kFlagsAt = 1, kCountAt = 2, kIssuedAt = 3, kGenerationAt = 9, kIndexAt = 17;
static_assert(kGenerationAt + kGenerationSize == kIndexAt && kIndexAt + 1 == kPartHeadSize);
constexpr std::size_t kKeyIdSize = 4;
// As the other stores: what a record may take, inflated.
constexpr std::size_t kMaxRecord = 64 * 1024;

using Head = std::array<unsigned char, kPartHeadSize>;
using CommonHead = std::array<unsigned char, kPartHeadSize - 1>;

std::string_view view_of(const unsigned char* bytes, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string additional_data(const unsigned char* head, std::string_view name,
                            std::string_view identity) {
  std::string fields;
  append_field(fields, kPurpose);
  append_field(fields, name);
  append_field(fields, identity);
  append_field(fields, view_of(head, kPartHeadSize - 1));
  return fields;
}

Head make_head(const OpenSession& session, Seconds issued, bool deflated) noexcept {
  Head head{};
  head[0] = kVersion;
  head[kFlagsAt] = deflated ? kDeflated : 0;
  const auto time = static_cast<std::uint64_t>(issued);
  for (std::size_t i = 0; i < 6; ++i) {
    head[kIssuedAt + i] = static_cast<unsigned char>(time >> (8 * (5 - i)));
  }
  std::copy_n(session.generation().begin(), std::min(session.generation().size(), kGenerationSize),
              head.begin() + kGenerationAt);
  return head;
}

std::size_t sealed_text_size(std::size_t record) noexcept {
  return ((kKeyIdSize + record + kAeadOverhead) * 4 + 2) / 3;
}

bool has_common_head(const Head& head, const Head& other) noexcept {
  return std::equal(head.begin(), head.begin() + kIndexAt, other.begin());
}

}  // namespace

std::size_t part_index(std::string_view name, std::string_view base) noexcept {
  if (name.size() != base.size() + 2 || !name.starts_with(base) || name[base.size()] != '_') {
    return 0;
  }
  const char digit = name.back();
  return digit >= '1' && digit < static_cast<char>('1' + kMostParts)
             ? static_cast<std::size_t>(digit - '0')
             : 0;
}

CookieAttributes part_attributes(const CookieAttributes& base, std::size_t index) {
  CookieAttributes attributes = base;
  attributes.name.append("_").append(std::to_string(index));
  return attributes;
}

SealedParts seal_parts(const OpenSession& session, const KeyRing& keys,
                       const CookieAttributes& base, std::string_view identity, Seconds issued,
                       std::size_t limit) {
  std::string record = encode_record(session.record());
  if (record.size() > kMaxRecord) {
    cleanse(record);
    return {{}, record.size()};
  }
  bool deflated = false;
  if (record.size() > kDeflateFrom) {
    std::string smaller = deflate_text(record);
    deflated = smaller.size() < record.size();
    if (deflated) record.swap(smaller);
    cleanse(smaller);
  }
  Head head = make_head(session, issued, deflated);
  const std::size_t around = set_cookie(part_attributes(base, 1), {}, std::nullopt).size();
  const std::size_t room = kPartSize - std::min(around + kPartHeadText, kPartSize - 1);
  const std::size_t text_size = sealed_text_size(record.size());
  const std::size_t count = (text_size + room - 1) / room;
  SealedParts sealed;
  // In a Cookie header: NAME_1=VALUE and what separates it from the next.
  sealed.size = text_size + count * (base.name.size() + 2 + 1 + kPartHeadText + 2);
  if (count > kMostParts || sealed.size > limit) {
    cleanse(record);
    return sealed;
  }
  head[kCountAt] = static_cast<unsigned char>(count);
  const SessionKeys& key = keys.sealing();
  const Sha256 record_key = key.record_key(session.cookie().sid_view());
  std::string payload(key.id());
  payload.append(aead_seal(as_view(record_key), additional_data(head.data(), base.name, identity),
                           record));
  cleanse(record);
  const std::string text = base64url_encode(payload);
  for (std::size_t i = 0; i < count; ++i) {
    head[kIndexAt] = static_cast<unsigned char>(i + 1);
    std::string value = base64url_encode(view_of(head.data(), head.size()));
    sealed.values.push_back(value.append(text, i * room, room));
  }
  return sealed;
}

Seconds PartSet::issued() const noexcept {
  std::uint64_t time = 0;
  for (std::size_t i = 0; i < 6; ++i) time = time << 8 | head[kIssuedAt + i];
  return static_cast<Seconds>(time);
}

std::string_view PartSet::generation() const noexcept {
  return view_of(head.data() + kGenerationAt, kGenerationSize);
}

void PartsFinder::look_at(std::string_view cookie_header) noexcept {
  CookieReader reader(cookie_header);
  while (const std::optional<CookiePair> pair = reader.next()) {
    const std::size_t index = part_index(pair->name, base_);
    if (index == 0) continue;
    seen_ |= 1U << index;
    Part part;
    part.value = pair->value;
    const std::string_view head = part.value.substr(0, kPartHeadText);
    const bool whole = base64url_decode_into(head, part.head) == static_cast<int>(kPartHeadSize);
    const std::size_t count = part.head[kCountAt];
    if (!whole || part.head[0] != kVersion || part.head[kIndexAt] != index || count < index ||
        count > kMostParts || count_ == parts_.size()) {
      continue;
    }
    parts_[count_++] = part;
  }
}

std::optional<PartSet> PartsFinder::complete(std::size_t first) const noexcept {
  PartSet set;
  std::copy_n(parts_[first].head.begin(), set.head.size(), set.head.begin());
  set.count = parts_[first].head[kCountAt];
  std::size_t found = 0;
  for (std::size_t i = first; i < count_; ++i) {
    const Part& part = parts_[i];
    if (!has_common_head(part.head, parts_[first].head)) continue;
    std::string_view& place = set.values[part.head[kIndexAt] - 1U];
    if (place.empty()) {
      place = part.value;
      ++found;
    } else if (place != part.value) {
      return std::nullopt;
    }
  }
  if (found != set.count) return std::nullopt;
  return set;
}

std::optional<PartSet> PartsFinder::set(std::size_t nth) const noexcept {
  std::bitset<kMostSeen> returned;
  for (std::size_t round = 0;; ++round) {
    std::optional<PartSet> newest;
    std::size_t from = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const auto same = [&](const Part& other) { return has_common_head(other.head, parts_[i].head); };
      const auto* before = std::find_if(parts_.data(), parts_.data() + i, same);
      if (returned[i] || before != parts_.data() + i) continue;
      std::optional<PartSet> candidate = complete(i);
      if (!candidate || (newest && candidate->issued() <= newest->issued())) continue;
      newest = candidate;
      from = i;
    }
    if (!newest || round == nth) return newest;
    returned.set(from);
  }
}

Result<std::shared_ptr<const OpenSession>> open_parts(const PartSet& set,
                                                      const SessionCookie& cookie,
                                                      const KeyRing& keys, std::string_view name,
                                                      std::string_view identity) {
  const Error invalid{Errc::session_record_invalid, "the parts do not open"};
  std::string text;
  for (std::size_t i = 0; i < set.count; ++i) text.append(set.values[i].substr(kPartHeadText));
  const Result<std::string> payload = base64url_decode(text);
  if (!payload || payload->size() < kKeyIdSize) return invalid;
  const std::string_view bytes(*payload);
  const SessionKeys* key = keys.find(bytes.substr(0, kKeyIdSize));
  if (key == nullptr) return invalid;
  const Sha256 record_key = key->record_key(cookie.sid_view());
  std::optional<std::string> record =
      aead_open(as_view(record_key), additional_data(set.head.data(), name, identity),
                bytes.substr(kKeyIdSize));
  if (!record) return invalid;
  if ((set.head[kFlagsAt] & kDeflated) != 0) {
    Result<std::string> inflated = inflate_text(*record, kMaxRecord);
    cleanse(*record);
    if (!inflated) return Error{Errc::session_record_invalid, inflated.error().detail};
    record = std::move(*inflated);
  }
  return OpenSession::make(cookie, store_key(cookie.sid_view()), std::string(set.generation()),
                           std::move(*record));
}

}  // namespace oidc
