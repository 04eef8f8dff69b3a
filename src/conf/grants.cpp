// Credentials that the token endpoint exchanges for tokens: where they are looked for, and what must
// hold where they are accepted.
#include <algorithm>

#include "oidc/presented_grant.h"
#include "oidc/rules.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

using Credentials = CredentialSettings;
using Places = Credentials::Places;
constexpr Choices<bool Places::*, 3> kPlaces = {{
    {"header", &Places::header},
    {"query", &Places::query},
    {"body", &Places::body},
}};

template <Places Credentials::*Member>
Result<void> param_type(SettingsDraft& draft, const DirectiveUse& use) {
  Places& places = draft.settings.credentials.*Member;
  places = {false, false, false, false};
  for (const std::string& word : use.words) {
    Result<bool Places::*> place = choose(kPlaces, word);
    if (!place) return std::move(place).error();
    if (places.**place) return bad_value(word, "it is there twice");
    places.**place = true;
  }
  return {};
}

bool is_field_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_';
  });
}

Result<void> refresh_token_name(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& name = draft.settings.credentials.refresh_token_name;
  name.clear();
  if (is_off(use.words)) return {};
  const std::string header = header_name_of(use.words[0]);
  constexpr std::string_view kOthers[] = {"authorization", "cookie", "host", "connection",
                                          "content-length", "transfer-encoding", "content-type"};
  const bool taken = std::find(std::begin(kOthers), std::end(kOthers), header) != std::end(kOthers);
  if (!is_field_name(use.words[0]) || taken) {
    return bad_value(use.words[0], "the name of a header and an argument is expected: letters, "
                                   "digits, \"-\" and \"_\"");
  }
  name = use.words[0];
  return {};
}

constexpr Directive kDirectives[] = {
    {"oidc_refresh_token_param_type", 1, 3, Contexts::all, false, "header",
     param_type<&Credentials::refresh_token_places>},
    {"oidc_refresh_token_param_name", 1, 1, Contexts::all, false, "off", refresh_token_name},
    {"oidc_password_param_type", 1, 3, Contexts::all, false, "header",
     param_type<&Credentials::password_places>},
    {"oidc_client_credentials_param_type", 1, 3, Contexts::all, false, "header",
     param_type<&Credentials::client_credentials_places>},
};

struct Looked {
  std::string_view directive, method;
  bool Credentials::*accepted;
  Places Credentials::*places;
};
constexpr Looked kLooked[] = {
    {"oidc_refresh_token_param_type", "refresh_token", &Credentials::refresh_token,
     &Credentials::refresh_token_places},
    {"oidc_password_param_type", "password", &Credentials::password,
     &Credentials::password_places},
    {"oidc_client_credentials_param_type", "client_credentials", &Credentials::client_credentials,
     &Credentials::client_credentials_places},
};

Result<void> check_places(SettingsDraft& draft, const Looked& looked) {
  const Credentials& credentials = draft.settings.credentials;
  const Places& places = credentials.*looked.places;
  const std::string directive(looked.directive);
  if (places.body && credentials.hide) {
    return draft.conflict(directive, "body: a credential in a body cannot be hidden from the "
                                     "upstream; set oidc_hide_credentials off");
  }
  if (places.query) {
    draft.warn(directive, "query: URLs are written to logs and histories, and the credential with "
                          "them");
  }
  return {};
}

Result<void> check_audience(SettingsDraft& draft) {
  const Rules* rules = draft.settings.rules.get();
  if (rules == nullptr || !rules->has_audience()) {
    return draft.conflict("oidc_auth_methods",
                          "password and client_credentials: oidc_audience_required must name what "
                          "the tokens are for, or say any: else whoever the provider knows would "
                          "be known here");
  }
  if (rules->any_audience()) {
    draft.warn("oidc_audience_required", "any: whoever has a password or a client at the provider "
                                         "opens this");
  }
  return {};
}

}  // namespace

std::span<const Directive> grant_directives() {
  return kDirectives;
}

Result<void> finish_grants(SettingsDraft& draft) {
  const Credentials& credentials = draft.settings.credentials;
  for (const Looked& looked : kLooked) {
    if (!(credentials.*looked.accepted)) continue;
    Result<void> places = check_places(draft, looked);
    if (!places) return places;
  }
  if (credentials.password) {
    draft.warn("oidc_auth_methods", "password: users give their passwords to every client that "
                                    "asks; RFC 9700 section 2.4 says not to");
  }
  if (!credentials.password && !credentials.client_credentials) return {};
  return check_audience(draft);
}

}  // namespace oidc
