// What the test module does with a store: one operation per request.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "io/redis_ledger.h"
#include "io/redis_store.h"
#include "io/shm_dictionary.h"
#include "io/shm_ledger.h"
#include "io/shm_session_store.h"

namespace oidc {

struct Stores {
  std::unique_ptr<ShmDictionary> dictionary;
  std::unique_ptr<ShmSessionStore> sessions;
  std::unique_ptr<SessionCache> cache;  // of redis; null: none
  std::unique_ptr<Redis> redis_client;
  std::unique_ptr<RedisStore> redis;
  std::unique_ptr<Ledger> ledger;
};

struct Request {
  std::string op, key, value, generation;
  Milliseconds ttl{60'000};
  int loop = 1;
};

struct Reply {
  std::string result, body;
};

inline StoreKey key_of(std::string_view name) {
  StoreKey key;
  key.text.fill('_');
  name.copy(key.text.data(), key.text.size());
  return key;
}

inline const char* word_of(StoreStatus status) {
  constexpr std::array kWords{"hit", "miss", "error"};
  return kWords[static_cast<std::size_t>(status)];
}

inline Reply written(const StoreWrite& write) {
  return {write.full ? "full" : word_of(write.status), write.detail};
}

inline std::string text_of(const ShmTable::Stats& stats) {
  return "entries=" + std::to_string(stats.entries) + " blocks=" + std::to_string(stats.blocks) +
         " free=" + std::to_string(stats.blocks_free) +
         " evicted=" + std::to_string(stats.evicted) + " refused=" + std::to_string(stats.refused) +
         " resets=" + std::to_string(stats.resets);
}

inline Reply shared(ShmDictionary& dictionary, const Request& request) {
  if (request.op == "stats") return {"hit", text_of(dictionary.stats())};
  if (request.op == "get") {
    const auto found = dictionary.get(request.key);
    return found ? Reply{"hit", *found} : Reply{"miss", ""};
  }
  bool done = true;
  if (request.op == "put") {
    done = dictionary.put(request.key, request.value, request.ttl);
  } else if (request.op == "put_if_absent") {
    done = dictionary.put_if_absent(request.key, request.value, request.ttl);
  } else {
    dictionary.erase_if_equal(request.key, request.value);
  }
  return {done ? "hit" : "miss", ""};
}

inline Task<Reply> in_store(SessionStore& store, Request request) {
  const StoreKey key = key_of(request.key);
  Reply reply;
  for (int i = 0; i < request.loop; ++i) {
    if (request.op == "read") {
      StoreRead read = co_await store.read(key);
      reply = {word_of(read.status), read.status == StoreStatus::hit ? read.envelope : read.detail};
      continue;
    }
    StoreWrite write;
    if (request.op == "insert") {
      write = co_await store.insert(key, request.value, request.ttl);
    } else if (request.op == "replace") {
      write = co_await store.replace(key, request.generation, request.value, request.ttl);
    } else if (request.op == "touch") {
      write = co_await store.touch(key, request.ttl);
    } else {
      write = co_await store.erase(key);
    }
    reply = written(write);
  }
  co_return reply;
}

inline Task<Reply> in_ledger(Ledger& ledger, Request request) {
  if (request.op == "ledger_read") {
    LedgerRead read = co_await ledger.read(request.key);
    co_return Reply{word_of(read.status), read.status == StoreStatus::hit ? read.value : read.detail};
  }
  if (request.op == "ledger_members") {
    LedgerMembers found = co_await ledger.members(request.key);
    Reply reply{word_of(found.status), found.detail};
    for (const std::string& member : found.members) reply.body.append(member).append(" ");
    co_return reply;
  }
  StoreWrite write;
  if (request.op == "ledger_write") {
    write = co_await ledger.write(request.key, request.value, request.ttl);
  } else if (request.op == "ledger_add") {
    write = co_await ledger.add(request.key, request.value, request.ttl);
  } else if (request.op == "ledger_erase") {
    write = co_await ledger.erase_if_equal(request.key, request.value);
  } else if (request.op == "ledger_join") {
    write = co_await ledger.join(request.key, request.value, request.ttl);
  } else {
    write = co_await ledger.leave(request.key, request.value);
  }
  co_return written(write);
}

inline Task<Reply> run(Stores& stores, Request request) {
  if (request.op.starts_with("ledger_")) {
    Reply reply = co_await in_ledger(*stores.ledger, request);
    co_return reply;
  }
  if (stores.dictionary) co_return shared(*stores.dictionary, request);
  if (stores.sessions && request.op == "stats")
    co_return Reply{"hit", text_of(stores.sessions->stats())};
  if (stores.sessions && request.op == "read_now") {
    auto now = stores.sessions->read_now(key_of(request.key));
    for (int i = 1; i < request.loop; ++i) now = stores.sessions->read_now(key_of(request.key));
    bool current = stores.sessions->current(stores.sessions->last_hit());
    // Another worker may write between the two looks, but hardly each time.
    for (int i = 0; i < 100 && now->status == StoreStatus::hit && !current; ++i) {
      now = stores.sessions->read_now(key_of(request.key));
      current = stores.sessions->current(stores.sessions->last_hit());
    }
    if (now->status == StoreStatus::hit && !current) co_return Reply{"error", "not current"};
    co_return Reply{word_of(now->status), std::string(now->envelope)};
  }
  if (stores.redis && request.op == "stats") {
    const auto stats = stores.redis_client->stats();
    co_return Reply{"hit", "connections=" + std::to_string(stats.connections) +
                               " down=" + std::to_string(stats.down) +
                               " commands=" + std::to_string(stats.commands) +
                               " failures=" + std::to_string(stats.failures)};
  }
  if (request.op == "cached") {
    const auto left = stores.cache->left(key_of(request.key), ngx_current_msec);
    co_return Reply{left && left->count() > 0 ? "hit" : "miss", ""};
  }
  SessionStore* store = stores.redis.get();
  if (store == nullptr) store = stores.sessions.get();
  Reply reply = co_await in_store(*store, request);
  co_return reply;
}

}  // namespace oidc
