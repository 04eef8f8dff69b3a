// A gateway whose sessions live in cookies, in a World with its provider and time. Several share what
// is known of ended sessions when they are made with one ledger.
#pragma once

#include <string>
#include <utility>

#include "oidc/cookie_store.h"
#include "scripted_world.h"

namespace oidc::test {

[[nodiscard]] inline Settings cookie_settings() {
  Settings settings = sample_settings();
  settings.session.storage = StorageKind::cookie;
  settings.session.idling_timeout = 900;
  settings.session.rolling_timeout = 0;
  settings.session.store_metadata = false;
  settings.logout.uri_suffix = "/logout";
  return settings;
}

class CookieGateway {
 public:
  explicit CookieGateway(World& its_world) : CookieGateway(its_world, its_world.ledger) {}
  CookieGateway(World& its_world, Ledger& ledger)
      : world(its_world),
        store(ledger, nullptr, world.loop, limits(world.settings)),
        worker(world.settings, world.loop, world.io, world.op, store, ledger, world.shared,
               world.keys, world.log) {
    worker.services.in_cookies = &store;
  }
  CookieGateway(const CookieGateway&) = delete;
  CookieGateway& operator=(const CookieGateway&) = delete;
  ~CookieGateway() { world.loop.cancel_tasks(); }

  Outcome access(Facts facts) {
    return world.loop.run(access_flow(worker.services, std::move(facts)));
  }
  // The browser takes the cookies.
  Outcome visit(Browser& browser, std::string target = "/") {
    Outcome outcome = access(browser.navigate(std::move(target)));
    browser.take(outcome);
    return outcome;
  }
  // One of several requests: it does not.
  Outcome fetch(const Browser& browser) { return access(browser.fetch("/")); }
  Outcome log_in(Browser& browser) {
    const Outcome start = visit(browser);
    const Form answer = world.op.authorize(World::location(start));
    const std::string target = std::string(kCallbackPath) + "?" + answer.encode();
    ScriptedBody body(world.io, {});
    Outcome outcome =
        world.loop.run(callback_flow({&worker.services}, browser.navigate(target), body));
    browser.take(outcome);
    return outcome;
  }
  Outcome log_out(Browser& browser) {
    Outcome outcome = access(browser.post("/logout"));
    browser.take(outcome);
    return outcome;
  }
  void later(Seconds seconds) { world.loop.advance(Milliseconds(seconds * 1000)); }

  // What the hot path answers; null: the flow is asked.
  std::shared_ptr<const OpenSession> at_hand(const Browser& browser) {
    const auto facts = browser.fetch("/");
    const std::string name = World::session_cookie_name();
    SessionCookieFinder finder(world.keys, name, world.settings.identity, world.loop.now());
    PartsFinder parts(name);
    for (const std::string& header : facts->cookie_headers) {
      finder.look_at(header);
      parts.look_at(header);
    }
    if (!finder.result().cookie) return nullptr;
    return session_in_cookies(worker.services, *finder.result().cookie, parts, name);
  }

  World& world;
  CookieStore store;
  ScriptedWorker worker;

 private:
  static CookieStore::Limits limits(const Settings& settings) {
    const auto life = [](Seconds timeout) {
      return Milliseconds((timeout == 0 ? 400 * 86400 : timeout) * 1000);
    };
    return {life(settings.session.absolute_timeout), life(settings.session.rolling_timeout),
            settings.session.cache_size};
  }
};

[[nodiscard]] inline std::size_t cookies_set(const Outcome& outcome) {
  std::size_t found = 0;
  for (const std::string& cookie : outcome.set_cookies) {
    found += cookie.starts_with(kCookieName) && cookie.find("Max-Age=0") == std::string::npos;
  }
  return found;
}

}  // namespace oidc::test
