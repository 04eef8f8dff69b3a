// The copy of a session's tokens that its remember cookie's record holds.
#include "remember.h"
#include "remember_record.h"
#include "steps.h"
#include "token_fields.h"

namespace oidc {
namespace {

using namespace remember_record;
using Session = std::shared_ptr<const OpenSession>;

constexpr int kTries = 3;

}  // namespace

Task<Withheld> withhold_tokens(Services& services, Session session) {
  const SessionRecord& record = session->record();
  if (record.remember_sid.empty()) co_return Withheld::done;
  for (int i = 0; i < kTries; ++i) {
    const Copy copy = co_await read_copy(services, cookie_of(record.remember_sid));
    if (copy.kind == SessionLookup::Kind::error) co_return Withheld::unknown;
    if (!copy.opened) {
      // Ended by itself, or not there before its time: then somebody else has the token.
      SessionRecord begins;
      begins.created = record.created;
      begins.sid_since = record.created;
      const bool over = life_of(services, begins).count() <= 0;
      co_return over ? Withheld::done : Withheld::gone;
    }
    SessionRecord rest = copy.opened->record();
    if (!rest.next_sid.empty()) co_return Withheld::gone;
    if (is_withheld(rest)) co_return Withheld::done;
    rest.access_token = {};
    rest.refresh_token = {};
    const StoreWrite written = co_await write_over(services, copy.opened, rest);
    if (written.status == StoreStatus::hit) co_return Withheld::done;
    if (written.status == StoreStatus::error) co_return Withheld::unknown;
  }
  co_return Withheld::unknown;
}

Task<void> remember_tokens(Services& services, Session session) {
  const SessionRecord& tokens = session->record();
  if (tokens.remember_sid.empty()) co_return;
  for (int i = 0; i < kTries; ++i) {
    const Copy copy = co_await read_copy(services, cookie_of(tokens.remember_sid));
    if (!copy.opened || !copy.opened->record().next_sid.empty()) co_return;
    SessionRecord record = copy.opened->record();
    take_tokens(record, tokens);
    record.remember_sid = session->cookie().sid_view();
    const StoreWrite written = co_await write_over(services, copy.opened, record);
    if (written.status == StoreStatus::error) warn(services, written.detail);
    if (written.status != StoreStatus::miss) co_return;
  }
}

}  // namespace oidc
