// The fields of a record that a refresh renews, of the tokens and of the userinfo, and nothing else
// does.
#pragma once

#include "oidc/session.h"

namespace oidc {

// Views: `from` outlives `record`'s use.
inline void take_tokens(SessionRecord& record, const SessionRecord& from) {
  record.access_token = from.access_token;
  record.access_expires = from.access_expires;
  record.tokens_since = from.tokens_since;
  record.refresh_token = from.refresh_token;
  record.id_token = from.id_token;
  record.scope = from.scope;
  record.introspection = from.introspection;
  record.answer_jwt = from.answer_jwt;
  record.userinfo_since = from.userinfo_since;
  record.jwk = from.jwk;
}

}  // namespace oidc
