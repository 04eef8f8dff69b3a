// The scenarios of flows_everywhere.h in which sessions are renewed, remembered, limited, ended by
// others, or outlive their store.
#pragma once

#include <vector>

#include "flow/session_index.h"
#include "logout_token_sample.h"
#include "oidc/logout_flows.h"
#include "oidc/outage.h"
#include "scenario.h"

namespace oidc::test {

inline void log_in_and_wait(World& world, Browser& browser) {
  world.log_in(browser);
  world.loop.advance(Milliseconds(1000));
}

// "It is done" is only said when the session is gone.
inline void expect_ended(World& world, const Browser& browser, const Outcome& outcome) {
  if (outcome.status == 200) {
    EXPECT_EQ(world.session_of(browser), nullptr);
  }
}

inline Task<Outcome> begin_backchannel(World& world, Browser&, ScriptedBody& body) {
  Form form;
  form.add("logout_token", LogoutTokenSample(world.loop.now()).signed_by(*world.op.key));
  body.set(form.encode());
  auto facts = Browser().post("/backchannel");
  facts->accept = facts->origin = facts->sec_fetch_site = facts->sec_fetch_mode =
      facts->sec_fetch_dest = "";
  return backchannel_logout_flow({&world.worker.services}, facts, body);
}

inline Task<Outcome> begin_frontchannel(World& world, Browser&, ScriptedBody&) {
  Form form;
  form.add("iss", kIssuer);
  form.add("sid", "provider-session");
  auto facts = Browser().navigate("/frontchannel?" + form.encode());
  facts->sec_fetch_dest = "iframe";
  facts->sec_fetch_site = "cross-site";
  return frontchannel_logout_flow({&world.worker.services}, facts);
}

inline Task<Outcome> begin_administration(World& world, Browser&, ScriptedBody&) {
  auto facts = Browser().fetch("/admin?subject=alice");
  facts->method = "DELETE";
  facts->sec_fetch_site = facts->sec_fetch_mode = facts->sec_fetch_dest = "";
  return administration_flow(world.worker.services, facts);
}

inline Task<Outcome> begin_replay(World& world, Browser&, ScriptedBody&) {
  std::string name = store_name(world.settings.session);
  const Milliseconds longer(30'000);
  co_await replay_logouts(world.shared, world.store, world.ledger, std::move(name), longer);
  Outcome outcome;
  outcome.kind = Outcome::Kind::answer;
  outcome.status = 200;
  outcome.headers.emplace_back("Cache-Control", "no-store");
  co_return outcome;
}

inline const std::vector<Scenario>& session_scenarios() {
  static const std::vector<Scenario> all = {
      {.name = "renewal of the sid",
       .configure =
           [](World& world) {
             world.settings.session.rolling_timeout = 3600;
             world.settings.session.idling_timeout = 0;
             world.op.expires_in = 86'400;
           },
       .prepare =
           [](World& world, Browser& browser) {
             world.log_in(browser);
             world.loop.advance(Milliseconds(2'700'000));
           },
       .begin = begin_access,
       .stores_only_exchanges = false},
      {.name = "login by a remember cookie",
       .configure =
           [](World& world) {
             world.settings.session.remember.on = true;
             world.settings.session.remember.cookie.name = "remember";
             world.op.expires_in = 3600;
           },
       .prepare =
           [](World& world, Browser& browser) {
             log_in_and_wait(world, browser);
             browser.cookies.erase(World::session_cookie_name());
           },
       .begin = begin_access,
       .stores_only_exchanges = false,
       .may_pass = true},
      {.name = "callback at the limit of sessions",
       .configure = [](World& world) { world.settings.session.max_per_subject = 1; },
       .prepare =
           [](World& world, Browser& browser) {
             Browser other;
             log_in_and_wait(world, other);
             keep_answer(world, browser);
           },
       .begin = begin_callback,
       .then =
           [](World& world, const Browser&, const Outcome& outcome) {
             if (outcome.session != nullptr) {
               EXPECT_EQ(world.store.size(), 1U);
             }
           }},
      {.name = "refresh with the lock of all machines",
       .configure = [](World& world) { world.settings.session.storage = StorageKind::redis; },
       .prepare =
           [](World& world, Browser& browser) {
             world.log_in(browser);
             world.loop.advance(Milliseconds(250'000));
           },
       .begin = begin_access},
      {.name = "refresh that the store does not take",
       .prepare =
           [](World& world, Browser& browser) {
             world.log_in(browser);
             world.loop.advance(Milliseconds(250'000));
             world.io.break_all("store replace", Fault::error);
           },
       .begin = begin_access,
       .stores_only_exchanges = false},
      {.name = "back-channel logout",
       .prepare = log_in_and_wait,
       .begin = begin_backchannel,
       .then = expect_ended},
      {.name = "front-channel logout",
       .prepare = log_in_and_wait,
       .begin = begin_frontchannel,
       .then = expect_ended},
      {.name = "administration ends a subject's sessions",
       .prepare = log_in_and_wait,
       .begin = begin_administration,
       .then = expect_ended},
      {.name = "replay of logouts after an outage",
       .configure = [](World& world) { world.settings.session.outage_cached = 60; },
       .prepare =
           [](World& world, Browser& browser) {
             log_in_and_wait(world, browser);
             const auto session = world.session_of(browser);
             const Membership of = membership_of(session->key(), session->record());
             const OwedLogout owed{session->key(), session->record().created,
                                   sets_of(world.settings, of)};
             EXPECT_TRUE(remember_logout(world.worker.services, owed));
           },
       .begin = begin_replay,
       .then =
           [](World& world, const Browser& browser, const Outcome&) {
             EXPECT_FALSE(passes(world.access(browser.fetch("/")))) << "a logout was forgotten";
           }},
  };
  return all;
}

}  // namespace oidc::test
