// The switch, who may enter, and the address under which browsers know this server.
#include <algorithm>

#include "oidc/status_report.h"
#include "redirects.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr Choices<Unauthenticated, 4> kUnauthenticated = {{
    {"auto", Unauthenticated::automatic},
    {"redirect", Unauthenticated::redirect},
    {"deny", Unauthenticated::deny},
    {"pass", Unauthenticated::pass},
}};

Result<void> base_url(SettingsDraft& draft, const DirectiveUse& use) {
  draft.settings.base_url.clear();
  if (is_off(use.words)) return {};
  Result<Url> url = parse_origin(use.words[0]);
  if (!url) return std::move(url).error();
  draft.settings.base_url = url->origin();
  return {};
}

Result<void> navigation_dest(SettingsDraft& draft, const DirectiveUse& use) {
  bool document = false;
  draft.settings.navigation_iframe = false;
  for (const std::string& word : use.words) {
    if (word == "document") {
      document = true;
    } else if (word == "iframe") {
      draft.settings.navigation_iframe = true;
    } else {
      return bad_value(word, "it must be document, or document and iframe");
    }
  }
  if (!document) return bad_value(use.words[0], "document must be among the words");
  return {};
}

Result<void> session_admin(SettingsDraft&, const DirectiveUse& use) {
  const std::string& word = use.words[0];
  if (word == "on" || word == "off" || word == "public") return {};
  return bad_value(word, "it must be on, public or off");
}

Result<void> status(SettingsDraft&, const DirectiveUse& use) {
  if (is_off(use.words) || parse_status_format(use.words[0])) return {};
  return bad_value(use.words[0], "it must be html, json or prometheus, or off");
}

constexpr Directive kDirectives[] = {
    {"oidc", 1, 1, Contexts::all, false, "off", flag_only},
    {"oidc_unauthenticated", 1, 1, Contexts::all, false, "auto",
     choice<kUnauthenticated, &Settings::unauthenticated>},
    {"oidc_run_on_preflight", 1, 1, Contexts::all, false, "on", flag<&Settings::run_on_preflight>},
    {"oidc_base_url", 1, 1, Contexts::all, false, "off", base_url},
    {"oidc_navigation_dest", 1, 2, Contexts::all, false, "document", navigation_dest},
    {"oidc_status", 1, 1, Contexts::location, false, "off", status},
    {"oidc_session_admin", 1, 1, Contexts::location, false, "off", session_admin},
};

bool is_literal_name(std::string_view name) {
  return !name.empty() && name != "_" && !name.starts_with('~') && !name.starts_with('.') &&
         name.find('*') == std::string_view::npos;
}

}  // namespace

std::span<const Directive> general_directives() {
  return kDirectives;
}

// After the redirect URI is known: an absolute one without variables says the base URL as well.
Result<void> finish_general(SettingsDraft& draft) {
  Settings& settings = draft.settings;
  const std::string origin = literal_origin(settings.authorization.redirect_uri.text);
  if (!origin.empty()) {
    if (settings.base_url.empty()) settings.base_url = origin;
    if (settings.base_url != origin) {
      return draft.conflict("oidc_redirect_uri",
                            "the URL is not below oidc_base_url \"" + settings.base_url + "\"");
    }
  }
  const auto& names = draft.facts.server_names;
  std::copy_if(names.begin(), names.end(), std::back_inserter(settings.server_names),
               is_literal_name);
  // Only logins make addresses of their own.
  if (!settings.base_url.empty() || !settings.credentials.authorization_code) return {};
  for (const std::string& name : names) {
    if (is_literal_name(name)) continue;
    return draft.conflict(
        "oidc_base_url",
        "it must be set: without it redirect URIs are made of the request's Host, which only "
        "literal names in server_name make trustworthy, and one of this server's is \"" +
            name + "\"");
  }
  if (settings.server_names.empty()) {
    return draft.conflict("oidc_base_url", "it must be set, or literal names in server_name");
  }
  return {};
}

}  // namespace oidc
