// The interfaces of oidc/io.h in memory. Each call takes a moment of the loop's time, is written
// down, and may be told to fail.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "oidc/flow.h"
#include "oidc/io.h"
#include "scripted_loop.h"

namespace oidc::test {

// How an I/O fails.
//   error: at once, without any effect.   timeout: late, and the other side did act.
//   refusal: the other side answers, but not what was hoped for (status 500; not in the store).
//   exception: a bug, or no memory.
enum class Fault : std::uint8_t { none, error, timeout, refusal, exception };

class IoScript {
 public:
  explicit IoScript(ScriptedLoop& loop) : loop_(loop) {}

  // The fault of this call, after the time that it takes.
  Task<Fault> call(std::string name) {
    calls_.push_back(std::move(name));
    Fault fault = Fault::none;
    if (fail_at_ && calls_.size() - 1 == *fail_at_) fault = fault_;
    if (broken_ && calls_.back().starts_with(*broken_)) fault = fault_;
    const Milliseconds delay = fault == Fault::timeout ? Milliseconds(10'000) : Milliseconds(5);
    co_await sleep_for(loop_, delay);
    if (fault == Fault::exception) throw std::runtime_error("scripted");
    co_return fault;
  }

  // The call with this number, from now on counted from 0, fails.
  void fail_at(std::size_t number, Fault fault) {
    calls_.clear();
    fail_at_ = number;
    fault_ = fault;
  }
  // All calls whose names start so fail until repair().
  void break_all(std::string prefix, Fault fault) {
    broken_ = std::move(prefix);
    fault_ = fault;
  }
  void repair() {
    fail_at_.reset();
    broken_.reset();
  }
  void forget() { calls_.clear(); }

  [[nodiscard]] const std::vector<std::string>& calls() const { return calls_; }
  [[nodiscard]] std::size_t count(std::string_view prefix) const {
    std::size_t found = 0;
    for (const std::string& call : calls_) found += call.starts_with(prefix) ? 1 : 0;
    return found;
  }

 private:
  ScriptedLoop& loop_;
  std::vector<std::string> calls_;
  std::optional<std::size_t> fail_at_;
  std::optional<std::string> broken_;
  Fault fault_ = Fault::none;
};

class ScriptedBody final : public BodyReader {
 public:
  ScriptedBody(IoScript& io, std::string text) : io_(io), text_(std::move(text)) {}
  void set(std::string text) { text_ = std::move(text); }
  Task<Result<Secret>> read(std::size_t max) override {
    const Fault fault = co_await io_.call("body");
    if (fault != Fault::none) co_return Errc::malformed;
    if (text_.size() > max) co_return Errc::too_large;
    Secret body(text_);
    co_return body;
  }

 private:
  IoScript& io_;
  std::string text_;
};

class RecordedLog final : public EventLog {
 public:
  struct Line {
    LogLevel level;
    Errc reason;
    std::string detail;
  };
  void write(LogLevel level, Errc reason, std::string_view detail) override {
    lines.push_back({level, reason, std::string(detail)});
  }
  [[nodiscard]] std::size_t count(Errc reason) const {
    std::size_t found = 0;
    for (const Line& line : lines) found += line.reason == reason ? 1 : 0;
    return found;
  }
  std::vector<Line> lines;
};

}  // namespace oidc::test
