// The headers that say who the user is, as they go out: made once of an opened session, kept with it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/flow.h"
#include "oidc/result.h"
#include "oidc/session.h"
#include "oidc/settings.h"

namespace oidc {

// Text as a header may carry it: printable ASCII as it is, everything else and '%' percent-encoded.
[[nodiscard]] std::string percent_for_header(std::string_view text);

// The claims of headers and variables: of a token that the provider was asked about its answer comes
// first; then the ID token, which was verified, the access token where it is known, and a session's
// userinfo.
class HeaderClaims {
 public:
  explicit HeaderClaims(const SessionRecord& record);
  HeaderClaims(const HeaderClaims&) = delete;
  HeaderClaims& operator=(const HeaderClaims&) = delete;
  ~HeaderClaims();
  // Of the first that has it; null counts as absent.
  [[nodiscard]] const Json* find(const ClaimPath& path) const;

 private:
  void add(std::string_view document);

  std::vector<Json> documents_;
};
[[nodiscard]] std::optional<std::string> session_claim(const OpenSession& session,
                                                       const ClaimPath& path);

// The values of HeaderSettings' lists, in their order. Empty: not sent, or an access token as it is, which
// stays in the record.
class PreparedHeaders {
 public:
  PreparedHeaders(const Settings& settings, const OpenSession& session, Seconds now);
  PreparedHeaders(const PreparedHeaders&) = delete;
  PreparedHeaders& operator=(const PreparedHeaders&) = delete;
  ~PreparedHeaders();

  [[nodiscard]] const std::vector<std::string>& upstream() const noexcept { return upstream_; }
  [[nodiscard]] const std::vector<std::string>& downstream() const noexcept { return downstream_; }
  // Made anew from then on; 0: never.
  [[nodiscard]] Seconds until() const noexcept { return until_; }
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  std::vector<std::string> upstream_, downstream_;
  Seconds until_ = 0;
};

// Of one request. Keeps settings and session by reference.
class ReadyHeaders {
 public:
  ReadyHeaders(const Settings& settings, const OpenSession& session, Seconds now);

  // headers_too_large; the detail names the header, its size and what would help.
  [[nodiscard]] Result<void> check_size() const;

  // Calls body(name, prefix, value) for each header that has a value: the prefix and the value, one after
  // the other, are what goes out.
  template <class Body>
  void for_each_upstream(Body body) const {
    for_each(settings_.upstream, prepared_ ? &prepared_->upstream() : nullptr, body);
  }
  template <class Body>
  void for_each_downstream(Body body) const {
    for_each(settings_.downstream, prepared_ ? &prepared_->downstream() : nullptr, body);
  }

 private:
  template <class Body>
  void for_each(const std::vector<IdentityHeader>& headers, const std::vector<std::string>* values,
                Body& body) const {
    for (std::size_t i = 0; i < headers.size(); ++i) {
      std::string_view value;
      if (headers[i].source == IdentityHeader::Source::access_token) {
        value = record_.access_token;
      } else if (values != nullptr) {
        value = (*values)[i];
      }
      if (value.empty()) continue;
      body(std::string_view(headers[i].name),
           headers[i].bearer ? std::string_view("Bearer ") : std::string_view(), value);
    }
  }

  const HeaderSettings& settings_;
  const SessionRecord& record_;
  std::shared_ptr<const PreparedHeaders> prepared_;  // null: there is nothing to prepare
};

// What is answered where they cannot be sent.
[[nodiscard]] Outcome refuse_headers(Services& services, const RequestFacts& facts, Error why);

}  // namespace oidc
