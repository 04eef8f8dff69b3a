// OpenID Connect Front-Channel Logout 1.0: a page in an iframe of the provider's.
#include <algorithm>
#include <optional>

#include "cookie_session.h"
#include "answers.h"
#include "oidc/form.h"
#include "oidc/logout_flows.h"
#include "oidc/url.h"
#include "in_worker.h"
#include "session_index.h"
#include "steps.h"

namespace oidc {
namespace {

constexpr std::string_view kEmptyPage =
    "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Signed out</title>"
    "</head><body></body></html>\n";

struct Request {
  std::string issuer, provider_sid;  // both or none
};

Result<Request> read_request(const RequestFacts& facts) {
  const Result<Form> query = Form::parse(facts.query);
  if (!query) return Error{Errc::parameter_malformed, "query"};
  for (const char* name : {"iss", "sid"}) {
    if (query->count(name) > 1) return Error{Errc::parameter_duplicated, name};
  }
  Request request{std::string(query->get("iss").value_or("")),
                  std::string(query->get("sid").value_or(""))};
  // Section 3: if one of them is there, so is the other.
  if (request.issuer.empty() != request.provider_sid.empty()) {
    return Error{Errc::parameter_missing, request.issuer.empty() ? "iss" : "sid"};
  }
  return request;
}

bool knows(const Owners& owners, const Services& services) {
  return std::any_of(owners.begin(), owners.end(), [&](const Services* other) {
    return other->settings.identity == services.settings.identity &&
           &other->store == &services.store;
  });
}

// Anybody may ask with anything: where the index knows no such session nothing is written either,
// or strangers could fill the store.
Task<Result<void>> end_by_index(Services& services, std::string provider_sid) {
  const IndexName name{IndexedBy::provider_sid, std::move(provider_sid)};
  const auto sessions = co_await sessions_of(services, name);
  if (!sessions) co_return sessions.error();
  if (sessions->empty()) co_return Result<void>();
  const Result<std::size_t> ended = co_await end_sessions_of(services, name);
  if (!ended) co_return ended.error();
  co_return Result<void>();
}

// Without a sid only the cookie says whose session it is: enough for the provider's iframe, and not
// for a page anywhere that sends the browser here.
bool may_mean_the_cookie(const Settings& settings, const RequestFacts& facts) {
  return facts.sec_fetch_dest == "iframe" || initiator(settings, facts) == Initiator::ours;
}

Outcome signed_out(Services& services) {
  Outcome outcome = page(services, std::string(kEmptyPage), {});
  const Result<Url> issuer = parse_url(services.settings.provider.issuer);
  std::string policy("default-src 'none'; base-uri 'none'; frame-ancestors ");
  policy.append(issuer ? issuer->origin() : "'none'");
  for (auto& [name, value] : outcome.headers) {
    if (name == "Content-Security-Policy") value = policy;
    if (name == "Cache-Control") value = "no-store";
  }
  return outcome;
}

}  // namespace

Task<Outcome> frontchannel_logout_flow(Owners owners, Facts facts) {
  Services& first = *owners.front();
  if (facts->method != "GET") {
    Outcome wrong = deny(first, *facts, Error{Errc::callback_method, "this address takes GET alone"});
    for (auto& [name, value] : wrong.headers) {
      if (name == "Allow") value = "GET";
    }
    co_return wrong;
  }
  const Result<Request> request = read_request(*facts);
  if (!request) co_return deny(first, *facts, request.error());
  Owners asked;
  for (Services* services : owners) {
    const bool ours =
        request->issuer.empty() || request->issuer == services->settings.provider.issuer;
    if (ours && !knows(asked, *services)) asked.push_back(services);
  }
  if (asked.empty()) co_return deny(first, *facts, Error{Errc::parameter_malformed, "iss: not ours"});

  Outcome outcome = signed_out(*asked.front());
  for (Services* each : asked) {
    Services& services = *each;
    // The session whose cookie came along, which in an iframe of another site is rare.
    const SessionLookup lookup = co_await find_session(services, facts);
    Result<void> ended;
    if (!request->provider_sid.empty()) {
      ended = co_await in_worker(services, end_by_index(services, request->provider_sid));
    }
    const std::shared_ptr<const OpenSession> present = lookup.session;
    const bool meant =
        present && (request->provider_sid.empty()
                        ? may_mean_the_cookie(services.settings, *facts)
                        : present->record().provider_sid == request->provider_sid);
    if (ended && meant) ended = co_await in_worker(services, erase_session(services, present));
    if (ended && lookup.kind == SessionLookup::Kind::error) ended = lookup.why;
    if (!ended) co_return deny(services, *facts, std::move(ended).error());
    if (!meant) continue;
    append_session_deletion(services, *facts, outcome.set_cookies);
  }
  co_return outcome;
}

}  // namespace oidc
