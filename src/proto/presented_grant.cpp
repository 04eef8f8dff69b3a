#include "oidc/presented_grant.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "oidc/base64url.h"
#include "oidc/form.h"
#include "oidc/json.h"

namespace oidc {
namespace {

constexpr std::size_t kMostFields = 1024;
constexpr std::size_t kLongestName = 1024;
constexpr std::size_t kLongestSecret = 16 * 1024;
constexpr std::string_view kRefreshHeaders[] = {"refresh-token", "x-refresh-token"};

struct Names {
  std::string_view name, secret;
};
constexpr Names kPassword = {"username", "password"};
constexpr Names kClient = {"client_id", "client_secret"};

std::string_view refresh_field(const CredentialSettings& settings) noexcept {
  return settings.refresh_token_name.empty() ? std::string_view("refresh_token")
                                             : std::string_view(settings.refresh_token_name);
}

bool has_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

// The fields of a query or a body, whose values are wiped at the end.
class Fields {
 public:
  Fields() = default;
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;
  ~Fields() { form_.wipe(); }

  void read_form(std::string_view text) {
    Result<Form> form = Form::parse(text, kMostFields);
    if (form) form_ = std::move(*form);
  }
  void read_json(std::string_view text) {
    Result<Json> json = parse_json_object(text);
    if (!json) return;
    for (auto& [name, value] : json->items()) {
      if (!value.is_string()) continue;
      form_.add(name, value.get_ref<const std::string&>());
      cleanse(value.get_ref<std::string&>());
    }
  }
  [[nodiscard]] const Form& form() const noexcept { return form_; }

 private:
  Form form_;
};

// One method's look at all places. The first credential is kept; a second one is a conflict.
class Finder {
 public:
  explicit Finder(Method method) { found_.method = method; }

  void add(std::string_view name, std::string_view secret, bool basic) {
    if (found_.found) return fail(Errc::credential_conflict);
    found_.found = true;
    found_.basic = basic;
    if (name.size() > kLongestName || secret.size() > kLongestSecret || has_control(name) ||
        has_control(secret)) {
      return fail(Errc::credential_malformed);
    }
    found_.name = Secret(name);
    found_.secret = Secret(secret);
  }
  void fail(Errc fault) {
    found_.found = true;
    found_.fault = fault;
  }
  // RFC 7617 section 2.
  void look_at_basic(const std::vector<std::string>& authorization) {
    for (const std::string& value : authorization) {
      if (!has_basic_scheme(value)) continue;
      std::string_view rest = std::string_view(value).substr(5);
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
      add_basic(rest);
      // Another server may read the other one.
      if (authorization.size() > 1) fail(Errc::credential_conflict);
    }
  }
  void look_at_pair(const Form& form, Names names) {
    const auto name = form.get(names.name);
    const auto secret = form.get(names.secret);
    if (!name || !secret) return;
    add(*name, *secret, false);
    if (form.count(names.name) > 1 || form.count(names.secret) > 1) {
      fail(Errc::credential_conflict);
    }
  }
  void look_at_token(const Form& form, std::string_view name) {
    for (const FormField& field : form.fields()) {
      if (field.name == name) add({}, field.value, false);
    }
  }
  [[nodiscard]] bool found() const noexcept { return found_.found; }
  [[nodiscard]] PresentedGrant take() { return std::move(found_); }

 private:
  void add_basic(std::string_view encoded) {
    std::string text(encoded.substr(0, encoded.find_last_not_of('=') + 1));
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    Result<std::string> decoded = base64url_decode(text);
    cleanse(text);
    const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
    if (colon == std::string::npos) {
      fail(Errc::credential_malformed);
    } else {
      const std::string_view pair = *decoded;
      add(pair.substr(0, colon), pair.substr(colon + 1), true);
    }
    found_.basic = true;
    if (decoded) cleanse(*decoded);
  }

  PresentedGrant found_;
};

}  // namespace

bool has_basic_scheme(std::string_view authorization) noexcept {
  constexpr std::string_view kBasic = "basic";
  if (authorization.size() < kBasic.size()) return false;
  if (authorization.size() > kBasic.size() && authorization[kBasic.size()] != ' ') return false;
  return std::equal(kBasic.begin(), kBasic.end(), authorization.begin(), [](char a, char b) {
    return a == (b >= 'A' && b <= 'Z' ? b + 32 : b);
  });
}

bool accepts_basic(const CredentialSettings& settings) noexcept {
  return (settings.password && settings.password_places.header) ||
         (settings.client_credentials && settings.client_credentials_places.header);
}

std::string header_name_of(std::string_view field) {
  std::string name(field);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (c == '_') c = '-';
  }
  return name;
}

bool may_carry_grant(const CredentialSettings& settings, std::string_view lowercase_name) {
  if (!settings.refresh_token || !settings.refresh_token_places.header) return false;
  if (!settings.refresh_token_name.empty()) {
    return lowercase_name == header_name_of(settings.refresh_token_name);
  }
  return std::find(std::begin(kRefreshHeaders), std::end(kRefreshHeaders), lowercase_name) !=
         std::end(kRefreshHeaders);
}

bool grants_in_query(const CredentialSettings& settings) noexcept {
  return (settings.refresh_token && settings.refresh_token_places.query) ||
         (settings.password && settings.password_places.query) ||
         (settings.client_credentials && settings.client_credentials_places.query);
}

bool grants_in_body(const CredentialSettings& settings) noexcept {
  return (settings.refresh_token && settings.refresh_token_places.body) ||
         (settings.password && settings.password_places.body) ||
         (settings.client_credentials && settings.client_credentials_places.body);
}

bool is_grant_field(const CredentialSettings& settings, std::string_view name) noexcept {
  const auto is_one = [name](Names names) { return name == names.name || name == names.secret; };
  return (settings.refresh_token && settings.refresh_token_places.query &&
          name == refresh_field(settings)) ||
         (settings.password && settings.password_places.query && is_one(kPassword)) ||
         (settings.client_credentials && settings.client_credentials_places.query &&
          is_one(kClient));
}

PresentedGrant find_grant(const CredentialSettings& settings, const GrantSources& sources) {
  if (!accepts_grants(settings)) return {};
  Fields query, body;
  if (grants_in_query(settings)) query.read_form(sources.query);
  if (grants_in_body(settings) && !sources.body.empty()) {
    sources.content_type.starts_with("application/json") ? body.read_json(sources.body)
                                                         : body.read_form(sources.body);
  }
  if (settings.refresh_token) {
    Finder finder(Method::refresh_token);
    for (const auto& [name, value] : sources.headers) {
      if (may_carry_grant(settings, name)) finder.add({}, value, false);
    }
    const CredentialSettings::Places& places = settings.refresh_token_places;
    if (places.query) finder.look_at_token(query.form(), refresh_field(settings));
    if (places.body) finder.look_at_token(body.form(), refresh_field(settings));
    if (finder.found()) return finder.take();
  }
  const auto look_for_pair = [&](Method method, const CredentialSettings::Places& places,
                                 Names names) {
    Finder finder(method);
    if (places.header) finder.look_at_basic(sources.authorization);
    if (places.query) finder.look_at_pair(query.form(), names);
    if (places.body) finder.look_at_pair(body.form(), names);
    return finder.take();
  };
  PresentedGrant found;
  if (settings.password) {
    found = look_for_pair(Method::password, settings.password_places, kPassword);
  }
  if (found.found || !settings.client_credentials) return found;
  return look_for_pair(Method::client_credentials, settings.client_credentials_places, kClient);
}

}  // namespace oidc
