// What asks for a logout, and where it leads.
#include "redirects.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr Choices<bool LogoutSettings::*, 3> kMethods = {{
    {"get", &LogoutSettings::get},
    {"post", &LogoutSettings::post},
    {"delete", &LogoutSettings::del},
}};

Result<void> uri_suffix(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& suffix = draft.settings.logout.uri_suffix;
  suffix.clear();
  if (is_off(use.words)) return {};
  if (use.words[0].size() < 2 || !is_visible(use.words[0]) ||
      use.words[0].find_first_of("?#%") != std::string::npos) {
    return bad_value(use.words[0], "the end of a path such as /logout is expected");
  }
  suffix = use.words[0];
  return {};
}

Result<void> methods(SettingsDraft& draft, const DirectiveUse& use) {
  LogoutSettings& logout = draft.settings.logout;
  logout.get = logout.post = logout.del = false;
  for (const std::string& word : use.words) {
    Result<bool LogoutSettings::*> method = choose(kMethods, word);
    if (!method) return std::move(method).error();
    logout.*(*method) = true;
  }
  return {};
}

Result<void> redirect_uri(SettingsDraft& draft, const DirectiveUse& use) {
  draft.settings.logout.redirect_uri = {};
  if (is_off(use.words)) return {};
  Result<void> checked = check_redirect_target(use.words[0]);
  if (!checked) return checked;
  draft.settings.logout.redirect_uri = {use.words[0], nullptr};
  return {};
}

// A path of this server, found before locations are.
template <std::string LogoutSettings::*Target>
Result<void> own_path(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& path = draft.settings.logout.*Target;
  path.clear();
  if (is_off(use.words)) return {};
  if (!use.words[0].starts_with('/')) {
    return bad_value(use.words[0], "a path of this server is expected, or off");
  }
  return assign(path, callback_path(use.words[0]));
}

Result<void> backchannel_exp(SettingsDraft& draft, const DirectiveUse& use) {
  constexpr Choices<bool, 2> kChoices = {{{"required", true}, {"optional", false}}};
  return assign(draft.settings.logout.backchannel_exp_required, choose(kChoices, use.words[0]));
}

// Each of our paths has one meaning.
Result<void> check_paths(const SettingsDraft& draft) {
  const LogoutSettings& logout = draft.settings.logout;
  const std::pair<std::string_view, const std::string*> paths[] = {
      {"oidc_redirect_uri", &draft.settings.authorization.callback_path},
      {"oidc_backchannel_logout_uri", &logout.backchannel_uri},
      {"oidc_frontchannel_logout_uri", &logout.frontchannel_uri}};
  for (const auto& [name, path] : paths) {
    for (const auto& [other_name, other] : paths) {
      if (name == other_name || path->empty() || *path != *other) continue;
      std::string what("\"");
      what.append(*other).append("\" is that of ").append(name).append(" as well");
      return draft.conflict(other_name, what);
    }
    const bool indexed = name == "oidc_redirect_uri" || draft.settings.session.store_metadata;
    if (!indexed && !path->empty()) {
      return draft.conflict(name, "it needs oidc_session_store_metadata on: sessions are found by it");
    }
  }
  return {};
}

constexpr Directive kDirectives[] = {
    {"oidc_logout_uri_suffix", 1, 1, Contexts::all, false, "off", uri_suffix},
    {"oidc_logout_query_arg", 1, 1, Contexts::all, false, "off",
     text_or_off<&Settings::logout, &LogoutSettings::query_arg>},
    {"oidc_logout_methods", 1, 3, Contexts::all, false, "POST DELETE", methods},
    {"oidc_logout_redirect_uri", 1, 1, Contexts::all, false, "off", redirect_uri},
    {"oidc_backchannel_logout_uri", 1, 1, Contexts::all, false, "off",
     own_path<&LogoutSettings::backchannel_uri>},
    {"oidc_backchannel_logout_exp", 1, 1, Contexts::all, false, "required", backchannel_exp},
    {"oidc_frontchannel_logout_uri", 1, 1, Contexts::all, false, "off",
     own_path<&LogoutSettings::frontchannel_uri>},
};

}  // namespace

std::span<const Directive> logout_directives() {
  return kDirectives;
}

Result<void> finish_logout(SettingsDraft& draft) {
  const Settings& settings = draft.settings;
  const std::string& suffix = settings.logout.uri_suffix;
  if (!suffix.empty() && settings.authorization.callback_path.ends_with(suffix)) {
    return draft.conflict(
        "oidc_logout_uri_suffix",
        "the callback \"" + settings.authorization.callback_path + "\" ends like that");
  }
  return check_paths(draft);
}

}  // namespace oidc
