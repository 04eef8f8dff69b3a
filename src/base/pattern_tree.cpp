#include "pattern_tree.h"

#include <charconv>
#include <optional>
#include <string>

#include "utf8.h"

namespace oidc {
namespace {

using Kind = PatternNode::Kind;

constexpr unsigned kMaxRepeat = 255;
constexpr int kMaxDepth = 50;
constexpr std::string_view kQuantifiers = "*+?{";
constexpr std::string_view kSigns = "\\^$.|?*+()[]{}-/#&~:,;=@%!<>'\"_` ";

CharacterSet single(char32_t character) {
  return {{{character, character}}, false};
}

bool is_single(const CharacterSet& set) {
  return !set.negated && set.ranges.size() == 1 && set.ranges[0].first == set.ranges[0].second;
}

// \d, \w, \s and their opposites; nullopt: the letter names no set.
std::optional<CharacterSet> named_set(char letter) {
  CharacterSet set;
  switch (letter) {
    case 'd':
    case 'D':
      set.ranges = {{'0', '9'}};
      break;
    case 'w':
    case 'W':
      set.ranges = {{'a', 'z'}, {'A', 'Z'}, {'0', '9'}, {'_', '_'}};
      break;
    case 's':
    case 'S':
      set.ranges = {{' ', ' '}, {'\t', '\r'}};
      break;
    default:
      return std::nullopt;
  }
  set.negated = letter < 'a';
  return set;
}

Error fault(std::string_view what) {
  return {Errc::malformed, std::string(what)};
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<PatternNode> whole() {
    Result<PatternNode> node = choice(0);
    if (node && !rest_.empty()) return fault("there is a ) without a (");
    return node;
  }

 private:
  Result<PatternNode> choice(int depth) {
    if (depth > kMaxDepth) return fault("its groups are nested too deeply");
    PatternNode all;
    all.kind = Kind::choice;
    do {
      Result<PatternNode> part = sequence(depth);
      if (!part) return part;
      all.parts.push_back(std::move(*part));
    } while (take("|"));
    if (all.parts.size() > 1) return all;
    PatternNode only = std::move(all.parts.front());
    return only;
  }

  Result<PatternNode> sequence(int depth) {
    PatternNode all;
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      Result<PatternNode> part = atom(depth);
      if (!part) return part;
      if (!rest_.empty() && kQuantifiers.find(rest_.front()) != std::string_view::npos) {
        part = repeated(std::move(*part));
        if (!part) return part;
      }
      all.parts.push_back(std::move(*part));
    }
    return all;
  }

  Result<PatternNode> atom(int depth) {
    if (take("(")) return group(depth);
    if (take("[")) return as_node(character_class());
    if (take(".")) return as_node(CharacterSet{{}, true});
    if (take("\\")) return as_node(escaped());
    if (rest_.front() == '^' || rest_.front() == '$') {
      return fault("^ and $ may stand at both ends together only: the whole value must match");
    }
    if (kQuantifiers.find(rest_.front()) != std::string_view::npos) {
      return fault("there is nothing to repeat before one of * + ? {");
    }
    const std::optional<char32_t> character = take_character(rest_);
    if (!character) return fault("it is not UTF-8");
    return as_node(single(*character));
  }

  Result<PatternNode> group(int depth) {
    if (!take("?:") && rest_.starts_with('?')) {
      return fault("of the groups that begin with (? only (?: is understood");
    }
    Result<PatternNode> inner = choice(depth + 1);
    if (inner && !take(")")) return fault("a ) is missing");
    return inner;
  }

  Result<PatternNode> repeated(PatternNode part) {
    PatternNode node;
    node.kind = Kind::repeat;
    if (take("{")) {
      if (!counts(node.least, node.most)) {
        return fault("a { must begin a repetition such as {2}, {2,} or {2,5}, of at most 255; \\{ is "
                     "the sign itself");
      }
    } else if (take("?")) {
      node.most = 1;
    } else if (take("+")) {
      node.least = 1;
    } else {
      take("*");
    }
    if (!rest_.empty() && kQuantifiers.find(rest_.front()) != std::string_view::npos) {
      return fault("two of * + ? { follow each other");
    }
    node.parts.push_back(std::move(part));
    return node;
  }

  bool counts(unsigned& least, unsigned& most) {
    if (!number(least)) return false;
    if (!take(",")) {
      most = least;
    } else if (!rest_.starts_with('}') && !number(most)) {
      return false;
    }
    return take("}") && least <= most;
  }

  bool number(unsigned& value) {
    const auto [end, failure] =
        std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (failure != std::errc() || value > kMaxRepeat) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }

  Result<CharacterSet> character_class() {
    CharacterSet set;
    set.negated = take("^");
    while (!rest_.empty() && rest_.front() != ']') {
      if (rest_.starts_with("[")) return fault("a [ inside of [...] must be written \\[");
      Result<CharacterSet> item = class_item();
      if (!item) return item;
      if (is_single(*item) && rest_.size() > 1 && rest_.front() == '-' && rest_[1] != ']') {
        rest_.remove_prefix(1);
        Result<CharacterSet> last = class_item();
        if (!last) return last;
        if (!is_single(*last) || last->ranges[0].first < item->ranges[0].first) {
          return fault("a range in [...] is upside down");
        }
        item->ranges[0].second = last->ranges[0].first;
      }
      if (item->negated) return fault("\\D, \\W and \\S cannot stand inside of [...]");
      set.ranges.insert(set.ranges.end(), item->ranges.begin(), item->ranges.end());
    }
    if (set.ranges.empty()) return fault("there is nothing inside of [...]");
    if (!take("]")) return fault("a ] is missing");
    return set;
  }

  Result<CharacterSet> class_item() {
    if (take("\\")) return escaped();
    if (rest_.empty()) return fault("a ] is missing");
    const std::optional<char32_t> character = take_character(rest_);
    if (!character) return fault("it is not UTF-8");
    return single(*character);
  }

  Result<CharacterSet> escaped() {
    if (rest_.empty()) return fault("there is a \\ at its end");
    const char letter = rest_.front();
    if (auto set = named_set(letter)) {
      rest_.remove_prefix(1);
      return std::move(*set);
    }
    if (kSigns.find(letter) == std::string_view::npos) {
      return fault(std::string("\\").append(1, letter).append(" is not understood"));
    }
    rest_.remove_prefix(1);
    return single(static_cast<unsigned char>(letter));
  }

  static Result<PatternNode> as_node(Result<CharacterSet> set) {
    if (!set) return std::move(set).error();
    PatternNode node;
    node.kind = Kind::set;
    node.set = std::move(*set);
    return node;
  }

  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }

  std::string_view rest_;
};

// The whole value must match: anchors at both ends say no more than that.
Result<std::string_view> without_anchors(std::string_view text) {
  const bool begins = text.starts_with('^');
  std::size_t backslashes = 0;
  while (backslashes + 1 < text.size() && text[text.size() - 2 - backslashes] == '\\') ++backslashes;
  const bool ends = text.ends_with('$') && backslashes % 2 == 0;
  if (begins != ends) {
    return fault("the whole value must match, so ^ and $ go together or not at all; .* stands for "
                 "what may be there besides");
  }
  return begins ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

Result<PatternNode> parse_pattern(std::string_view expression) {
  if (expression.empty()) return fault("it is empty");
  const Result<std::string_view> inner = without_anchors(expression);
  if (!inner) return inner.error();
  return Parser(*inner).whole();
}

}  // namespace oidc
