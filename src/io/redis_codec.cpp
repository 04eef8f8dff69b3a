#include "io/redis_codec.h"

#include <hiredis/read.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>
#include <utility>

namespace oidc {

namespace {

constexpr std::size_t kMaxUnparsed = 4 * 1024 * 1024;
constexpr std::size_t kMaxElements = 65536;

// Replies inside arrays are built in place; only the outermost is an object of its own.
void* place(const redisReadTask* task, RedisReply reply) {
  if (task->parent == nullptr) return new RedisReply(std::move(reply));
  auto* parent = static_cast<RedisReply*>(task->parent->obj);
  RedisReply& slot = parent->elements.at(static_cast<std::size_t>(task->idx));
  slot = std::move(reply);
  return &slot;
}

// hiredis takes a null pointer for exhausted memory and gives up.
template <class Make>
void* made(const redisReadTask* task, Make&& make) noexcept {
  try {
    return place(task, make());
  } catch (...) {
    return nullptr;
  }
}

// The type of the count differs between versions of hiredis.
template <class Count>
void* create_array(const redisReadTask* task, Count count) noexcept {
  const auto size = static_cast<std::size_t>(count);
  if (size > kMaxElements) return nullptr;
  return made(task, [size] {
    RedisReply reply;
    reply.kind = RedisReply::Kind::array;
    reply.elements.resize(size);
    return reply;
  });
}

redisReplyObjectFunctions* functions() noexcept {
  static redisReplyObjectFunctions table = [] {
    redisReplyObjectFunctions made_by{};
    made_by.createString = [](const redisReadTask* task, char* text, std::size_t size) noexcept {
      return made(task, [&] {
        RedisReply reply;
        reply.kind = task->type == REDIS_REPLY_ERROR    ? RedisReply::Kind::error
                     : task->type == REDIS_REPLY_STATUS ? RedisReply::Kind::status
                                                        : RedisReply::Kind::string;
        reply.text.assign(text, size);
        return reply;
      });
    };
    made_by.createArray = create_array;
    made_by.createInteger = [](const redisReadTask* task, long long value) noexcept {
      return made(task, [&] {
        RedisReply reply;
        reply.kind = RedisReply::Kind::integer;
        reply.integer = value;
        return reply;
      });
    };
    made_by.createNil = [](const redisReadTask* task) noexcept {
      return made(task, [] { return RedisReply{}; });
    };
    made_by.freeObject = [](void* reply) noexcept { delete static_cast<RedisReply*>(reply); };
    return made_by;
  }();
  return &table;
}

struct ErrorName {
  std::string_view name;
  std::string_view sentence;
};
constexpr std::array kErrors{
    ErrorName{"NOAUTH", "it wants a password"},
    ErrorName{"WRONGPASS", "user name or password are wrong, or the user is disabled"},
    ErrorName{"NOPERM", "the user's access list does not allow the command or the key"},
    ErrorName{"READONLY", "it is a read-only replica"},
    ErrorName{"LOADING", "it is still loading its data"},
    ErrorName{"OOM", "its memory is full (maxmemory)"},
    ErrorName{"MOVED", "it is a node of a cluster, and another node has the key"},
    ErrorName{"ASK", "it is a node of a cluster, and the key is moving to another node"},
    ErrorName{"CLUSTERDOWN", "its cluster is down"},
    ErrorName{"CROSSSLOT", "the keys belong to different nodes of its cluster"},
    ErrorName{"MASTERDOWN", "it is a replica that has lost its master"},
    ErrorName{"MISCONF", "it cannot save its data and refuses writes"},
    ErrorName{"NOREPLICAS", "too few replicas are connected to it"},
    ErrorName{"TRYAGAIN", "it is a node of a cluster, and the keys are moving just now"},
    ErrorName{"BUSY", "it is busy with a script"},
    ErrorName{"NOSCRIPT", "it does not know the script"},
    ErrorName{"WRONGTYPE", "the key holds a value of another type"},
};

}  // namespace

void append_redis_command(std::string& out, std::span<const std::string_view> words) {
  out.append("*").append(std::to_string(words.size())).append("\r\n");
  for (const std::string_view word : words) {
    out.append("$").append(std::to_string(word.size())).append("\r\n");
    out.append(word).append("\r\n");
  }
}

void append_redis_command(std::string& out, std::initializer_list<std::string_view> words) {
  append_redis_command(out, std::span(words.begin(), words.size()));
}

std::string redis_command(std::span<const std::string_view> words) {
  std::string out;
  std::size_t size = 16;
  for (const std::string_view word : words) size += word.size() + 16;
  out.reserve(size);
  append_redis_command(out, words);
  return out;
}

std::string redis_command(std::initializer_list<std::string_view> words) {
  return redis_command(std::span(words.begin(), words.size()));
}

// Until Redis 6: "ERR Error running script (...): @user_script:5: -READONLY You can't ...".
std::string redis_asking(std::string_view commands) {
  const auto take_count = [&commands]() {
    std::size_t count = 0;
    const auto read = std::from_chars(commands.data() + 1, commands.data() + commands.size(), count);
    commands.remove_prefix(static_cast<std::size_t>(read.ptr - commands.data()) + 2);
    return count;
  };
  std::string result;
  while (!commands.empty()) {
    const std::string_view rest = commands;
    for (std::size_t words = take_count(); words > 0; --words) commands.remove_prefix(take_count() + 2);
    append_redis_command(result, {"ASKING"});
    result.append(rest.substr(0, rest.size() - commands.size()));
  }
  return result;
}

std::string_view redis_error_name(std::string_view error) {
  constexpr std::string_view kInner = ": -";
  const std::size_t script = error.find("@user_script:");
  if (error.starts_with("ERR ") && script != std::string_view::npos) {
    const std::size_t inner = error.find(kInner, script);
    if (inner != std::string_view::npos) error.remove_prefix(inner + kInner.size());
  }
  return error.substr(0, error.find(' '));
}

std::string redis_error_detail(std::string_view error) {
  const std::string_view name = redis_error_name(error);
  for (const ErrorName& known : kErrors) {
    if (name == known.name) {
      return std::string("Redis: ").append(name).append(": ").append(known.sentence);
    }
  }
  // What Redis quotes of a command does not get into the log, nor does a text of unknown form.
  const std::string_view text =
      error.substr(0, std::min<std::size_t>(error.find_first_of("'`\""), 100));
  const bool plain = error.starts_with("ERR ") && std::all_of(text.begin(), text.end(), [](char c) {
                       return c >= ' ' && c <= '~';
                     });
  return std::string("Redis answered: ").append(plain ? text : "an error of no known kind");
}

void RedisParser::Free::operator()(redisReader* reader) const noexcept {
  redisReaderFree(reader);
}

RedisParser::RedisParser() : reader_(redisReaderCreateWithFunctions(functions())) {
  if (!reader_) throw std::bad_alloc();
}

bool RedisParser::feed(std::string_view bytes) {
  if (broken_) return false;
  broken_ = reader_->len - reader_->pos + bytes.size() > kMaxUnparsed ||
            redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != 0;
  return !broken_;
}

std::optional<RedisReply> RedisParser::next() {
  if (broken_) return std::nullopt;
  void* found = nullptr;
  broken_ = redisReaderGetReply(reader_.get(), &found) != 0;
  const std::unique_ptr<RedisReply> reply(static_cast<RedisReply*>(found));
  if (broken_ || !reply) return std::nullopt;
  return std::move(*reply);
}

}  // namespace oidc
