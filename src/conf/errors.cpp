// What refusals look like, and what they do besides.
#include "redirects.h"
#include "setters.h"

namespace oidc {
namespace {

using namespace setters;

constexpr auto kErrors = &Settings::errors;

template <auto Member>
Result<void> redirect_target(SettingsDraft& draft, const DirectiveUse& use) {
  std::string& target = draft.settings.errors.*Member;
  target.clear();
  if (is_off(use.words)) return {};
  const std::string& word = use.words[0];
  if (has_variables(word)) return bad_value(word, "it takes no variables");
  Result<void> checked = check_redirect_target(word);
  if (checked) target = word;
  return checked;
}

template <auto Member>
Result<void> message(SettingsDraft& draft, const DirectiveUse& use) {
  const std::string& word = use.words[0];
  if (word.empty() || word.size() > 200 || !is_one_line(word)) {
    return bad_value(word, "one line of at most 200 bytes of UTF-8 is expected");
  }
  draft.settings.errors.*Member = word;
  return {};
}

constexpr Directive kDirectives[] = {
    {"oidc_unauthorized_redirect_uri", 1, 1, Contexts::all, false, "off",
     redirect_target<&ErrorSettings::unauthorized_redirect_uri>},
    {"oidc_forbidden_redirect_uri", 1, 1, Contexts::all, false, "off",
     redirect_target<&ErrorSettings::forbidden_redirect_uri>},
    {"oidc_unexpected_redirect_uri", 1, 1, Contexts::all, false, "off",
     redirect_target<&ErrorSettings::unexpected_redirect_uri>},
    {"oidc_unauthorized_error_message", 1, 1, Contexts::all, false, "Unauthorized",
     message<&ErrorSettings::unauthorized_message>},
    {"oidc_forbidden_error_message", 1, 1, Contexts::all, false, "Forbidden",
     message<&ErrorSettings::forbidden_message>},
    {"oidc_unauthorized_destroy_session", 1, 1, Contexts::all, false, "off",
     flag<kErrors, &ErrorSettings::unauthorized_destroy_session>},
    {"oidc_forbidden_destroy_session", 1, 1, Contexts::all, false, "off",
     flag<kErrors, &ErrorSettings::forbidden_destroy_session>},
    {"oidc_display_errors", 1, 1, Contexts::all, false, "off",
     flag<kErrors, &ErrorSettings::display>},
    {"oidc_expose_error_code", 1, 1, Contexts::all, false, "on",
     flag<kErrors, &ErrorSettings::expose_code>},
};

}  // namespace

std::span<const Directive> error_directives() {
  return kDirectives;
}

}  // namespace oidc
