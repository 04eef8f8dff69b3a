#include "form_body.h"

namespace oidc {
namespace {

bool is_urlencoded(std::string_view content_type) {
  constexpr std::string_view kType = "application/x-www-form-urlencoded";
  return content_type.starts_with(kType) &&
         (content_type.size() == kType.size() || content_type[kType.size()] == ';' ||
          content_type[kType.size()] == ' ');
}

}  // namespace

Task<Result<Form>> read_form_body(Facts facts, BodyReader& reader) {
  if (!is_urlencoded(facts->content_type)) co_return Errc::callback_body_type;
  const Result<Secret> body = co_await reader.read(kMaxFormBody);
  if (!body) {
    const Errc code =
        body.error().code == Errc::too_large ? Errc::callback_body_too_large : body.error().code;
    co_return Error{code, body.error().detail};
  }
  co_return Form::parse(body->view());
}

}  // namespace oidc
