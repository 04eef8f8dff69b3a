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

constexpr Choices<LogoutFrom, 3> kFrom = {{
    {"same-origin", LogoutFrom::same_origin},
    {"same-site", LogoutFrom::same_site},
    {"any", LogoutFrom::any},
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
      {"oidc_post_logout_uri", &logout.post_logout_uri},
      {"oidc_backchannel_logout_uri", &logout.backchannel_uri},
      {"oidc_frontchannel_logout_uri", &logout.frontchannel_uri}};
  for (const auto& [name, path] : paths) {
    for (const auto& [other_name, other] : paths) {
      if (name == other_name || path->empty() || *path != *other) continue;
      std::string what("\"");
      what.append(*other).append("\" is that of ").append(name).append(" as well");
      return draft.conflict(other_name, what);
    }
    const bool needs_index = path == &logout.backchannel_uri || path == &logout.frontchannel_uri;
    const bool indexed = !needs_index || draft.settings.session.store_metadata;
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
    {"oidc_logout_post_arg", 1, 1, Contexts::all, false, "off",
     text_or_off<&Settings::logout, &LogoutSettings::post_arg>},
    {"oidc_logout_methods", 1, 3, Contexts::all, false, "POST DELETE", methods},
    {"oidc_logout_from", 1, 1, Contexts::all, false, "same-origin",
     choice<kFrom, &Settings::logout, &LogoutSettings::from>},
    {"oidc_logout_redirect_uri", 1, 1, Contexts::all, false, "off", redirect_uri},
    {"oidc_backchannel_logout_uri", 1, 1, Contexts::all, false, "off",
     own_path<&LogoutSettings::backchannel_uri>},
    {"oidc_backchannel_logout_exp", 1, 1, Contexts::all, false, "required", backchannel_exp},
    {"oidc_frontchannel_logout_uri", 1, 1, Contexts::all, false, "off",
     own_path<&LogoutSettings::frontchannel_uri>},
    {"oidc_post_logout_uri", 1, 1, Contexts::all, false, "off",
     own_path<&LogoutSettings::post_logout_uri>},
    {"oidc_logout_revoke", 1, 1, Contexts::all, false, "off",
     flag<&Settings::logout, &LogoutSettings::revoke>},
    {"oidc_logout_revoke_access_token", 1, 1, Contexts::all, false, "on",
     flag<&Settings::logout, &LogoutSettings::revoke_access_token>},
    {"oidc_logout_revoke_refresh_token", 1, 1, Contexts::all, false, "on",
     flag<&Settings::logout, &LogoutSettings::revoke_refresh_token>},
};

}  // namespace

std::span<const Directive> logout_directives() {
  return kDirectives;
}

namespace {

Result<void> check_revocation(SettingsDraft& draft) {
  const LogoutSettings& logout = draft.settings.logout;
  if (!logout.revoke) {
    for (const std::string_view name :
         {"oidc_logout_revoke_access_token", "oidc_logout_revoke_refresh_token"}) {
      if (draft.is_set(name)) draft.warn(name, "no effect without oidc_logout_revoke on");
    }
    return {};
  }
  if (!logout.revoke_access_token && !logout.revoke_refresh_token) {
    return draft.conflict("oidc_logout_revoke", "there is no token left that it may revoke");
  }
  const ProviderSettings& provider = draft.settings.provider;
  if (!provider.discover && provider.revocation_endpoint.empty()) {
    return draft.conflict("oidc_logout_revoke",
                          "oidc_revocation_endpoint must be set where nothing is discovered");
  }
  return {};
}

}  // namespace

Result<void> finish_logout(SettingsDraft& draft) {
  const Settings& settings = draft.settings;
  const LogoutSettings& logout = settings.logout;
  const std::string& callback = settings.authorization.callback_path;
  for (const std::string& path : {callback, logout.post_logout_uri}) {
    if (logout.uri_suffix.empty() || !path.ends_with(logout.uri_suffix)) continue;
    return draft.conflict("oidc_logout_uri_suffix", "\"" + path + "\" ends like that");
  }
  if (!logout.post_arg.empty() && !logout.post) {
    draft.warn("oidc_logout_post_arg", "no effect without POST in oidc_logout_methods");
  }
  if (logout.from == LogoutFrom::any) {
    draft.warn("oidc_logout_from", "any: every site can log this one's users out");
  }
  Result<void> revocation = check_revocation(draft);
  if (!revocation) return revocation;
  return check_paths(draft);
}

}  // namespace oidc
