#include "oidc/admission.h"

#include "answers.h"
#include "end_session.h"
#include "oidc/rules.h"

namespace oidc {
namespace {

Error refusal(const Settings& settings, const OpenSession& session) {
  const Result<void> checked = settings.rules->check(Claims(session.record()));
  return checked ? Error{Errc::forbidden, {}} : checked.error();
}

bool destroys(const Settings& settings, const RequestFacts& facts, const OpenSession& session) {
  return settings.errors.forbidden_destroy_session &&
         initiator(settings, facts) != Initiator::foreign &&
         session.record().method == static_cast<std::uint8_t>(Method::authorization_code);
}

}  // namespace

Task<Outcome> admit(Services& services, Facts facts, std::shared_ptr<const OpenSession> session) {
  const Settings& settings = services.settings;
  if (judge(settings, *session) == Errc::none) co_return pass(services, session);
  Outcome outcome = deny(services, *facts, refusal(settings, *session));
  outcome.session = session;
  if (destroys(settings, *facts, *session)) {
    const NamedSession named{session->key(), session, {}};
    outcome.set_cookies = co_await destroy_session(services, facts, named);
  }
  co_return outcome;
}

}  // namespace oidc
