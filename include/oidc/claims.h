// The claims of an identity, from all that its record holds.
#pragma once

#include <string>
#include <vector>

#include "oidc/json.h"
#include "oidc/session.h"

namespace oidc {

// Parsed when made. What the provider said of the token (introspection), the access token itself where
// it came from the provider or was verified here, the ID token; last the scope of the token endpoint's
// answer, for an access token that says none.
class Claims {
 public:
  explicit Claims(const SessionRecord& record);
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;
  ~Claims();

  // Of the first that has it; null counts as absent.
  [[nodiscard]] const Json* find(const ClaimPath& path) const;
  // Whether any has it, null or not.
  [[nodiscard]] bool contains(const ClaimPath& path) const;
  // Whether there is a document that looks like one and cannot be read: it may hold anything.
  [[nodiscard]] bool unreadable() const noexcept { return unreadable_; }

 private:
  void add(std::string_view document);

  std::vector<Json> documents_;
  bool unreadable_ = false;
};

}  // namespace oidc
