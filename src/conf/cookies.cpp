// The cookies of sessions and of pending logins: their names and attributes.
#include <algorithm>

#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr std::string_view kHostPrefix = "__Host-";
constexpr std::string_view kSecurePrefix = "__Secure-";

CookieSettings& login_cookie(SettingsDraft& draft) {
  return draft.settings.authorization.cookie;
}
CookieSettings& session_cookie(SettingsDraft& draft) {
  return draft.settings.session.cookie;
}
CookieSettings& remember_cookie(SettingsDraft& draft) {
  return draft.settings.session.remember.cookie;
}
using Cookie = CookieSettings& (*)(SettingsDraft&);

constexpr Choices<std::optional<SameSite>, 5> kSameSite = {{
    {"auto", std::nullopt},
    {"lax", SameSite::lax},
    {"strict", SameSite::strict},
    {"none", SameSite::none},
    {"default", SameSite::omitted},
}};
constexpr Choices<std::optional<bool>, 3> kSecure = {{
    {"auto", std::nullopt},
    {"on", true},
    {"off", false},
}};

template <Cookie Of>
Result<void> name(SettingsDraft& draft, const DirectiveUse& use) {
  const std::string& word = use.words[0];
  if (!is_cookie_name(word) || word == kHostPrefix || word == kSecurePrefix) {
    return bad_value(word, "the name of a cookie is expected");
  }
  CookieSettings& cookie = Of(draft);
  cookie.name = word;
  cookie.name_is_full = word.starts_with(kHostPrefix) || word.starts_with(kSecurePrefix);
  return {};
}

template <Cookie Of>
Result<void> path(SettingsDraft& draft, const DirectiveUse& use) {
  const std::string& word = use.words[0];
  if (!word.starts_with('/') || !is_cookie_path(word)) {
    return bad_value(word, "a path that begins with / is expected");
  }
  Of(draft).path = word;
  return {};
}

template <Cookie Of>
Result<void> domain(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& target = Of(draft).domain;
  target.clear();
  if (is_off(use.words)) return {};
  std::string_view word = use.words[0];
  if (word.starts_with('.')) word.remove_prefix(1);
  if (!is_cookie_domain(word)) {
    return bad_value(use.words[0], "a domain such as example.com is expected");
  }
  target = lower_case(word);
  return {};
}

template <Cookie Of>
Result<void> same_site(SettingsDraft& draft, const DirectiveUse& use) {
  return assign(Of(draft).same_site, choose(kSameSite, use.words[0]));
}

template <Cookie Of>
Result<void> http_only(SettingsDraft& draft, const DirectiveUse& use) {
  return assign(Of(draft).http_only, parse_flag(use.words[0]));
}

template <Cookie Of>
Result<void> secure(SettingsDraft& draft, const DirectiveUse& use) {
  return assign(Of(draft).secure, choose(kSecure, use.words[0]));
}

constexpr Directive kDirectives[] = {
    {"oidc_authorization_cookie_name", 1, 1, Contexts::all, false, "", name<login_cookie>},
    {"oidc_authorization_cookie_path", 1, 1, Contexts::all, false, "/", path<login_cookie>},
    {"oidc_authorization_cookie_domain", 1, 1, Contexts::all, false, "off", domain<login_cookie>},
    {"oidc_authorization_cookie_same_site", 1, 1, Contexts::all, false, "auto",
     same_site<login_cookie>},
    {"oidc_authorization_cookie_http_only", 1, 1, Contexts::all, false, "on",
     http_only<login_cookie>},
    {"oidc_authorization_cookie_secure", 1, 1, Contexts::all, false, "auto", secure<login_cookie>},
    {"oidc_session_cookie_name", 1, 1, Contexts::all, false, "", name<session_cookie>},
    {"oidc_session_remember_cookie_name", 1, 1, Contexts::all, false, "", name<remember_cookie>},
    {"oidc_session_cookie_path", 1, 1, Contexts::all, false, "/", path<session_cookie>},
    {"oidc_session_cookie_domain", 1, 1, Contexts::all, false, "off", domain<session_cookie>},
    {"oidc_session_cookie_same_site", 1, 1, Contexts::all, false, "auto",
     same_site<session_cookie>},
    {"oidc_session_cookie_http_only", 1, 1, Contexts::all, false, "on", http_only<session_cookie>},
    {"oidc_session_cookie_secure", 1, 1, Contexts::all, false, "auto", secure<session_cookie>},
};

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

bool covers(std::string_view domain, std::string_view host) {
  if (host == domain) return true;
  return host.ends_with(domain) && host.size() > domain.size() &&
         host[host.size() - domain.size() - 1] == '.';
}

// RFC 6265 section 5.1.4.
bool path_matches(std::string_view cookie_path, std::string_view path) {
  if (!path.starts_with(cookie_path)) return false;
  return path.size() == cookie_path.size() || cookie_path.ends_with('/') ||
         path[cookie_path.size()] == '/';
}

// The hosts that browsers may know this server by; empty: unknown.
std::vector<std::string> hosts(const Settings& settings) {
  if (const Result<Url> base = parse_url(settings.base_url)) return {base->host};
  return settings.server_names;
}

