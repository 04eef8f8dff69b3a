// The claims of an identity, from all that its record holds.
#pragma once

#include <string>
#include <vector>

#include "oidc/json.h"
#include "oidc/session.h"

namespace oidc {

// Whether the access token came from the provider itself or was verified here: what only the provider
// was asked about has no claims but those of its answer.
[[nodiscard]] bool is_access_token_known(const SessionRecord& record) noexcept;
// What the provider said of the user (userinfo); empty: it was not asked.
[[nodiscard]] std::string_view userinfo_of(const SessionRecord& record) noexcept;
// What the provider said of the token (introspection); empty: it was not asked.
[[nodiscard]] std::string_view introspection_of(const SessionRecord& record) noexcept;

// Parsed when made. What the provider said of the token (introspection, userinfo), the access token
// itself where it is known, the ID token, the session's userinfo; last the scope of the token endpoint's
// answer, for an access token that says none.
class Claims {
 public:
  explicit Claims(const SessionRecord& record);
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;
  ~Claims();

  // Of the first that has it; null counts as absent.
  [[nodiscard]] const Json* find(const ClaimPath& path) const;
  // Whether any has it, null or not; a JWT that was taken to the userinfo endpoint counts here, too.
  [[nodiscard]] bool contains(const ClaimPath& path) const;
  // Whether a document says that the claim is to be had somewhere else: distributed and aggregated
  // claims (Core 5.6.2), and Entra ID's overage of groups. Nobody goes there.
  [[nodiscard]] bool is_elsewhere(const ClaimPath& path) const;
  // Whether there is a document that looks like one and cannot be read: it may hold anything.
  [[nodiscard]] bool unreadable() const noexcept { return unreadable_; }

 private:
  void add(std::string_view document, bool contained_only = false);

  std::vector<Json> documents_;
  std::vector<Json> contained_;  // for contains() alone
  bool unreadable_ = false;
};

}  // namespace oidc
