// From the directives of one location to its Settings.
//
// Errors are Errc::invalid_configuration; the detail names the directive, its value unless that is
// a secret, what would be right, and the file and line where the directive stands.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/directives.h"
#include "oidc/settings.h"

namespace oidc {

// What holds in one location after inheritance. Does not own the lines.
class DirectiveWords {
 public:
  using Lines = std::vector<DirectiveUse>;

  DirectiveWords() : lines_(directives().size()) {}
  void set(std::size_t directive, const Lines* lines) { lines_[directive] = lines; }
  // nullptr: not set here or further out.
  [[nodiscard]] const Lines* get(std::size_t directive) const { return lines_[directive]; }
  [[nodiscard]] const Lines* get(std::string_view name) const;
  // A directive that is `on` or `off`: its value, or its default.
  [[nodiscard]] bool flag(std::string_view name) const;

 private:
  std::vector<const Lines*> lines_;
};

struct BuildFacts {
  std::string conf_prefix;  // relative file names start here; ends with '/'
  // As the web server keeps them: lower case; wildcards and expressions (~...) included.
  std::vector<std::string> server_names;
};

// Whether the words of one line are right by themselves, wherever it stands. The detail has no
// file and line.
[[nodiscard]] Result<void> check_directive(std::size_t directive, const DirectiveUse& use,
                                           const BuildFacts& facts);

// For a location with `oidc on`. Reads secrets' files and variables of the environment. Warnings
// are appended, each with file and line where there is one.
[[nodiscard]] Result<std::unique_ptr<Settings>> build_settings(const DirectiveWords& words,
                                                               const BuildFacts& facts,
                                                               std::vector<std::string>& warnings);

// The values of these Settings that may hold variables, for the glue to compile.
[[nodiscard]] std::vector<Value*> variable_values(Settings& settings);

// What must hold among all Settings of one server: no cookie name with two meanings, no redirect
// URI with two issuers unless both demand `iss`.
[[nodiscard]] Result<void> check_server(std::span<const Settings* const> settings);
// Of two locations anywhere: sessions of one identity in one store are in the same sets, whichever
// location made them.
[[nodiscard]] Result<void> check_index(const Settings& a, const Settings& b);

// Whether both mean one store with one way to reach it.
[[nodiscard]] bool same_store(const SessionSettings& a, const SessionSettings& b);
[[nodiscard]] bool same_secrets(const SessionSettings& a, const SessionSettings& b);

// SHA-256 over the words: equal words, equal Settings on one server.
[[nodiscard]] std::string fingerprint(const DirectiveWords& words);

struct ZoneSettings {
  std::string name;
  std::size_t size = 0;
};
inline constexpr std::string_view kDefaultSessionZone = "oidc";
// Of oidc_session_storage cookie.
inline constexpr std::string_view kDefaultCookieZone = "oidc_cookies";
inline constexpr std::string_view kSharedZoneName = "oidc_shared";
inline constexpr std::string_view kSecretZoneName = "oidc_secret";
inline constexpr std::string_view kStatesZoneName = "oidc_states";

// oidc_session_zone, the default zones where they are not declared, and kStatesZoneName.
[[nodiscard]] Result<std::vector<ZoneSettings>> build_zones(const DirectiveWords& words);

}  // namespace oidc