Result<void> check_domain(SettingsDraft& draft, const std::string& directive,
                          const CookieSettings& cookie) {
  if (cookie.domain.empty()) return {};
  for (const std::string& host : hosts(draft.settings)) {
    if (covers(cookie.domain, host)) continue;
    return draft.conflict(directive + "domain", "browsers refuse \"" + cookie.domain +
                                                    "\" from the host \"" + host + "\"");
  }
  return {};
}

// `directive` is the beginning that the kind's directives share.
Result<void> check_cookie(SettingsDraft& draft, const std::string& directive,
                          const CookieSettings& cookie) {
  const bool anywhere = cookie.path == "/" && cookie.domain.empty();
  if (cookie.name.starts_with(kHostPrefix) && !anywhere) {
    return draft.conflict(directive + "name", "__Host- allows no domain and no path but /");
  }
  if (cookie.name_is_full && cookie.secure == false) {
    return draft.conflict(directive + "secure",
                          "it must not be off with a name that begins with "
                          "__Host- or __Secure-");
  }
  if (cookie.same_site == SameSite::none && cookie.secure == false) {
    return draft.conflict(directive + "same_site", "browsers refuse None without Secure");
  }
  if (!anywhere) {
    draft.warn(cookie.domain.empty() ? directive + "path" : directive + "domain",
               "the cookie loses the protection of __Host-: other hosts of the domain can set it");
  }
  if (cookie.secure == false) {
    draft.warn(directive + "secure", "off: no effect on https, where cookies are always Secure");
  }
  if (!cookie.http_only) draft.warn(directive + "http_only", "off: scripts can read the cookie");
  return check_domain(draft, directive, cookie);
}

}  // namespace

std::span<const Directive> cookie_directives() {
  return kDirectives;
}

// After the identity is known: default names hold a part of it.
Result<void> finish_cookies(SettingsDraft& draft) {
  Settings& settings = draft.settings;
  CookieSettings& session = settings.session.cookie;
  CookieSettings& login = settings.authorization.cookie;
  const std::string suffix = hex(std::string_view(settings.identity).substr(0, 3));
  if (session.name.empty()) session.name = "oidc_session_" + suffix;
  if (login.name.empty()) login.name = "oidc_login_" + suffix;
  login.name.push_back('_');
  CookieSettings& remember = settings.session.remember.cookie;
  std::string remember_name = std::move(remember.name);
  const bool full = remember.name_is_full;
  remember = session;
  remember.name = remember_name.empty() ? "oidc_remember_" + suffix : std::move(remember_name);
  remember.name_is_full = full;
  if (remember.name == session.name || remember.name.starts_with(login.name)) {
    return draft.conflict("oidc_session_remember_cookie_name", "another cookie has this name");
  }
  if (settings.session.remember.on) {
    Result<void> fits = check_cookie(draft, "oidc_session_remember_cookie_", remember);
    if (!fits) return fits;
  }
  if (login.same_site == SameSite::strict) {
    return draft.conflict("oidc_authorization_cookie_same_site",
                          "browsers never send a Strict cookie with the provider's answer");
  }
  if (session.same_site == SameSite::strict) {
    draft.warn("oidc_session_cookie_same_site",
               "Strict: links from other sites arrive without the session and start a login");
  }
  if (!path_matches(login.path, settings.authorization.callback_path)) {
    return draft.conflict("oidc_authorization_cookie_path",
                          "browsers would not send the cookie to the callback \"" +
                              settings.authorization.callback_path + "\"");
  }
  if (session.name.starts_with(login.name)) {
    return draft.conflict("oidc_session_cookie_name",
                          "it begins as the cookies of pending logins do");
  }
  if (settings.session.storage == StorageKind::cookie &&
      std::string(session.name).append("_").starts_with(login.name)) {
    return draft.conflict("oidc_session_cookie_name",
                          "its parts (oidc_session_storage cookie) begin as the cookies of "
                          "pending logins do");
  }
  Result<void> checked = check_cookie(draft, "oidc_session_cookie_", session);
  if (!checked) return checked;
  return check_cookie(draft, "oidc_authorization_cookie_", login);
}

CookieAttributes CookieSettings::on(bool https, SameSite default_same_site) const {
  CookieAttributes attributes;
  attributes.secure = https || secure.value_or(false);
  attributes.path = path;
  attributes.domain = domain;
  attributes.http_only = http_only;
  attributes.same_site = same_site.value_or(default_same_site);
  if (attributes.same_site == SameSite::none && !attributes.secure) {
    attributes.same_site = SameSite::lax;  // a browser would not even store it
  }
  std::string_view plain = name;
  for (const std::string_view prefix : {kHostPrefix, kSecurePrefix}) {
    if (name_is_full && plain.starts_with(prefix)) plain.remove_prefix(prefix.size());
  }
  if (!attributes.secure) {
    attributes.name = plain;
  } else if (name_is_full) {
    attributes.name = name;
  } else {
    const bool anywhere = path == "/" && domain.empty();
    attributes.name = std::string(anywhere ? kHostPrefix : kSecurePrefix).append(plain);
  }
  return attributes;
}

}  // namespace oidc
