// Who may pass: rules on the claims of an identity, compiled when the configuration is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oidc/claims.h"
#include "oidc/json.h"
#include "oidc/pattern.h"
#include "oidc/result.h"
#include "oidc/settings.h"

namespace oidc {

// A path with the words by which the configuration names it.
struct RulePath {
  std::string text;
  ClaimPath path;
};

// oidc_{scopes,audience,groups,roles}_required
struct WordsRule {
  std::string directive;
  RulePath claim;
  std::vector<std::vector<std::string>> alternatives;  // one of them, with all its words
  Errc otherwise = Errc::forbidden;
};

// One value of oidc_require.
struct RuleValue {
  std::string text;
  std::optional<std::int64_t> number;  // where the text is a whole number
};

// oidc_require
struct ClaimRule {
  enum class Operator : std::uint8_t {
    equal, not_equal, in, contains, matches, at_least, at_most, above, below, exists
  };
  RulePath claim;
  Operator op = Operator::exists;
  std::string op_text;
  std::vector<RuleValue> values;
  std::optional<Pattern> pattern;  // of matches
};

struct RuleSet {
  std::vector<WordsRule> words;
  std::vector<ClaimRule> claims;
  std::vector<RulePath> forbidden;  // oidc_claims_forbidden
  bool any_audience = false;        // oidc_audience_required any
};

class Rules {
 public:
  explicit Rules(RuleSet set);

  // forbidden or scope_insufficient; the detail names the rule and its claim, never a value.
  [[nodiscard]] Result<void> check(const Claims& claims) const;
  // The same of a session, whose tokens are read at the first time alone.
  [[nodiscard]] Errc judge(const OpenSession& session) const;

  // Whether oidc_audience_required is met, where it is there: a token for somebody else is not one
  // with too few rights.
  [[nodiscard]] bool meets_audience(const Claims& claims) const;

  // oidc_audience_required stands there, if only with `any` (security decision 21).
  [[nodiscard]] bool has_audience() const noexcept { return has_audience_; }
  [[nodiscard]] bool any_audience() const noexcept { return set_.any_audience; }
  // What oidc_scopes_required asks for, for RFC 6750's `scope`: its first alternative, words separated
  // by spaces; empty where there is no such rule.
  [[nodiscard]] const std::string& wanted_scope() const noexcept { return wanted_scope_; }

 private:
  RuleSet set_;
  std::uint64_t id_;  // of no other Rules of this process, gone ones included
  bool has_audience_ = false;
  std::string wanted_scope_;
};

// Whether the session may pass under these settings' rules, if there are any.
[[nodiscard]] Errc judge(const Settings& settings, const OpenSession& session);

}  // namespace oidc
