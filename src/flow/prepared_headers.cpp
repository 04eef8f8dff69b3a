#include "oidc/prepared_headers.h"

#include <algorithm>

#include "answers.h"
#include "gateway_jwt.h"
#include "oidc/base64url.h"
#include "oidc/claims.h"
#include "oidc/crypto.h"
#include "oidc/presented_token.h"
#include "oidc/url.h"

namespace oidc {
namespace {

using Source = IdentityHeader::Source;
using Encoding = IdentityHeader::Encoding;

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::string encoded(std::string text, Encoding encoding) {
  switch (encoding) {
    case Encoding::base64url:
      return base64url_encode(text);
    case Encoding::percent:
      return percent_for_header(text);
    case Encoding::plain:
      break;
  }
  return is_printable(text) ? text : std::string();
}

std::string jwk_of_access_token(const SessionRecord& record) {
  return is_token(record) ? base64url_encode(record.jwk) : std::string();
}

std::string jwk_of_id_token(const SessionRecord& record) {
  return is_token(record) ? std::string() : base64url_encode(record.jwk);
}

// What one session gives, for all of its headers.
class Maker {
 public:
  Maker(const Settings& settings, const OpenSession& session, Seconds now)
      : settings_(settings.headers),
        provider_(settings.provider.issuer),
        session_(session),
        record_(session.record()),
        now_(now) {}

  [[nodiscard]] std::string value_of(const IdentityHeader& header) {
    switch (header.source) {
      case Source::access_token:
        return {};
      case Source::access_token_jwk:
        return jwk_of_access_token(record_);
      case Source::id_token:
        return record_.id_token.text();
      case Source::id_token_jwk:
        return jwk_of_id_token(record_);
      case Source::refresh_token:
        return record_.refresh_token.text();
      case Source::session_id:
        return is_token(record_) ? std::string() : log_id(session_.key());
      case Source::user_info:
        return base64url_encode(userinfo_of(record_));
      case Source::user_info_jwt:
        return userinfo_of(record_).empty() ? std::string() : std::string(record_.answer_jwt);
      case Source::introspection:
        return base64url_encode(introspection_of(record_));
      case Source::introspection_jwt:
        return introspection_of(record_).empty() ? std::string() : std::string(record_.answer_jwt);
      case Source::claim:
        return claim(header);
      case Source::gateway_jwt:
        return sign_gateway_jwt(settings_.jwts[header.jwt], provider_, record_, claims(), now_);
    }
    return {};
  }

 private:
  [[nodiscard]] const HeaderClaims& claims() {
    if (!claims_) claims_.emplace(record_);
    return *claims_;
  }
  [[nodiscard]] std::string claim(const IdentityHeader& header) {
    const Json* value = claims().find(header.path);
    return value == nullptr ? std::string() : encoded(claim_text(*value), header.encoding);
  }

  const HeaderSettings& settings_;
  std::string_view provider_;
  const OpenSession& session_;
  const SessionRecord& record_;
  Seconds now_;
  std::optional<HeaderClaims> claims_;
};

// A value that no header can carry is none: tokens and answers come from elsewhere.
std::vector<std::string> values_of(Maker& maker, const std::vector<IdentityHeader>& headers) {
  std::vector<std::string> values;
  values.reserve(headers.size());
  for (const IdentityHeader& header : headers) {
    std::string value = maker.value_of(header);
    if (!is_printable(value)) value.clear();
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace

std::string percent_for_header(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 0x20 && c < 0x7f && c != '%') {
      out.push_back(c);
    } else {
      out.append(percent_encode(std::string_view(&c, 1)));
    }
  }
  return out;
}

PreparedHeaders::PreparedHeaders(const Settings& settings, const OpenSession& session,
                                 Seconds now) {
  Maker maker(settings, session, now);
  upstream_ = values_of(maker, settings.headers.upstream);
  downstream_ = values_of(maker, settings.headers.downstream);
  for (const GatewayJwt& jwt : settings.headers.jwts) {
    const Seconds until = gateway_jwt_until(jwt, session.record(), now);
    if (until_ == 0 || until < until_) until_ = until;
  }
}

PreparedHeaders::~PreparedHeaders() {
  for (std::string& value : upstream_) cleanse(value);
  for (std::string& value : downstream_) cleanse(value);
}

std::size_t PreparedHeaders::bytes() const noexcept {
  std::size_t bytes = sizeof *this;
  for (const auto* values : {&upstream_, &downstream_}) {
    for (const std::string& value : *values) bytes += sizeof value + value.capacity();
  }
  return bytes;
}

ReadyHeaders::ReadyHeaders(const Settings& settings, const OpenSession& session, Seconds now)
    : settings_(settings.headers), record_(session.record()) {
  if (!settings_.prepared) return;
  prepared_ = session.preparations().find(settings_.id);
  if (prepared_ && (prepared_->until() == 0 || now < prepared_->until())) return;
  prepared_ = std::make_shared<const PreparedHeaders>(settings, session, now);
  session.preparations().keep(settings_.id, prepared_, prepared_->bytes());
}

Result<void> ReadyHeaders::check_size() const {
  constexpr std::size_t kAround = 4;  // ": " and the line's end
  std::size_t total = 0, largest = 0;
  std::string_view name;
  const auto add = [&](std::string_view header, std::string_view prefix, std::string_view value) {
    const std::size_t size = header.size() + kAround + prefix.size() + value.size();
    total += size;
    if (size <= largest) return;
    largest = size;
    name = header;
  };
  for_each_upstream(add);
  const std::size_t most = settings_.most_bytes;
  const bool upstream_fits = total <= most && largest <= most / 2;
  if (upstream_fits) {
    total = largest = 0;
    for_each_downstream(add);
    if (total <= most && largest <= most / 2) return {};
  }
  std::string detail(name);
  detail.append(" has ").append(std::to_string(largest)).append(" bytes, all headers ");
  detail.append(std::to_string(total)).append(upstream_fits ? " (downstream)" : " (upstream)");
  detail.append("; oidc_headers_size allows ").append(std::to_string(most));
  detail.append(" for all and half of that for one: send claims instead of tokens, ask for smaller "
                "tokens, or raise it together with the limits of who receives them");
  return Error{Errc::headers_too_large, std::move(detail)};
}

Outcome refuse_headers(Services& services, const RequestFacts& facts, Error why) {
  return deny(services, facts, std::move(why));
}

}  // namespace oidc
