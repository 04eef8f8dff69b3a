// What the parsers of single directives fill and the checks of combinations read.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/directives.h"
#include "oidc/rules.h"
#include "oidc/settings_builder.h"

namespace oidc {

// oidc_{scopes,audience,groups,roles}_required and _claim.
struct WordsDraft {
  enum class Kind : std::size_t { scopes, audience, groups, roles };
  RulePath claim;
  std::vector<std::vector<std::string>> alternatives;
  bool any = false;  // of audience
};

struct SettingsDraft {
  explicit SettingsDraft(const BuildFacts& its_facts) : facts(its_facts) {}

  const BuildFacts& facts;
  const DirectiveWords* words = nullptr;  // null while a single line is checked
  std::vector<std::string> warnings;

  Settings settings;
  // What directives say that Settings do not keep, for the checks of combinations.
  std::string issuer;  // as written: may be the discovery document's URL
  std::optional<AlgSet> signing_algs, id_token_algs, access_token_algs;
  bool login_acts = true;  // oidc_login_methods
  Seconds cache_ttl_min = 0;  // 0: off
  std::vector<ZoneSettings> zones;
  std::array<WordsDraft, 4> words_rules;  // by kind
  RuleSet rules;
  std::vector<std::string> domains;     // oidc_domains

  // Whether the directive stands in the configuration (its default does not count).
  [[nodiscard]] bool is_set(std::string_view directive) const;
  // An error or a warning about a directive, with the place where it stands.
  [[nodiscard]] Error conflict(std::string_view directive, std::string_view what) const;
  void warn(std::string_view directive, std::string_view what);

 private:
  [[nodiscard]] std::string about(std::string_view directive, std::string_view what) const;
};

// The tables, and the checks that want all of a topic's directives (and those before it) applied.
std::span<const Directive> general_directives();
std::span<const Directive> credential_directives();
std::span<const Directive> provider_directives();
std::span<const Directive> client_directives();
std::span<const Directive> authorization_directives();
std::span<const Directive> login_directives();
std::span<const Directive> logout_directives();
std::span<const Directive> session_directives();
std::span<const Directive> cache_directives();
std::span<const Directive> redis_directives();
std::span<const Directive> token_directives();
std::span<const Directive> encryption_directives();
std::span<const Directive> token_request_directives();
std::span<const Directive> grant_directives();
std::span<const Directive> header_directives();
std::span<const Directive> cache_ttl_directives();
std::span<const Directive> cookie_directives();
std::span<const Directive> rule_directives();
std::span<const Directive> error_directives();

Result<void> finish_provider(SettingsDraft& draft);
Result<void> finish_client(SettingsDraft& draft);
Result<void> finish_authorization(SettingsDraft& draft);
Result<void> finish_general(SettingsDraft& draft);
Result<void> finish_login(SettingsDraft& draft);
Result<void> finish_logout(SettingsDraft& draft);
Result<void> finish_credentials(SettingsDraft& draft);
Result<void> finish_session(SettingsDraft& draft);
Result<void> finish_cache(SettingsDraft& draft);
Result<void> finish_redis(SettingsDraft& draft);
Result<void> finish_token(SettingsDraft& draft);
Result<void> finish_encryption(SettingsDraft& draft);
Result<void> finish_token_requests(SettingsDraft& draft);
Result<void> finish_grants(SettingsDraft& draft);
Result<void> finish_headers(SettingsDraft& draft);
Result<void> finish_cache_ttl(SettingsDraft& draft);
Result<void> finish_cookies(SettingsDraft& draft);
Result<void> finish_rules(SettingsDraft& draft);

}  // namespace oidc
