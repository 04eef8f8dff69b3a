#include "answers.h"

#include <nlohmann/json.hpp>

#include "oidc/html.h"
#include "oidc/presented_token.h"
#include "oidc/url.h"

namespace oidc {
namespace {

constexpr std::string_view kRetryAfterSeconds = "5";
constexpr std::string_view kThrottledSeconds = "60";
constexpr std::string_view kNoStore = "private, no-store";

std::string content_security_policy(std::string_view script_nonce) {
  std::string policy = "default-src 'none'; ";
  if (!script_nonce.empty()) {
    policy.append("script-src 'nonce-").append(script_nonce).append("'; ");
  }
  // No form-action: Chromium applies it to the redirect that follows the form too.
  return policy.append("frame-ancestors 'none'; base-uri 'none'");
}

void add_page_headers(Outcome& outcome, std::string_view script_nonce) {
  outcome.content_type = "text/html; charset=utf-8";
  outcome.headers.emplace_back("Content-Security-Policy", content_security_policy(script_nonce));
  outcome.headers.emplace_back("Referrer-Policy", "no-referrer");
  outcome.headers.emplace_back("X-Content-Type-Options", "nosniff");
}

std::string_view title_of(const ErrorSettings& errors, int status, const ErrcInfo& reason) {
  if (reason.code == info(Errc::logout_state_invalid).code) return "Sign-out not confirmed";
  switch (status) {
    case 401: return errors.unauthorized_message;
    case 403: return errors.forbidden_message;
    case 421: return "Wrong address";
    case 502: return "Sign-in failed";
    case 503: case 504: return "Sign-in is not available for now";
    default: return status >= 500 ? "Something went wrong" : "Sign-in failed";
  }
}

bool wants_page(const RequestFacts& facts) {
  return facts.accept.find("text/html") != std::string::npos;
}

std::string error_page(const ErrorSettings& errors, const RequestFacts& facts, int status,
                       const ErrcInfo& reason, std::string_view retry) {
  const std::string title = html_escape(title_of(errors, status, reason));
  std::string html = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>";
  html.append(title).append("</title></head><body><main><h1>").append(title).append("</h1>");
  if (errors.display) html.append("<p>").append(html_escape(reason.sentence)).append("</p>");
  if (!retry.empty()) {
    html.append("<p><a href=\"").append(html_escape(retry)).append("\">Try again</a></p>");
  }
  html.append("<p><small>").append(reason.code);
  if (!facts.request_id.empty()) html.append(" &middot; ").append(html_escape(facts.request_id));
  return html.append("</small></p></main></body></html>\n");
}

std::string error_json(const ErrorSettings& errors, const RequestFacts& facts, int status,
                       const ErrcInfo& reason) {
  Json body = {{"message", title_of(errors, status, reason)}, {"error", reason.code}};
  if (errors.display) body["reason"] = reason.sentence;
  if (!facts.request_id.empty()) body["request_id"] = facts.request_id;
  return body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string_view redirect_of(const ErrorSettings& errors, int status) {
  if (status == 401) return errors.unauthorized_redirect_uri;
  if (status == 403) return errors.forbidden_redirect_uri;
  return status >= 500 ? std::string_view(errors.unexpected_redirect_uri) : std::string_view();
}

std::string_view without_query(std::string_view target) {
  return target.substr(0, target.find('?'));
}

// oidc_*_redirect_uri, for browsers: it would hide the status from everything else. Not from the
// very page that it leads to: that would never end. Empty: nowhere.
std::string error_redirect(const Services& services, const RequestFacts& facts, int status) {
  const std::string_view configured = redirect_of(services.settings.errors, status);
  if (configured.empty() || !wants_page(facts)) return {};
  std::string location(configured);
  if (location.starts_with('/')) {
    if (!check_host(services.settings, facts)) return {};
    location = absolute(services, facts, location);
  }
  const Result<Url> url = parse_url(location);
  if (!url) return {};
  const Result<Url> here = parse_url(own_origin(services.settings, facts));
  const std::string_view path = url->path.empty() ? std::string_view("/") : url->path;
  const bool is_here = here && here->origin() == url->origin() &&
                       (path == facts.path || path == without_query(facts.target));
  return is_here ? std::string() : location;
}

// Auth-params of a challenge, as quoted strings (RFC 9110 section 5.6.4).
class Challenge {
 public:
  explicit Challenge(std::string_view scheme = "Bearer") : text_(scheme) {}
  void add(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    text_.append(first_ ? " " : ", ").append(name).append("=\"");
    first_ = false;
    for (const char c : value) {
      if (c == '"' || c == '\\') text_.push_back('\\');
      text_.push_back(c);
    }
    text_.push_back('"');
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
  bool first_ = true;
};

std::string words(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& word : all) {
    if (!text.empty()) text.push_back(' ');
    text.append(word);
  }
  return text;
}

// RFC 9470 section 3: which login would do.
void add_wanted_login(Challenge& challenge, const AuthorizationSettings& wanted) {
  challenge.add("acr_values", words(wanted.acr_values));
  if (wanted.max_age) challenge.add("max_age", std::to_string(*wanted.max_age));
}

// RFC 6750 section 3; RFC 9728 section 5.1. Without a credential there is no error to tell.
std::string challenge(const Settings& settings, Errc code, std::string_view error,
                      std::string_view scope = {}) {
  Challenge made;
  if (settings.errors.expose_code && !error.empty()) {
    made.add("error", error);
    made.add("error_description", info(code).sentence);
    if (code == Errc::insufficient_user_authentication) {
      add_wanted_login(made, settings.authorization);
    }
  }
  made.add("scope", scope);
  made.add("resource_metadata", settings.credentials.resource_metadata);
  return made.take();
}

std::string basic_challenge(const RequestFacts& facts) {
  Challenge made("Basic");
  made.add("realm", facts.host.empty() ? std::string_view("gateway") : facts.host);
  made.add("charset", "UTF-8");
  return made.take();
}

// All of a refusal but what the client is told of its credential.
Outcome refusal(Services& services, const RequestFacts& facts, int status, Error error,
                std::string_view retry, std::string location) {
  const ErrcInfo& reason = info(error.code);
  Outcome outcome;
  outcome.kind = Outcome::Kind::deny;
  outcome.settings = &services.settings;
  outcome.status = status;
  outcome.reason = error.code;
  outcome.detail = std::move(error.detail);
  outcome.headers.emplace_back("Cache-Control", kNoStore);
  if (status == 503) outcome.headers.emplace_back("Retry-After", kRetryAfterSeconds);
  if (status == 429) outcome.headers.emplace_back("Retry-After", kThrottledSeconds);
  if (status == 405) outcome.headers.emplace_back("Allow", "GET, POST");
  const ErrorSettings& errors = services.settings.errors;
  if (!location.empty()) {
    outcome.status = facts.method == "POST" ? 303 : 302;
    outcome.headers.emplace_back("Location", std::move(location));
    outcome.headers.emplace_back("Referrer-Policy", "no-referrer");
  } else if (wants_page(facts)) {
    add_page_headers(outcome, {});
    outcome.body = error_page(errors, facts, status, reason, retry);
  } else {
    outcome.content_type = "application/json";
    outcome.headers.emplace_back("X-Content-Type-Options", "nosniff");
    outcome.body = error_json(errors, facts, status, reason);
  }
  return outcome;
}

// A JWT's faults are the provider's when it sent the token, and the client's when the client did.
int status_for_client(Errc code) {
  const bool jwt = code >= Errc::jwt_malformed && code <= Errc::jwt_typ;
  return jwt ? 401 : info(code).status;
}

constexpr std::string_view kStepUp = "insufficient_user_authentication";

std::string_view error_name(Errc code, int status) {
  if (code == Errc::insufficient_user_authentication) return kStepUp;
  switch (status) {
    case 400: return "invalid_request";
    case 401: return "invalid_token";
    case 403: return "insufficient_scope";
    default: return {};
  }
}

}  // namespace

Outcome deny(Services& services, const RequestFacts& facts, Error error) {
  return deny_with_retry(services, facts, std::move(error), {});
}

Outcome deny_with_retry(Services& services, const RequestFacts& facts, Error error,
                        std::string_view retry) {
  const Errc code = error.code;
  const int status = info(code).status;
  std::string location = error_redirect(services, facts, status);
  Outcome outcome =
      refusal(services, facts, status, std::move(error), retry, std::move(location));
  if (status == 401) {
    const bool weak = code == Errc::insufficient_user_authentication;
    outcome.headers.emplace_back(
        "WWW-Authenticate",
        challenge(services.settings, code, weak ? kStepUp : std::string_view()));
  }
  return outcome;
}

Outcome refuse_token(Services& services, const RequestFacts& facts, Error error,
                     std::string_view scope) {
  const Errc code = error.code;
  const int status = status_for_client(code);
  Outcome outcome = refusal(services, facts, status, std::move(error), {}, {});
  const std::string_view name = error_name(code, status);
  if (!name.empty()) {
    outcome.headers.emplace_back("WWW-Authenticate",
                                 challenge(services.settings, code, name, scope));
  }
  return outcome;
}

Outcome refuse_grant(Services& services, const RequestFacts& facts, Error error, bool basic) {
  const Errc code = error.code;
  const int status = info(code).status;
  Outcome outcome = refusal(services, facts, status, std::move(error), {}, {});
  if (status != 401) return outcome;
  const bool weak = code == Errc::insufficient_user_authentication;
  const std::string_view name = weak ? kStepUp : std::string_view();
  outcome.headers.emplace_back(
      "WWW-Authenticate",
      basic ? basic_challenge(facts) : challenge(services.settings, code, name));
  return outcome;
}

void offer_basic(const Settings& settings, const RequestFacts& facts, Outcome& outcome) {
  for (auto& [name, value] : outcome.headers) {
    if (name != "WWW-Authenticate") continue;
    if (!accepts_access_tokens(settings)) {
      value = basic_challenge(facts);
    } else {
      value.append(", ").append(basic_challenge(facts));
    }
  }
}

Outcome redirect(Services& services, const RequestFacts& facts, std::string location) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::answer;
  outcome.settings = &services.settings;
  outcome.status = facts.method == "POST" ? 303 : 302;
  outcome.headers.emplace_back("Location", std::move(location));
  outcome.headers.emplace_back("Cache-Control", kNoStore);
  outcome.headers.emplace_back("Referrer-Policy", "no-referrer");
  return outcome;
}

Outcome pass(Services& services, std::shared_ptr<const OpenSession> session) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::pass;
  outcome.settings = &services.settings;
  outcome.status = 0;
  outcome.session = std::move(session);
  return outcome;
}

Outcome page(Services& services, std::string html, std::string_view script_nonce) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::answer;
  outcome.settings = &services.settings;
  outcome.status = 200;
  outcome.body = std::move(html);
  outcome.headers.emplace_back("Cache-Control", kNoStore);
  add_page_headers(outcome, script_nonce);
  return outcome;
}

Outcome logged_out_page(Services& services) {
  return page(services,
              "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Signed out"
              "</title></head><body><main><h1>Signed out</h1></main></body></html>\n",
              {});
}

std::string absolute(const Services& services, const RequestFacts& facts,
                     std::string_view target) {
  std::string url = own_origin(services.settings, facts);
  if (!target.starts_with('/')) url.push_back('/');
  return url.append(target);
}

std::string evaluated_target(Services& services, const RequestFacts& facts, const Value& value) {
  std::string target = facts.evaluator->evaluate(value);
  if (target.empty()) return target;
  if (target.starts_with('/')) target = absolute(services, facts, target);
  if (parse_url(target)) return target;
  services.log.write(LogLevel::warn, Errc::malformed,
                     "a configured redirect target became no URL: \"" + value.text + "\"");
  return {};
}

}  // namespace oidc
