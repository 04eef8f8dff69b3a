// The record of a remember cookie: a copy of the session's, under keys of its own. Once it was used
// it is a pointer to the session and the cookie that it made.
#pragma once

#include <string>

#include "session_index.h"

namespace oidc::remember_record {

[[nodiscard]] SessionCookie cookie_of(std::string_view sid);
// <= 0: it is over.
[[nodiscard]] Milliseconds life_of(Services& services, const SessionRecord& record);
[[nodiscard]] std::string seal(Services& services, const SessionRecord& record,
                               const SessionCookie& cookie);
// In the index beside the sessions, but not counted as one.
[[nodiscard]] Membership member(const StoreKey& key, const SessionRecord& record);

struct Copy {
  SessionLookup::Kind kind = SessionLookup::Kind::none;
  std::shared_ptr<const OpenSession> opened;
  std::string detail;
};
[[nodiscard]] Task<Copy> read_copy(Services& services, SessionCookie cookie);
// What a refresh has taken out of a copy.
[[nodiscard]] bool is_withheld(const SessionRecord& record);
// Compare-and-set over the copy that was read.
[[nodiscard]] Task<StoreWrite> write_over(Services& services,
                                          std::shared_ptr<const OpenSession> copy,
                                          SessionRecord record);
// A new record, of a session or a copy, that enters the index.
[[nodiscard]] Task<Result<void>> insert(Services& services, StoreKey key, std::string envelope,
                                        Milliseconds ttl, Membership who, Seconds began);

void warn(Services& services, const std::string& detail);

}  // namespace oidc::remember_record
