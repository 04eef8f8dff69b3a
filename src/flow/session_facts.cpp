#include "oidc/session_facts.h"

#include "oidc/presented_token.h"

#include <algorithm>
#include <array>
#include <optional>

namespace oidc {
namespace {

struct TimesLeft {
  std::optional<Seconds> idling, rolling, absolute;  // nullopt: off
};

// This request has used the session: all of the idle time is left.
TimesLeft times_left(const SessionRecord& record, const SessionSettings& settings, Seconds now) {
  TimesLeft left;
  const auto rest = [now](Seconds end) { return std::max<Seconds>(end - now, 0); };
  if (settings.idling_timeout != 0) left.idling = settings.idling_timeout;
  if (settings.rolling_timeout != 0) {
    left.rolling = rest(add_saturated(record.sid_since, settings.rolling_timeout));
  }
  if (record.absolute_end != 0) left.absolute = rest(record.absolute_end);
  if (settings.absolute_timeout != 0) {
    const Seconds here = rest(add_saturated(record.created, settings.absolute_timeout));
    left.absolute = std::min(left.absolute.value_or(here), here);
  }
  return left;
}

std::optional<Seconds> nearest(const TimesLeft& left) {
  std::optional<Seconds> least;
  for (const std::optional<Seconds> each : {left.idling, left.rolling, left.absolute}) {
    if (each && (!least || *each < *least)) least = each;
  }
  return least;
}

std::optional<std::string> text(std::optional<Seconds> seconds) {
  if (!seconds) return std::nullopt;
  return std::to_string(*seconds);
}

std::optional<std::string> value_of(SessionFact fact, const OpenSession& session,
                                    const Settings& settings, const TimesLeft& left) {
  switch (fact) {
    case SessionFact::id:
      return log_id(session.key());
    case SessionFact::audience:
      return settings.session.audience;
    case SessionFact::subject:
      return std::string(session.record().subject);
    case SessionFact::timeout:
      return text(nearest(left));
    case SessionFact::idling_timeout:
      return text(left.idling);
    case SessionFact::rolling_timeout:
      return text(left.rolling);
    case SessionFact::absolute_timeout:
      return text(left.absolute);
  }
  return std::nullopt;
}

}  // namespace

std::string_view header_of(SessionFact fact) noexcept {
  constexpr std::array<std::string_view, 7> kNames = {
      "session-id",      "session-audience",        "session-subject",         "session-timeout",
      "session-idling-timeout", "session-rolling-timeout", "session-absolute-timeout"};
  return kNames[static_cast<std::size_t>(fact)];
}

FactHeaders session_facts(const OpenSession& session, const Settings& settings,
                          const std::vector<SessionFact>& wanted, Seconds now) {
  FactHeaders headers;
  if (wanted.empty() || is_token(session.record())) return headers;
  const TimesLeft left = times_left(session.record(), settings.session, now);
  for (const SessionFact fact : wanted) {
    std::optional<std::string> value = value_of(fact, session, settings, left);
    if (value) headers.emplace_back(header_of(fact), std::move(*value));
  }
  return headers;
}

}  // namespace oidc
