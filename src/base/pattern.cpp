#include "oidc/pattern.h"

#include <optional>
#include <string>
#include <vector>

#include "pattern_tree.h"
#include "utf8.h"

namespace oidc {

// Thompson's automaton: a state waits for a character, or forks, or is the end.
struct Pattern::Program {
  struct State {
    bool fork = false;
    std::size_t set = 0;                // unless it forks: of `sets`
    std::size_t next = 0, other = 0;    // other: of a fork
  };
  static constexpr std::size_t kEnd = 0;

  std::vector<State> states{State{}};  // the first is the end
  std::vector<CharacterSet> sets;
  std::size_t start = kEnd;

  // Returns where the node begins when `next` follows it; `fits` is false when it became too much.
  std::size_t emit(const PatternNode& node, std::size_t next);
  bool fits = true;

 private:
  std::size_t add(const State& state) {
    if (states.size() >= kMaxPositions) {
      fits = false;
      return kEnd;
    }
    states.push_back(state);
    return states.size() - 1;
  }
  std::size_t emit_repeat(const PatternNode& node, std::size_t next);
};

std::size_t Pattern::Program::emit(const PatternNode& node, std::size_t next) {
  switch (node.kind) {
    case PatternNode::Kind::set:
      sets.push_back(node.set);
      return add({false, sets.size() - 1, next, 0});
    case PatternNode::Kind::sequence:
      for (std::size_t i = node.parts.size(); i > 0 && fits; --i) {
        next = emit(node.parts[i - 1], next);
      }
      return next;
    case PatternNode::Kind::choice: {
      std::size_t start = emit(node.parts.back(), next);
      for (std::size_t i = node.parts.size() - 1; i > 0 && fits; --i) {
        start = add({true, 0, emit(node.parts[i - 1], next), start});
      }
      return start;
    }
    case PatternNode::Kind::repeat:
      return emit_repeat(node, next);
  }
  return next;
}

std::size_t Pattern::Program::emit_repeat(const PatternNode& node, std::size_t next) {
  const PatternNode& part = node.parts.front();
  std::size_t start = next;
  if (node.most == PatternNode::kEndless) {
    start = add({true, 0, kEnd, next});
    if (!fits) return start;
    const std::size_t body = emit(part, start);
    states[start].next = body;
  } else {
    for (unsigned i = node.least; i < node.most && fits; ++i) {
      start = add({true, 0, emit(part, start), next});
    }
  }
  for (unsigned i = 0; i < node.least && fits; ++i) {
    const std::size_t before = emit(part, start);
    if (before == start) break;  // a part of nothing
    start = before;
  }
  return start;
}

Result<Pattern> Pattern::compile(std::string_view expression) {
  const Result<PatternNode> tree = parse_pattern(expression);
  if (!tree) return tree.error();
  auto program = std::make_shared<Program>();
  program->start = program->emit(*tree, Program::kEnd);
  if (!program->fits) return Error{Errc::malformed, "it is too large, repetitions multiplied"};
  return Pattern(std::move(program));
}

namespace {

// The states in which a run may be.
class Positions {
 public:
  explicit Positions(std::size_t states) : marks_(states, false) {}

  template <class States>
  void enter(const States& states, std::size_t state) {
    waiting_.push_back(state);
    while (!waiting_.empty()) {
      state = waiting_.back();
      waiting_.pop_back();
      if (marks_[state]) continue;
      marks_[state] = true;
      list_.push_back(state);
      if (!states[state].fork) continue;
      waiting_.push_back(states[state].next);
      waiting_.push_back(states[state].other);
    }
  }
  void clear() {
    for (const std::size_t state : list_) marks_[state] = false;
    list_.clear();
  }
  [[nodiscard]] const std::vector<std::size_t>& list() const { return list_; }
  [[nodiscard]] bool has(std::size_t state) const { return marks_[state]; }

 private:
  std::vector<bool> marks_;
  std::vector<std::size_t> list_, waiting_;
};

}  // namespace

bool Pattern::matches(std::string_view text) const {
  if (text.size() > kMaxText) return false;
  const std::vector<Program::State>& states = program_->states;
  Positions now(states.size());
  Positions then(states.size());
  now.enter(states, program_->start);
  while (!text.empty() && !now.list().empty()) {
    const std::optional<char32_t> character = take_character(text);
    if (!character) return false;
    then.clear();
    for (const std::size_t position : now.list()) {
      const Program::State& state = states[position];
      if (position == Program::kEnd || state.fork) continue;
      if (program_->sets[state.set].contains(*character)) then.enter(states, state.next);
    }
    std::swap(now, then);
  }
  return text.empty() && now.has(Program::kEnd);
}

}  // namespace oidc
