#include "oidc/url.h"

#include <string>

#include "require.h"

using oidc::fuzz::require;

namespace {

void check_percent_encoding(std::string_view text) {
  const oidc::Result<std::string> decoded = oidc::percent_decode(oidc::percent_encode(text));
  require(decoded.ok() && *decoded == text, "percent-encoding comes back");
  static_cast<void>(oidc::percent_decode(text));
}

void check_origin_form(std::string_view text) {
  if (!oidc::is_safe_origin_form(text)) return;
  // Whatever the target is, an absolute URL made of it is ours.
  bool ascii = true;
  for (const char c : text) ascii = ascii && c > 0;
  const oidc::Result<oidc::Url> url = oidc::parse_url("https://ours.test" + std::string(text));
  require(url.ok() == ascii, "a safe target makes a URL");
  require(!url || url->origin() == "https://ours.test", "of our own origin");
}

void check_url(std::string_view text) {
  const oidc::Result<oidc::Url> url = oidc::parse_url(text);
  if (!url) return;
  require(!url->host.empty() && url->port != 0, "a URL has a host and a port");
  require(url->path.empty() || url->path.front() == '/', "a path starts with '/'");
  static_cast<void>(url->is_loopback());

  const oidc::Result<oidc::Url> origin = oidc::parse_url(url->origin());
  require(origin.ok() && origin->origin() == url->origin(), "an origin is its own origin");

  const oidc::Result<oidc::Url> longer = oidc::parse_url(oidc::append_query(text, "a=b"));
  require(longer.ok() && longer->origin() == url->origin(), "a query changes no origin");
  require(longer->query.ends_with("a=b"), "the query is appended");
  require(longer->fragment == url->fragment && longer->path == url->path, "and the rest stays");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = oidc::fuzz::text_of(data, size);
  check_percent_encoding(text);
  check_origin_form(text);
  check_url(text);
  return 0;
}
