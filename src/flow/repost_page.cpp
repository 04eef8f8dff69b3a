#include "repost_page.h"

#include <array>

#include "answers.h"
#include "oidc/base64url.h"
#include "oidc/crypto.h"
#include "oidc/html.h"

namespace oidc {
namespace {

constexpr std::array<std::string_view, 7> kFields = {
    "code", "state", "iss", "error", "error_description", "session_state", "response"};

void append_hidden(std::string& html, std::string_view name, std::string_view value) {
  html.append("<input type=\"hidden\" name=\"").append(name).append("\" value=\"");
  html.append(html_escape(value)).append("\">");
}

}  // namespace

Outcome repost_page(Services& services, const RequestFacts& facts, const Form& form) {
  const std::string nonce = base64url_encode(random_string(16));
  const std::string action = own_origin(services.settings, facts) + facts.path;
  std::string html = "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
                     "<title>Signing in</title></head><body><form method=\"post\" action=\"";
  html.append(html_escape(action)).append("\">");
  for (const std::string_view name : kFields) {
    if (const auto value = form.get(name)) append_hidden(html, name, *value);
  }
  append_hidden(html, kRepostMarker, "1");
  html.append("<noscript><p>One more step to sign in:</p></noscript>"
              "<button type=\"submit\">Continue</button></form><script nonce=\"");
  html.append(nonce).append("\">document.forms[0].submit()</script></body></html>\n");
  return page(services, std::move(html), nonce);
}

}  // namespace oidc
