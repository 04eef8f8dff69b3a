#include <algorithm>
#include <array>

#include "oidc/flow.h"
#include "oidc/form.h"
#include "oidc/url.h"

namespace oidc {
namespace {

bool contains_word(std::string_view text, std::string_view word) {
  return text.find(word) != std::string_view::npos;
}

std::string_view origin_of(std::string_view url) {
  const std::size_t authority = url.find("://");
  if (authority == std::string_view::npos) return {};
  return url.substr(0, url.find_first_of("/?#", authority + 3));
}

}  // namespace

std::string own_origin(const Settings& settings, const RequestFacts& facts) {
  if (!settings.base_url.empty()) return settings.base_url;
  return (facts.https ? "https://" : "http://") + facts.host + facts.host_port;
}

bool own_origin_is_https(const Settings& settings, const RequestFacts& facts) {
  if (!settings.base_url.empty()) return settings.base_url.starts_with("https:");
  return facts.https;
}

Result<void> check_host(const Settings& settings, const RequestFacts& facts) {
  if (!settings.base_url.empty()) return {};
  const auto& names = settings.server_names;
  if (std::find(names.begin(), names.end(), facts.host) != names.end()) return {};
  return Errc::misdirected;
}

std::string redirect_uri(const Settings& settings, const RequestFacts& facts) {
  std::string uri = facts.evaluator->evaluate(settings.authorization.redirect_uri);
  if (uri.starts_with('/')) return own_origin(settings, facts) + uri;
  return uri;
}

CookieAttributes session_cookie_attributes(const Settings& settings, bool https) {
  return settings.session.cookie.on(https, SameSite::lax);
}

CookieAttributes login_cookie_attributes(const Settings& settings, bool https,
                                         std::string_view login_id) {
  const bool cross_site_post =
      settings.authorization.response_mode == ResponseMode::form_post && https;
  CookieAttributes attributes = settings.authorization.cookie.on(
      https, cross_site_post ? SameSite::none : SameSite::lax);
  attributes.name.append(login_id);
  return attributes;
}

bool is_navigation(const Settings& settings, const RequestFacts& facts) {
  if (facts.method != "GET" && facts.method != "HEAD") return false;
  if (!facts.sec_purpose.empty() || !facts.upgrade.empty()) return false;
  if (!facts.sec_fetch_mode.empty()) {
    if (facts.sec_fetch_mode != "navigate") return false;
    return facts.sec_fetch_dest == "document" ||
           (settings.navigation_iframe && facts.sec_fetch_dest == "iframe");
  }
  return facts.x_requested_with.empty() && contains_word(facts.accept, "text/html");
}

Initiator initiator(const Settings& settings, const RequestFacts& facts) {
  const auto judged = [](bool ours) { return ours ? Initiator::ours : Initiator::foreign; };
  if (!facts.sec_purpose.empty()) return Initiator::foreign;
  if (!facts.sec_fetch_site.empty()) {
    return judged(facts.sec_fetch_site == "same-origin" || facts.sec_fetch_site == "none");
  }
  const std::string own = own_origin(settings, facts);
  if (!facts.origin.empty() && facts.origin != "null") return judged(facts.origin == own);
  if (!facts.referer.empty()) return judged(origin_of(facts.referer) == own);
  return Initiator::unknown;
}

bool is_logout_request(const Settings& settings, const RequestFacts& facts) {
  const LogoutSettings& logout = settings.logout;
  const bool method = (facts.method == "POST" && logout.post) ||
                      (facts.method == "DELETE" && logout.del) ||
                      (facts.method == "GET" && logout.get);
  if (!method) return false;
  if (!logout.uri_suffix.empty() && facts.path.ends_with(logout.uri_suffix)) return true;
  if (logout.query_arg.empty() || facts.query.empty()) return false;
  const Result<Form> query = Form::parse(facts.query, 1024);
  return query && query->count(logout.query_arg) > 0;
}

}  // namespace oidc
