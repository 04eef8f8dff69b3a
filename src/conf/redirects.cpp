#include "redirects.h"

#include <algorithm>
#include <array>

#include "oidc/url.h"
#include "values.h"

namespace oidc {
namespace {

constexpr std::array<std::string_view, 12> kClientPrefixes = {
    "arg_",         "http_",   "cookie_", "args",         "query_string",
    "request_uri",  "uri",     "request", "document_uri", "request_filename",
    "request_body", "is_args"};

char lowered(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_name_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// The variable names of a value, one after the other.
class VariableReader {
 public:
  explicit VariableReader(std::string_view text) noexcept : rest_(text) {}
  bool next(std::string_view& name) noexcept {
    const std::size_t dollar = rest_.find('$');
    if (dollar == std::string_view::npos) return false;
    rest_.remove_prefix(dollar + 1);
    if (rest_.starts_with('{')) rest_.remove_prefix(1);
    const auto* end = std::find_if_not(rest_.begin(), rest_.end(), is_name_character);
    name = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    return true;
  }

 private:
  std::string_view rest_;
};

// Where the path of scheme://authority/path begins; the text's end when there is none.
std::size_t authority_end(std::string_view text) noexcept {
  const std::size_t scheme_end = text.find("://");
  const std::size_t from = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
  return std::min(text.find_first_of("/?#", from), text.size());
}

bool is_own_origin_by_variables(std::string_view origin) noexcept {
  for (const std::string_view form :
       {"$scheme://$host", "https://$host", "http://$host", "$scheme://${host}"}) {
    if (!origin.starts_with(form)) continue;
    const std::string_view rest = origin.substr(form.size());
    if (rest.empty()) return true;
    if (rest.starts_with(':') && parse_number(rest.substr(1), 1, 65535)) return true;
  }
  return false;
}

}  // namespace

bool has_variables(std::string_view text) noexcept {
  return text.find('$') != std::string_view::npos;
}

Result<void> refuse_client_variables(std::string_view text) {
  VariableReader reader(text);
  std::string_view name;
  while (reader.next(name)) {
    // nginx's names of variables know no case.
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(), lowered);
    for (const std::string_view prefix : kClientPrefixes) {
      const bool matches = prefix.ends_with('_') ? lower.starts_with(prefix) : lower == prefix;
      if (matches) {
        return bad_value(text, "$" + std::string(name) +
                                   " is what the client says: no address "
                                   "may be made of it");
      }
    }
  }
  return {};
}

std::string literal_origin(std::string_view text) {
  const std::string_view origin = text.substr(0, authority_end(text));
  if (has_variables(origin) || origin.find("://") == std::string_view::npos) return {};
  const Result<Url> url = parse_url(origin);
  return url ? url->origin() : std::string();
}

Result<void> check_redirect_target(std::string_view text) {
  Result<void> trustworthy = refuse_client_variables(text);
  if (!trustworthy) return trustworthy;
  const bool path = text.starts_with('/') && is_safe_origin_form(text);
  const std::string_view origin = text.substr(0, authority_end(text));
  if (!is_visible(text) || text.find('\\') != std::string_view::npos ||
      (!path && literal_origin(text).empty() && !is_own_origin_by_variables(origin))) {
    return bad_value(text,
                     "a path is expected, or an http or https URL whose scheme and host are "
                     "literal or $scheme://$host");
  }
  return {};
}

Result<std::string> callback_path(std::string_view redirect_uri) {
  Result<void> trustworthy = refuse_client_variables(redirect_uri);
  if (!trustworthy) return std::move(trustworthy).error();
  const std::size_t begin = authority_end(redirect_uri);
  const std::string_view origin = redirect_uri.substr(0, begin);
  if (!origin.empty() && literal_origin(redirect_uri).empty() && !has_variables(origin)) {
    return bad_value(redirect_uri, "a path or an absolute http or https URL is expected");
  }
  const std::string_view path = redirect_uri.substr(begin);
  if (has_variables(path)) {
    return bad_value(redirect_uri, "variables may stand before the path only");
  }
  const auto allowed = [](char c) {
    return is_name_character(c) ||
           std::string_view("-.~/!*'()+,;=:@").find(c) != std::string_view::npos;
  };
  const std::string with_end = std::string(path) + "/";
  if (path.size() < 2 || !path.starts_with('/') ||
      !std::all_of(path.begin(), path.end(), allowed) || with_end.find("//") != std::string::npos ||
      with_end.find("/./") != std::string::npos || with_end.find("/../") != std::string::npos) {
    return bad_value(redirect_uri,
                     "its path must be one such as /oidc/callback, with nothing that "
                     "needs decoding, no query and no '/' at the end");
  }
  return std::string(path);
}

}  // namespace oidc
