#include "oidc/rules.h"

#include <algorithm>
#include <utility>

#include "rule_values.h"

namespace oidc {
namespace {

std::uint64_t next_id() noexcept {
  static std::uint64_t last = 0;
  return ++last;
}

bool meets(const WordsRule& rule, const Json& claim) {
  return std::any_of(
      rule.alternatives.begin(), rule.alternatives.end(), [&claim](const auto& words) {
        return std::all_of(words.begin(), words.end(),
                           [&claim](const std::string& word) { return has_word(claim, word); });
      });
}

Error refusal(Errc code, std::string_view rule, const RulePath& claim, std::string_view what) {
  std::string detail(rule);
  detail.append(": ").append(claim.text).append(" ").append(what);
  return {code, std::move(detail)};
}

// Why a rule on a claim that is missing does not hold.
Error missing(Errc code, std::string_view rule, const RulePath& claim, const Claims& claims) {
  if (!claims.is_elsewhere(claim.path)) return refusal(code, rule, claim, "is missing");
  return refusal(Errc::claims_elsewhere, rule, claim,
                 "is not in the token: _claim_names or hasgroups says that it is kept elsewhere");
}

bool is_audience(const WordsRule& rule) { return rule.directive == "oidc_audience_required"; }

std::string first_scope(const RuleSet& set) {
  std::string scope;
  for (const WordsRule& rule : set.words) {
    if (rule.otherwise != Errc::scope_insufficient) continue;
    for (const std::string& word : rule.alternatives.front()) {
      if (!scope.empty()) scope.push_back(' ');
      scope.append(word);
    }
  }
  return scope;
}

}  // namespace

Rules::Rules(RuleSet set)
    : set_(std::move(set)), id_(next_id()), wanted_scope_(first_scope(set_)) {
  has_audience_ = set_.any_audience ||
                  std::any_of(set_.words.begin(), set_.words.end(), is_audience);
}

bool Rules::meets_audience(const Claims& claims) const {
  return std::all_of(set_.words.begin(), set_.words.end(), [&claims](const WordsRule& rule) {
    if (!is_audience(rule)) return true;
    const Json* claim = claims.find(rule.claim.path);
    return claim != nullptr && meets(rule, *claim);
  });
}

Result<void> Rules::check(const Claims& claims) const {
  for (const RulePath& path : set_.forbidden) {
    if (claims.unreadable()) {
      return refusal(Errc::forbidden, "oidc_claims_forbidden", path,
                     "may be in a token that cannot be read");
    }
    if (claims.contains(path.path)) {
      return refusal(Errc::forbidden, "oidc_claims_forbidden", path, "is there");
    }
  }
  for (const ClaimRule& rule : set_.claims) {
    const Json* claim = claims.find(rule.claim.path);
    if (claim != nullptr && holds(rule, *claim)) continue;
    std::string line("oidc_require ");
    line.append(rule.op_text);
    if (claim == nullptr) return missing(Errc::forbidden, line, rule.claim, claims);
    return refusal(Errc::forbidden, line, rule.claim, "does not hold");
  }
  for (const WordsRule& rule : set_.words) {
    const Json* claim = claims.find(rule.claim.path);
    if (claim != nullptr && meets(rule, *claim)) continue;
    if (claim == nullptr) return missing(rule.otherwise, rule.directive, rule.claim, claims);
    return refusal(rule.otherwise, rule.directive, rule.claim, "has none of the alternatives");
  }
  return {};
}

Errc Rules::judge(const OpenSession& session) const {
  if (set_.words.empty() && set_.claims.empty() && set_.forbidden.empty()) return Errc::none;
  if (const std::optional<Errc> said = session.verdicts().find(id_)) return *said;
  const Result<void> checked = check(Claims(session.record()));
  const Errc said = checked ? Errc::none : checked.error().code;
  session.verdicts().keep(id_, said);
  return said;
}

Errc judge(const Settings& settings, const OpenSession& session) {
  return settings.rules == nullptr ? Errc::none : settings.rules->judge(session);
}

}  // namespace oidc
