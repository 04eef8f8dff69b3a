// oidc_session_admin: a small JSON interface over the index.
//   GET ?subject=S | ?sid=S | ?id=ID      lists
//   DELETE the same                       ends
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "oidc/form.h"
#include "oidc/logout_flows.h"
#include "in_worker.h"
#include "session_index.h"
#include "steps.h"

namespace oidc {
namespace {

constexpr std::size_t kMostListed = 100;
constexpr std::size_t kMaxName = 1024;

Outcome answer(Services& services, int status, const Json& body) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::answer;
  outcome.settings = &services.settings;
  outcome.status = status;
  outcome.content_type = "application/json";
  outcome.body = body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  outcome.headers.emplace_back("Cache-Control", "private, no-store");
  outcome.headers.emplace_back("X-Content-Type-Options", "nosniff");
  outcome.headers.emplace_back("Cross-Origin-Resource-Policy", "same-origin");
  return outcome;
}

Outcome refuse(Services& services, Error why, int status = 0) {
  const ErrcInfo& reason = info(why.code);
  Json body = {{"error", reason.code}, {"message", reason.sentence}};
  if (why.code == Errc::admin_request_invalid) body["message"] = why.detail;
  Outcome outcome = answer(services, status == 0 ? reason.status : status, body);
  outcome.reason = why.code;
  outcome.detail = std::move(why.detail);
  if (outcome.status == 405) outcome.headers.emplace_back("Allow", "GET, HEAD, DELETE");
  if (outcome.status == 503) outcome.headers.emplace_back("Retry-After", "5");
  return outcome;
}

// What the request is about: sessions by a name of the index, or one by its id.
struct Wanted {
  std::optional<IndexName> name;
  std::optional<StoreKey> id;
};

Result<Wanted> read_query(const RequestFacts& facts) {
  const Error usage{Errc::admin_request_invalid,
                    "exactly one of the arguments subject, sid and id is expected"};
  const Result<Form> query = Form::parse(facts.query, 8);
  if (!query || query->fields().size() != 1) return usage;
  const FormField& field = query->fields().front();
  if (field.value.empty() || field.value.size() > kMaxName) return usage;
  Wanted wanted;
  if (field.name == "subject") wanted.name = IndexName{IndexedBy::subject, field.value};
  if (field.name == "sid") wanted.name = IndexName{IndexedBy::provider_sid, field.value};
  if (field.name == "id") {
    wanted.id = parse_store_key(field.value);
    if (!wanted.id) return Error{Errc::admin_request_invalid, "that is no id of a session"};
  }
  if (!wanted.name && !wanted.id) return usage;
  return wanted;
}

Json described(const IndexedSession& session) {
  Json entry = {{"id", session.key.view()}, {"log_id", log_id(session.key)}};
  if (session.created != 0) entry["created"] = session.created;
  return entry;
}

Task<Outcome> list(Services& services, std::vector<IndexedSession> sessions) {
  Json listed = Json::array();
  bool more = false;
  for (const IndexedSession& session : sessions) {
    if (listed.size() == kMostListed) {
      more = true;
      break;
    }
    const StoreRead read = co_await services.store.read(session.key);
    if (read.status == StoreStatus::error) {
      co_return refuse(services, Error{Errc::store_unavailable, read.detail});
    }
    if (read.status == StoreStatus::hit) listed.push_back(described(session));
  }
  Json body = {{"sessions", listed}, {"more", more}};
  co_return answer(services, 200, body);
}

Task<Outcome> end_one(Services& services, StoreKey key) {
  const StoreRead read = co_await services.store.read(key);
  if (read.status == StoreStatus::error) {
    co_return refuse(services, Error{Errc::store_unavailable, read.detail});
  }
  std::vector<StoreKey> keys{key};
  const Result<void> erased = co_await in_worker(services, erase_sessions(services, std::move(keys)));
  if (!erased) co_return refuse(services, erased.error());
  Json body = {{"ended", read.status == StoreStatus::hit ? 1 : 0}};
  co_return answer(services, 200, body);
}

// A browser sends no DELETE to another origin without asking first, which nobody answers here; what
// it says of itself is judged all the same. A client that says nothing is no browser.
bool comes_from_another_site(const Settings& settings, const RequestFacts& facts) {
  const Initiator from = initiator(settings, facts);
  if (from == Initiator::foreign) return true;
  if (!facts.origin.empty() && facts.origin != own_origin(settings, facts)) return true;
  // Whoever makes a name of his own lead here (DNS rebinding) has pages of this very origin.
  return from == Initiator::ours && !check_host(settings, facts);
}

}  // namespace

Task<Outcome> administration_flow(Services& services, Facts facts) {
  const bool ends = facts->method == "DELETE";
  if (!ends && facts->method != "GET" && facts->method != "HEAD") {
    co_return refuse(services, Error{Errc::admin_request_invalid, "GET, HEAD or DELETE"}, 405);
  }
  if (ends && comes_from_another_site(services.settings, *facts)) {
    co_return refuse(services, Error{Errc::logout_cross_site, {}});
  }
  const Result<Wanted> wanted = read_query(*facts);
  if (!wanted) co_return refuse(services, wanted.error());
  if (wanted->id) {
    const StoreKey key = *wanted->id;
    if (ends) co_return co_await end_one(services, key);
    std::vector<IndexedSession> one{IndexedSession{key, 0}};
    co_return co_await list(services, std::move(one));
  }
  const IndexName name = *wanted->name;
  if (!ends) {
    auto sessions = co_await sessions_of(services, name);
    if (!sessions) co_return refuse(services, std::move(sessions).error());
    co_return co_await list(services, std::move(*sessions));
  }
  Result<std::size_t> ended = co_await in_worker(services, end_sessions_of(services, name));
  if (!ended) co_return refuse(services, std::move(ended).error());
  Json body = {{"ended", *ended}};
  co_return answer(services, 200, body);
}

}  // namespace oidc
