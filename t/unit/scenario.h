// One flow: how to get to where it begins, and how it begins.
#pragma once

#include <functional>
#include <string>

#include "scripted_world.h"

namespace oidc::test {

struct Scenario {
  const char* name;
  bool passes_anonymous = false;
  bool waits = true;  // for anything at all
  std::function<void(World&)> configure = [](World&) {};
  // Everything before the request in question.
  std::function<void(World&, Browser&)> prepare;
  std::function<Task<Outcome>(World&, Browser&, ScriptedBody&)> begin;
  // Records begin with codes alone, and what a refresh brought is stored when all has ended.
  bool stores_only_exchanges = true;
  bool may_pass = false;  // without a session at the beginning
  // What holds when all has ended, whatever failed.
  std::function<void(World&, const Browser&, const Outcome&)> then = [](World&, const Browser&,
                                                                        const Outcome&) {};
};

inline Form pending_answer(World& world, Browser& browser) {
  return world.op.authorize(World::location(world.visit(browser, "/wanted")));
}

// The callback's query or body is made in prepare() and kept in a cookie that no server knows.
inline void keep_answer(World& world, Browser& browser) {
  browser.cookies["test-answer"] = {pending_answer(world, browser).encode(), ""};
}
inline std::string kept_answer(const Browser& browser) {
  return browser.cookies.at("test-answer").value;
}

inline Task<Outcome> begin_access(World& world, Browser& browser, ScriptedBody&) {
  return access_flow(world.worker.services, browser.navigate("/"));
}
inline Task<Outcome> begin_callback(World& world, Browser& browser, ScriptedBody& body) {
  return callback_flow({&world.worker.services},
                       browser.navigate("/callback?" + kept_answer(browser)), body);
}
inline Task<Outcome> begin_form_post(World& world, Browser& browser, ScriptedBody& body) {
  body.set(kept_answer(browser));
  return callback_flow({&world.worker.services}, browser.post_from_provider("/callback"), body);
}
inline Task<Outcome> begin_logout(World& world, Browser& browser, ScriptedBody&) {
  return access_flow(world.worker.services, browser.post("/logout"));
}

inline void nothing(World&, Browser&) {}
inline void plain(World&) {}

}  // namespace oidc::test
