// A browser with its cookies, as far as it decides what the gateway gets to see.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "oidc/flow.h"
#include "oidc/form.h"
#include "sample_settings.h"

namespace oidc::test {

class PlainEvaluator final : public Evaluator {
 public:
  [[nodiscard]] std::string evaluate(const Value& value) const override { return value.text; }
};

class Browser {
 public:
  struct Cookie {
    std::string value;
    std::string attributes;  // from the first ';' on
    [[nodiscard]] bool is_lax() const {
      return attributes.find("SameSite=Lax") != std::string::npos;
    }
  };
  using Cookies = std::map<std::string, Cookie>;

  // Takes the answer's cookies.
  void take(const Outcome& outcome) {
    for (const std::string& header : outcome.set_cookies) {
      const std::size_t equals = header.find('=');
      const std::size_t end = std::min(header.find(';'), header.size());
      const std::string name = header.substr(0, equals);
      if (header.find("Max-Age=0") != std::string::npos) {
        cookies.erase(name);
      } else {
        cookies[name] = {header.substr(equals + 1, end - equals - 1), header.substr(end)};
      }
    }
  }

  [[nodiscard]] std::size_t count(std::string_view prefix) const {
    return static_cast<std::size_t>(
        std::count_if(cookies.begin(), cookies.end(),
                      [&](const auto& c) { return c.first.starts_with(prefix); }));
  }

  // A click on a link, or an address typed in.
  [[nodiscard]] std::shared_ptr<RequestFacts> navigate(std::string target) const {
    auto facts = request("GET", std::move(target));
    facts->accept = "text/html,application/xhtml+xml";
    facts->sec_fetch_mode = "navigate";
    facts->sec_fetch_dest = "document";
    facts->sec_fetch_site = "none";
    return facts;
  }
  [[nodiscard]] std::shared_ptr<RequestFacts> fetch(std::string target) const {
    auto facts = request("GET", std::move(target));
    facts->accept = "application/json";
    facts->sec_fetch_mode = "cors";
    facts->sec_fetch_dest = "empty";
    facts->sec_fetch_site = "same-origin";
    return facts;
  }
  // The provider's page posts a form to us: Lax cookies stay at home.
  [[nodiscard]] std::shared_ptr<RequestFacts> post_from_provider(std::string target) const {
    auto facts = navigate(std::move(target));
    facts->method = "POST";
    facts->content_type = "application/x-www-form-urlencoded";
    facts->sec_fetch_site = "cross-site";
    facts->origin = kIssuer;
    facts->cookie_headers = cookie_headers(false);
    return facts;
  }
  // Our own page does.
  [[nodiscard]] std::shared_ptr<RequestFacts> post(std::string target) const {
    auto facts = navigate(std::move(target));
    facts->method = "POST";
    facts->content_type = "application/x-www-form-urlencoded";
    facts->sec_fetch_site = "same-origin";
    facts->origin = kOrigin;
    return facts;
  }

  Cookies cookies;

 private:
  [[nodiscard]] std::vector<std::string> cookie_headers(bool with_lax) const {
    std::string header;
    for (const auto& [name, cookie] : cookies) {
      if (cookie.is_lax() && !with_lax) continue;
      if (!header.empty()) header.append("; ");
      header.append(name).append("=").append(cookie.value);
    }
    if (header.empty()) return {};
    return {header};
  }

  [[nodiscard]] std::shared_ptr<RequestFacts> request(std::string method,
                                                      std::string target) const {
    static const PlainEvaluator evaluator;
    auto facts = std::make_shared<RequestFacts>();
    facts->method = std::move(method);
    facts->https = true;
    facts->host = "app.example.org";
    facts->target = target;
    const std::size_t question = std::min(target.find('?'), target.size());
    facts->path = target.substr(0, question);
    facts->query = target.substr(std::min(question + 1, target.size()));
    facts->cookie_headers = cookie_headers(true);
    facts->request_id = "request-1";
    facts->evaluator = &evaluator;
    return facts;
  }
};

}  // namespace oidc::test
