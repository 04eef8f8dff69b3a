// The flows as scenarios. What follows is tried with each of them at each of its awaits.
#pragma once

#include <cctype>
#include <string>
#include <vector>

#include "flows_of_sessions.h"
#include "scenario.h"

namespace oidc::test {

inline void with_signed_userinfo(World& world) {
  world.settings.userinfo.at_login = true;
  world.op.metadata["userinfo_endpoint"] = "https://op.example.com/userinfo";
  world.op.userinfo = [&world](const std::string&) {
    return HttpResponse{200, "application/jwt",
                        world.op.key->sign({}, {{"sub", world.op.subject}})};
  };
}

inline const std::vector<Scenario>& login_scenarios() {
  static const std::vector<Scenario> all = {
      {"first visit", false, true, plain, nothing, begin_access},
      {"first visit, anonymous allowed", true, false,
       [](World& world) { world.settings.unauthenticated = Unauthenticated::pass; }, nothing,
       begin_access},
      {"visit with a session", false, true, plain,
       [](World& world, Browser& browser) {
         world.log_in(browser);
         world.settle();
       },
       begin_access},
      {"callback", false, true, plain, keep_answer, begin_callback},
      {"callback that replaces a session", false, true, plain,
       [](World& world, Browser& browser) {
         world.log_in(browser);
         LoginStart start;
         start.target = "/wanted";
         const Outcome begun =
             world.loop.run(start_login(world.worker.services, browser.navigate("/wanted"), start));
         browser.take(begun);
         const Form answer = world.op.authorize(World::location(begun));
         browser.cookies["test-answer"] = {answer.encode(), ""};
       },
       begin_callback},
      {"callback with a new signing key", false, true, plain,
       [](World& world, Browser& browser) {
         Browser other;
         world.log_in(other);
         world.op.key = &SigningKey::ec("second");
         world.op.published.push_back(&SigningKey::ec("second"));
         keep_answer(world, browser);
       },
       begin_callback},
      {"callback by form_post", false, true,
       [](World& world) { world.settings.authorization.response_mode = ResponseMode::form_post; },
       keep_answer, begin_form_post},
      {"callback with signed userinfo", false, true, with_signed_userinfo, keep_answer,
       begin_callback},
      {"callback with an error that restarts", false, false, plain,
       [](World& world, Browser& browser) {
         const std::string location = World::location(world.visit(browser, "/wanted"));
         browser.cookies["test-answer"] = {ScriptedOp::refuse(location, "login_required").encode(),
                                           ""};
       },
       begin_callback},
      {"callback that comes twice", false, true, plain,
       [](World& world, Browser& browser) {
         keep_answer(world, browser);
         const auto login = *browser.cookies.lower_bound("__Host-login_");
         world.come_back(browser, Form::parse(kept_answer(browser)).value());
         browser.cookies.insert(login);
       },
       begin_callback},
      {"refresh", false, true, plain,
       [](World& world, Browser& browser) {
         world.log_in(browser);
         world.loop.advance(Milliseconds(250'000));
       },
       begin_access},
      {"refresh of a token that is over", false, true, plain,
       [](World& world, Browser& browser) {
         world.log_in(browser);
         world.loop.advance(Milliseconds(400'000));
       },
       begin_access},
      {"refresh that is refused", false, true, plain,
       [](World& world, Browser& browser) {
         world.log_in(browser);
         world.loop.advance(Milliseconds(250'000));
         world.op.revoke_all();
       },
       begin_access},
      {"logout", false, true, [](World& world) { world.settings.logout.uri_suffix = "/logout"; },
       [](World& world, Browser& browser) { world.log_in(browser); }, begin_logout},
  };
  return all;
}

inline const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = [] {
    std::vector<Scenario> both = login_scenarios();
    both.insert(both.end(), session_scenarios().begin(), session_scenarios().end());
    return both;
  }();
  return all;
}

// For the names of parametrized tests.
inline std::string test_name(const Scenario& scenario) {
  std::string name = scenario.name;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}

// A scenario up to where its flow begins; the I/O is counted from there.
struct Prepared {
  explicit Prepared(const Scenario& scenario) {
    scenario.configure(world);
    scenario.prepare(world, browser);
    world.settle();
    world.io.forget();
  }
  World world;
  Browser browser;
  ScriptedBody body{world.io, ""};
};

// Nothing waits any more.
inline void expect_nothing_waits(const World& world) {
  EXPECT_EQ(world.loop.running_tasks(), 0U);
  EXPECT_EQ(world.loop.timers(), 0U);
  EXPECT_TRUE(world.loop.idle());
}
inline void expect_quiet(const World& world) {
  expect_nothing_waits(world);
  EXPECT_EQ(world.loop.failures(), std::vector<std::string>{});
}

// Whatever happened: the same browser gets in afterwards, on the same worker.
inline void expect_recovery(World& world, Browser browser) {
  world.io.repair();
  world.loop.advance(Milliseconds(60'000));
  world.op.key = &SigningKey::ec("first");
  Outcome outcome = world.visit(browser, "/");
  if (!passes(outcome)) {
    ASSERT_TRUE(starts_login(outcome)) << describe(outcome);
    const Form answer = world.op.authorize(World::location(outcome));
    if (world.settings.authorization.response_mode == ResponseMode::form_post) {
      outcome = world.callback(browser.post_from_provider("/callback"), answer.encode());
      browser.take(outcome);
    } else {
      outcome = world.come_back(browser, answer);
    }
    ASSERT_TRUE(redirects_to(outcome, "https://app.example.org/")) << describe(outcome);
    outcome = world.visit(browser, "/");
  }
  EXPECT_TRUE(passes(outcome)) << describe(outcome);
}

}  // namespace oidc::test
