#include "oidc/form.h"

#include <string>

#include "oidc/authorization.h"
#include "require.h"

using oidc::fuzz::require;

namespace {

// The callback's query or body.
void check_response(const oidc::Form& form) {
  const auto response = oidc::read_authorization_response(form);
  if (!response) {
    require(response.error().code == oidc::Errc::parameter_duplicated ||
                response.error().code == oidc::Errc::parameter_malformed ||
                response.error().code == oidc::Errc::state_missing,
            "a refusal has its code");
    return;
  }
  require(!response->state.empty(), "an answer has a state");
  require(response->code.empty() || response->error.empty(), "and a code or an error");
  for (const char* name : {"state", "code", "iss", "error"}) {
    require(form.count(name) <= 1, "each once");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const oidc::Result<oidc::Form> form = oidc::Form::parse(oidc::fuzz::text_of(data, size));
  if (!form) return 0;
  require(form->fields().size() <= 64, "no more fields than allowed");
  for (const oidc::FormField& field : form->fields()) {
    require((field.name + field.value).find('\0') == std::string::npos, "no NUL byte");
    require(form->count(field.name) >= 1, "a field that is there is counted");
  }

  const oidc::Result<oidc::Form> again = oidc::Form::parse(form->encode());
  require(again.ok(), "what is encoded parses");
  require(again->fields().size() == form->fields().size(), "with as many fields");
  for (std::size_t i = 0; i < form->fields().size(); ++i) {
    require(again->fields()[i].name == form->fields()[i].name, "of the same names");
    require(again->fields()[i].value == form->fields()[i].value, "and values");
  }
  check_response(*form);
  return 0;
}
