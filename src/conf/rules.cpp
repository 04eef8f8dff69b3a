// Who may pass, by claims.
#include <algorithm>
#include <array>
#include <charconv>

#include "setters.h"

namespace oidc {
namespace {

using namespace setters;
using Operator = ClaimRule::Operator;

constexpr Choices<Operator, 10> kOperators = {{
    {"=", Operator::equal},
    {"!=", Operator::not_equal},
    {"in", Operator::in},
    {"contains", Operator::contains},
    {"matches", Operator::matches},
    {">=", Operator::at_least},
    {"<=", Operator::at_most},
    {">", Operator::above},
    {"<", Operator::below},
    {"exists", Operator::exists},
}};

Result<RulePath> rule_path(const std::string& word) {
  Result<ClaimPath> path = ClaimPath::parse(word);
  if (!path || !is_one_line(word) || word == "off") {
    return bad_value(word, "the path of a claim such as email or realm_access.roles is expected; a "
                           "dot inside a name is written \\.");
  }
  return RulePath{word, std::move(*path)};
}

bool is_same(const RulePath& a, const RulePath& b) { return a.path.names() == b.path.names(); }

// ---- oidc_{scopes,audience,groups,roles}_required and _claim ------------------------------------

Result<std::vector<std::string>> split_alternative(const std::string& text) {
  std::vector<std::string> words;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t space = std::min(rest.find(' '), rest.size());
    const std::string word(rest.substr(0, space));
    rest.remove_prefix(std::min(space + 1, rest.size()));
    if (word.empty()) continue;
    if (std::find(words.begin(), words.end(), word) != words.end()) {
      return bad_value(text, "it has a word twice");
    }
    words.push_back(word);
  }
  if (words.empty() || !is_one_line(text)) {
    return bad_value(text, "a word is expected, or several in quotes that are all needed");
  }
  return words;
}

bool covers(const std::vector<std::string>& less, const std::vector<std::string>& more) {
  return std::all_of(less.begin(), less.end(), [&more](const std::string& word) {
    return std::find(more.begin(), more.end(), word) != more.end();
  });
}

template <WordsDraft::Kind Kind>
Result<void> words_required(SettingsDraft& draft, const DirectiveUse& use) {
  WordsDraft& target = draft.words_rules[static_cast<std::size_t>(Kind)];
  target.alternatives.clear();
  target.any = false;
  if (is_off(use.words)) return {};
  if (Kind == WordsDraft::Kind::audience && use.words[0] == "any" && use.words.size() == 1) {
    target.any = true;
    return {};
  }
  for (const std::string& word : use.words) {
    if (word == "off" || (Kind == WordsDraft::Kind::audience && word == "any")) {
      return bad_value(word, "it stands alone");
    }
    Result<std::vector<std::string>> words = split_alternative(word);
    if (!words) return std::move(words).error();
    for (const auto& other : target.alternatives) {
      if (covers(other, *words) || covers(*words, other)) {
        return bad_value(word, "whoever meets it meets another alternative too, or the other way "
                               "round: one of them says nothing");
      }
    }
    target.alternatives.push_back(std::move(*words));
  }
  return {};
}

template <WordsDraft::Kind Kind>
Result<void> words_claim(SettingsDraft& draft, const DirectiveUse& use) {
  return assign(draft.words_rules[static_cast<std::size_t>(Kind)].claim, rule_path(use.words[0]));
}

// ---- oidc_domains -------------------------------------------------------------------------------

Result<void> domains(SettingsDraft& draft, const DirectiveUse& use) {
  std::vector<std::string>& target = draft.domains;
  target.clear();
  if (is_off(use.words)) return {};
  for (const std::string& word : use.words) {
    const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
    if (!plain || word == "off") {
      return bad_value(word, "a domain in lower case is expected, as in example.com");
    }
    if (std::find(target.begin(), target.end(), word) != target.end()) {
      return bad_value(word, "it is there twice");
    }
    target.push_back(word);
  }
  return {};
}

// A claim as any other: hd is Google's, of the ID token.
Result<void> add_domains(const std::vector<std::string>& domains, RuleSet& rules) {
  if (domains.empty()) return {};
  WordsRule rule;
  rule.directive = "oidc_domains";
  Result<void> taken = assign(rule.claim, rule_path("hd"));
  if (!taken) return taken;
  for (const std::string& domain : domains) rule.alternatives.push_back({domain});
  rules.words.push_back(std::move(rule));
  return {};
}

// ---- oidc_claims_forbidden ----------------------------------------------------------------------

Result<void> claims_forbidden(SettingsDraft& draft, const DirectiveUse& use) {
  std::vector<RulePath>& target = draft.rules.forbidden;
  target.clear();
  if (is_off(use.words)) return {};
  for (const std::string& word : use.words) {
    Result<RulePath> path = rule_path(word);
    if (!path) return std::move(path).error();
    for (const RulePath& other : target) {
      if (is_same(other, *path)) return bad_value(word, "it is there twice");
    }
    target.push_back(std::move(*path));
  }
  return {};
}

// ---- oidc_require -------------------------------------------------------------------------------

RuleValue rule_value(const std::string& word) {
  RuleValue value{word, std::nullopt};
  std::int64_t number = 0;
  const char* const end = word.data() + word.size();
  const auto [rest, failure] = std::from_chars(word.data(), end, number);
  if (failure == std::errc() && rest == end) value.number = number;
  return value;
}

Result<void> check_count(Operator op, const std::string& word, std::size_t values) {
  switch (op) {
    case Operator::exists:
      if (values == 0) return {};
      return bad_value(word, "it takes no value");
    case Operator::in:
    case Operator::contains:
      if (values > 0) return {};
      return bad_value(word, "at least one value is expected after it");
    default:
      if (values == 1) return {};
      return bad_value(word, "exactly one value is expected after it; \"in\" takes several");
  }
}

Result<void> take_values(ClaimRule& rule, const DirectiveUse& use) {
  for (std::size_t i = 2; i < use.words.size(); ++i) {
    const std::string& word = use.words[i];
    for (const RuleValue& other : rule.values) {
      if (other.text == word) return bad_value(word, "it is there twice");
    }
    rule.values.push_back(rule_value(word));
  }
  const bool orders = rule.op == Operator::at_least || rule.op == Operator::at_most ||
                      rule.op == Operator::above || rule.op == Operator::below;
  if (orders && !rule.values.front().number) {
    return bad_value(rule.values.front().text, "a whole number is expected");
  }
  if (rule.op != Operator::matches) return {};
  Result<Pattern> pattern = Pattern::compile(rule.values.front().text);
  if (!pattern) {
    std::string why("a regular expression is expected: ");
    return bad_value(rule.values.front().text, why.append(pattern.error().detail));
  }
  rule.pattern = std::move(*pattern);
  return {};
}

bool same_values(const ClaimRule& a, const ClaimRule& b) {
  return std::equal(a.values.begin(), a.values.end(), b.values.begin(), b.values.end(),
                    [](const RuleValue& x, const RuleValue& y) { return x.text == y.text; });
}

Result<void> check_against(const ClaimRule& rule, const std::vector<ClaimRule>& others) {
  for (const ClaimRule& other : others) {
    if (!is_same(rule.claim, other.claim) || !same_values(rule, other)) continue;
    if (rule.op == other.op) return bad_value(rule.claim.text, "the same rule is there twice");
    const bool opposite = (rule.op == Operator::equal && other.op == Operator::not_equal) ||
                          (rule.op == Operator::not_equal && other.op == Operator::equal);
    if (opposite) {
      return bad_value(rule.claim.text, "another rule demands the opposite: nobody could pass");
    }
  }
  return {};
}

Result<void> require(SettingsDraft& draft, const DirectiveUse& use) {
  if (is_off(use.words)) {
    draft.rules.claims.clear();
    return {};
  }
  if (use.words.size() < 2) {
    return bad_value(use.words[0], "the path of a claim and an operator are expected, as in "
                                   "\"oidc_require email_verified = true\"");
  }
  ClaimRule rule;
  Result<void> taken = assign(rule.claim, rule_path(use.words[0]));
  if (taken) taken = assign(rule.op, choose(kOperators, use.words[1]));
  if (taken) taken = check_count(rule.op, use.words[1], use.words.size() - 2);
  if (taken) taken = take_values(rule, use);
  if (taken) taken = check_against(rule, draft.rules.claims);
  if (!taken) return taken;
  rule.op_text = use.words[1];
  draft.rules.claims.push_back(std::move(rule));
  return {};
}

// ---- the tables ---------------------------------------------------------------------------------

struct KindNames {
  std::string_view required, claim;
  Errc otherwise;
};
constexpr std::array<KindNames, 4> kKinds = {{
    {"oidc_scopes_required", "oidc_scopes_claim", Errc::scope_insufficient},
    {"oidc_audience_required", "oidc_audience_claim", Errc::forbidden},
    {"oidc_groups_required", "oidc_groups_claim", Errc::forbidden},
    {"oidc_roles_required", "oidc_roles_claim", Errc::forbidden},
}};

using Kind = WordsDraft::Kind;
constexpr Directive kDirectives[] = {
    {"oidc_scopes_required", 1, kManyWords, Contexts::all, false, "off",
     words_required<Kind::scopes>},
    {"oidc_scopes_claim", 1, 1, Contexts::all, false, "scope", words_claim<Kind::scopes>},
    {"oidc_audience_required", 1, kManyWords, Contexts::all, false, "off",
     words_required<Kind::audience>},
    {"oidc_audience_claim", 1, 1, Contexts::all, false, "aud", words_claim<Kind::audience>},
    {"oidc_groups_required", 1, kManyWords, Contexts::all, false, "off",
     words_required<Kind::groups>},
    {"oidc_groups_claim", 1, 1, Contexts::all, false, "groups", words_claim<Kind::groups>},
    {"oidc_roles_required", 1, kManyWords, Contexts::all, false, "off",
     words_required<Kind::roles>},
    {"oidc_roles_claim", 1, 1, Contexts::all, false, "roles", words_claim<Kind::roles>},
    {"oidc_domains", 1, kManyWords, Contexts::all, false, "off", domains},
    {"oidc_claims_forbidden", 1, kManyWords, Contexts::all, false, "off", claims_forbidden},
    {"oidc_require", 1, kManyWords, Contexts::all, true, "", require},
};

// Whether what `inner` names is `outer` or inside of it.
bool is_within(const RulePath& inner, const RulePath& outer) {
  const auto& names = outer.path.names();
  const auto& deeper = inner.path.names();
  return deeper.size() >= names.size() && std::equal(names.begin(), names.end(), deeper.begin());
}

Result<void> check_forbidden(SettingsDraft& draft) {
  const RuleSet& rules = draft.rules;
  const auto demanded = [&](const RulePath& forbidden) {
    const auto inside = [&forbidden](const auto& rule) {
      return is_within(rule.claim, forbidden);
    };
    return std::any_of(rules.words.begin(), rules.words.end(), inside) ||
           std::any_of(rules.claims.begin(), rules.claims.end(), inside);
  };
  for (const RulePath& forbidden : rules.forbidden) {
    if (!demanded(forbidden)) continue;
    return draft.conflict("oidc_claims_forbidden", "another rule demands the claim " +
                                                       forbidden.text + ": nobody could pass");
  }
  return {};
}

}  // namespace

