#include "oidc/settings_builder.h"

#include <algorithm>
#include <stdexcept>

#include "draft.h"
#include "oidc/crypto.h"
#include "values.h"

namespace oidc {
namespace {

// Later checks read what earlier ones completed.
constexpr Result<void> (*kChecks[])(SettingsDraft&) = {
    finish_provider, finish_client,  finish_authorization, finish_general, finish_login,
    finish_logout,   finish_session, finish_redis,         finish_cache,    finish_token,
    finish_headers,  finish_rules,   finish_credentials,   finish_grants,  finish_token_requests,
    finish_encryption, finish_cache_ttl,
};

DirectiveUse default_use(const Directive& directive) {
  DirectiveUse use;
  std::string_view text = directive.default_text;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    use.words.emplace_back(text.substr(0, space));
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return use;
}

Result<void> apply_line(SettingsDraft& draft, const Directive& directive, const DirectiveUse& use) {
  Result<void> applied = directive.apply(draft, use);
  if (applied) return {};
  return draft.conflict(directive.name, applied.error().detail);
}

Result<void> apply_directives(SettingsDraft& draft) {
  const std::span<const Directive> all = directives();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const DirectiveWords::Lines* lines = draft.words->get(i);
    if (lines == nullptr) {
      if (all[i].default_text.empty()) continue;
      Result<void> applied = all[i].apply(draft, default_use(all[i]));
      if (!applied) return applied;
      continue;
    }
    for (const DirectiveUse& use : *lines) {
      Result<void> applied = apply_line(draft, all[i], use);
      if (!applied) return applied;
    }
  }
  return {};
}

std::string identity(const Settings& settings) {
  std::string fields;
  append_field(fields, settings.provider.issuer);
  append_field(fields, settings.client.id);
  append_field(fields, settings.session.audience);
  return std::string(as_view(sha256(fields)));
}

}  // namespace

const DirectiveWords::Lines* DirectiveWords::get(std::string_view name) const {
  const std::optional<std::size_t> directive = find_directive(name);
  if (!directive) throw std::logic_error("no such directive");
  return lines_[*directive];
}

bool DirectiveWords::flag(std::string_view name) const {
  if (const Lines* lines = get(name)) return lines->front().words[0] == "on";
  return directives()[*find_directive(name)].default_text == "on";
}

Result<void> check_directive(std::size_t directive, const DirectiveUse& use,
                             const BuildFacts& facts) {
  SettingsDraft draft(facts);
  return directives()[directive].apply(draft, use);
}

Result<std::unique_ptr<Settings>> build_settings(const DirectiveWords& words,
                                                 const BuildFacts& facts,
                                                 std::vector<std::string>& warnings) {
  SettingsDraft draft(facts);
  draft.words = &words;
  Result<void> applied = apply_directives(draft);
  if (!applied) return std::move(applied).error();
  for (const auto check : kChecks) {
    Result<void> checked = check(draft);
    if (!checked) return std::move(checked).error();
  }
  draft.settings.identity = identity(draft.settings);
  draft.settings.fingerprint = fingerprint(words);
  Result<void> cookies = finish_cookies(draft);
  if (!cookies) return std::move(cookies).error();
  warnings.insert(warnings.end(), draft.warnings.begin(), draft.warnings.end());
  return std::make_unique<Settings>(std::move(draft.settings));
}

std::vector<Value*> variable_values(Settings& settings) {
  std::vector<Value*> values = {&settings.authorization.redirect_uri, &settings.login.redirect_uri,
                                &settings.logout.redirect_uri};
  for (auto& [name, value] : settings.authorization.query_args) values.push_back(&value);
  for (auto& [name, value] : settings.token.post_args) values.push_back(&value);
  for (auto& [name, value] : settings.token.headers) values.push_back(&value);
  return values;
}

std::string fingerprint(const DirectiveWords& words) {
  std::string fields;
  const std::span<const Directive> all = directives();
  for (std::size_t i = 0; i < all.size(); ++i) {
    // These are the location's own business.
    constexpr std::string_view kOwn[] = {"oidc", "oidc_clear_headers", "oidc_session_admin",
                                         "oidc_client_jwks", "oidc_resource_metadata",
                                         "oidc_status"};
    if (std::find(std::begin(kOwn), std::end(kOwn), all[i].name) != std::end(kOwn)) continue;
    const DirectiveWords::Lines* lines = words.get(i);
    if (lines == nullptr) continue;
    for (const DirectiveUse& use : *lines) {
      append_field(fields, all[i].name);
      append_field(fields, std::to_string(use.words.size()));
      for (const std::string& word : use.words) append_field(fields, word);
    }
  }
  return std::string(as_view(sha256(fields)));
}

}  // namespace oidc