std::span<const Directive> rule_directives() {
  return kDirectives;
}

Result<void> finish_rules(SettingsDraft& draft) {
  RuleSet& rules = draft.rules;
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    WordsDraft& words = draft.words_rules[i];
    rules.any_audience = rules.any_audience || words.any;
    if (words.alternatives.empty()) continue;
    rules.words.push_back({std::string(kKinds[i].required), words.claim, words.alternatives,
                           kKinds[i].otherwise});
  }
  Result<void> checked = add_domains(draft.domains, rules);
  if (checked) checked = check_forbidden(draft);
  if (!checked) return checked;
  const bool some = !rules.words.empty() || !rules.claims.empty() || !rules.forbidden.empty();
  if (some && draft.settings.unauthenticated == Unauthenticated::pass) {
    draft.warn("oidc_unauthenticated", "pass: whoever sends no credential passes, and no rule on "
                                       "claims is applied to that");
  }
  // What says who the user is; scopes and audience are the access token's own.
  std::vector<ClaimPath>& wanted = draft.settings.userinfo.wanted;
  for (const ClaimRule& rule : rules.claims) wanted.push_back(rule.claim.path);
  for (const WordsRule& rule : rules.words) {
    const bool of_token = rule.directive == "oidc_scopes_required" ||
                          rule.directive == "oidc_audience_required";
    if (!of_token) wanted.push_back(rule.claim.path);
  }
  if (some || rules.any_audience) {
    draft.settings.rules = std::make_shared<const Rules>(std::move(rules));
  }
  return {};
}

}  // namespace oidc
