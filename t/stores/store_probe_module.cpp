// A module for the tests of the stores in src/io, no part of the product.
//
//   store_probe_zone NAME SIZE sessions|shared;              (http)
//   location /s { store_probe sessions ZONE; }               a ShmSessionStore
//   location /d { store_probe shared ZONE; }                 a ShmDictionary
//   location /r { store_probe redis [port=N] [socket=PATH] [password=P] ...; }  a RedisStore
//   ... redis cluster=HOST:PORT,HOST:PORT  or  sentinels=HOST:PORT,... master=NAME
//   ... cache=on: op=cached says whether what was read would be used without asking Redis
//
// GET /s?op=read|read_now|insert|replace|touch|erase|stats&key=K&value=V&size=N&generation=G&ttl=MS
// GET /d?op=get|put|put_if_absent|erase_if_equal|stats&key=K&value=V&size=N&ttl=MS
//
// The status is 200; X-Result is hit, miss, error or full, the body what was read or the detail.
// size=N: the value is followed by N bytes. loop=N: the operation N times, the last result.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store_operations.h"

extern "C" {
extern __attribute__((visibility("default"))) ngx_module_t* ngx_modules[];
extern __attribute__((visibility("default"))) char* ngx_module_names[];
extern __attribute__((visibility("default"))) char* ngx_module_order[];
extern ngx_module_t ngx_http_store_probe_module;
}

namespace {

using namespace oidc;

// ---- configuration -----------------------------------------------------------------------------

struct MainConf {
  std::map<std::string, ShmZone*, std::less<>> zones;
};

struct LocationConf {
  std::string kind;
  std::string zone;
  std::string prefix;
  bool cache = false;
  std::shared_ptr<RedisOptions> redis;
};

template <class Conf>
void* create(ngx_conf_t* cf) noexcept {
  ngx_pool_cleanup_t* cleanup = ngx_pool_cleanup_add(cf->pool, 0);
  if (cleanup == nullptr) return nullptr;
  auto* conf = new Conf;
  cleanup->data = conf;
  cleanup->handler = [](void* data) { delete static_cast<Conf*>(data); };
  return conf;
}

char* set_zone(ngx_conf_t* cf, ngx_command_t*, void* data) noexcept {
  auto* words = static_cast<ngx_str_t*>(cf->args->elts);
  const ssize_t size = ngx_parse_size(&words[2]);
  const ShmUse& use = to_view(words[3]) == "sessions" ? kSessionZone : kSharedZone;
  ShmZone* zone = ShmZone::declare(cf, to_view(words[1]), static_cast<std::size_t>(size), use);
  if (zone == nullptr) return static_cast<char*>(NGX_CONF_ERROR);
  static_cast<MainConf*>(data)->zones.emplace(to_view(words[1]), zone);
  return NGX_CONF_OK;
}

std::vector<RedisNode> nodes_of(std::string_view list) {
  std::vector<RedisNode> nodes;
  while (!list.empty()) {
    const std::string_view one = list.substr(0, list.find(','));
    const std::size_t colon = one.rfind(':');
    const bool ipv6 = one.starts_with('[');
    nodes.push_back({std::string(ipv6 ? one.substr(1, colon - 2) : one.substr(0, colon)),
                     static_cast<std::uint16_t>(std::stoul(std::string(one.substr(colon + 1))))});
    list.remove_prefix(std::min(one.size() + 1, list.size()));
  }
  return nodes;
}

std::shared_ptr<RedisOptions> redis_options(std::map<std::string, std::string> words,
                                            ngx_conf_t* cf) {
  auto options = std::make_shared<RedisOptions>();
  const auto set_ms = [&](const char* name, Milliseconds& to) {
    if (words.contains(name)) to = Milliseconds(std::stol(words[name]));
  };
  if (words.contains("host")) options->node.host = words["host"];
  if (words.contains("port")) {
    options->node.port = static_cast<std::uint16_t>(std::stoul(words["port"]));
  }
  options->cluster_nodes = nodes_of(words["cluster"]);
  if (words.contains("redirections")) {
    options->cluster_max_redirections = static_cast<unsigned>(std::stoul(words["redirections"]));
  }
  options->sentinel_nodes = nodes_of(words["sentinels"]);
  options->sentinel_master = words["master"];
  options->sentinel_username = words["sentinel_user"];
  options->sentinel_password =
      std::make_shared<const Secret>(std::string_view(words["sentinel_password"]));
  if (words.contains("db")) options->database = static_cast<unsigned>(std::stoul(words["db"]));
  if (words.contains("connections")) options->connections = std::stoul(words["connections"]);
  options->socket = words["socket"];
  options->username = words["user"];
  options->password = std::make_shared<const Secret>(std::string_view(words["password"]));
  options->server_name = words["name"];
  set_ms("connect", options->connect_timeout);
  set_ms("send", options->send_timeout);
  set_ms("read", options->read_timeout);
  if (!words.contains("tls")) return options;

  std::shared_ptr<const TlsTrust> trust;
  if (words.contains("trust")) {
    TlsFiles files;
    files.trusted_certificate = words["trust"];
    files.certificate = words["cert"];
    files.certificate_key = words["certkey"];
    auto loaded = TlsTrust::load(files);
    if (!loaded) {
      ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", loaded.error().detail.c_str());
      return nullptr;
    }
    trust = *loaded;
  }
  auto tls = RedisTls::create(trust, words["tls"] != "unverified", cf->log);
  if (!tls) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", tls.error().detail.c_str());
    return nullptr;
  }
  options->tls = *tls;
  return options;
}

ngx_int_t handle(ngx_http_request_t* r) noexcept;

char* set_probe(ngx_conf_t* cf, ngx_command_t*, void* data) noexcept {
  auto& conf = *static_cast<LocationConf*>(data);
  auto* list = static_cast<ngx_str_t*>(cf->args->elts);
  conf.kind = to_view(list[1]);
  if (conf.kind == "redis") {
    std::map<std::string, std::string> words;
    for (ngx_uint_t i = 2; i < cf->args->nelts; ++i) {
      const std::string_view word = to_view(list[i]);
      const std::size_t equals = word.find('=');
      words[std::string(word.substr(0, equals))] = word.substr(equals + 1);
    }
    conf.prefix = words.contains("prefix") ? words["prefix"] : "session";
    conf.cache = words.contains("cache");
    conf.redis = redis_options(std::move(words), cf);
    if (!conf.redis) return static_cast<char*>(NGX_CONF_ERROR);
  } else {
    conf.zone = to_view(list[2]);
  }
  auto* core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  core->handler = handle;
  return NGX_CONF_OK;
}

// ---- the worker --------------------------------------------------------------------------------

struct Worker {
  NginxLoop loop;
  std::map<const LocationConf*, Stores> stores;
};
std::unique_ptr<Worker> worker;

ngx_int_t init_process(ngx_cycle_t*) noexcept {
  worker = std::make_unique<Worker>();
  return NGX_OK;
}

void exit_process(ngx_cycle_t*) noexcept {
  worker->loop.cancel_tasks();
  worker->stores.clear();
  worker.reset();
}

Stores& stores_of(LocationConf& conf, MainConf& main) {
  Stores& stores = worker->stores[&conf];
  if (conf.kind == "redis" && !stores.redis) {
    stores.redis_client = make_redis(worker->loop, conf.redis);
    stores.redis = std::make_unique<RedisStore>(*stores.redis_client, conf.prefix);
    if (conf.cache) {
      const SessionCache::Limits limits{1024 * 1024, Milliseconds(60'000), {}};
      stores.cache = std::make_unique<SessionCache>(limits, *stores.redis_client);
      stores.redis->report_to(*stores.cache);
    }
    stores.ledger = std::make_unique<RedisLedger>(*stores.redis_client, conf.prefix);
  } else if (conf.kind == "sessions" && !stores.sessions) {
    stores.sessions = std::make_unique<ShmSessionStore>(*main.zones.at(conf.zone));
    stores.ledger = std::make_unique<ShmLedger>(*main.zones.at(conf.zone));
  } else if (conf.kind == "shared" && !stores.dictionary) {
    stores.dictionary = std::make_unique<ShmDictionary>(*main.zones.at(conf.zone));
  }
  return stores;
}

// ---- a request ---------------------------------------------------------------------------------

class Probe {
 public:
  Probe(ngx_http_request_t* request, Task<Reply> task) : request_(request), task_(std::move(task)) {
    event_.handler = [](ngx_event_t* event) noexcept { EventOwner::of<Probe>(event).answer(); };
    event_.data = &owner_;
    event_.log = ngx_cycle->log;
  }
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() { forget_event(event_); }

  void start() {
    task_.start(
        [](void* data) noexcept {
          ngx_event_t* event = &static_cast<Probe*>(data)->event_;
          ngx_post_event(event, &ngx_posted_events);
        },
        this);
  }

 private:
  void answer() noexcept {
    ngx_http_request_t* r = request_;
    ngx_connection_t* c = r->connection;
    ngx_http_finalize_request(r, guard<ngx_int_t>(NGX_ERROR, [this, r] { return send(r); }));
    ngx_http_run_posted_requests(c);
  }

  ngx_int_t send(ngx_http_request_t* r) {
    const Reply reply = task_.take();
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = static_cast<off_t>(reply.body.size());
    auto* header = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
    header->hash = 1;
    header->key = to_ngx_str("X-Result");
    ngx_str_t source = to_ngx_str(reply.result);
    header->value = {source.len, ngx_pstrdup(r->pool, &source)};
    const ngx_int_t sent = ngx_http_send_header(r);
    if (sent == NGX_ERROR || sent > NGX_OK || r->header_only) return sent;
    ngx_buf_t* buffer = ngx_create_temp_buf(r->pool, reply.body.size() + 1);
    if (buffer == nullptr) return NGX_ERROR;
    buffer->last = ngx_cpymem(buffer->pos, reply.body.data(), reply.body.size());
    buffer->temporary = reply.body.empty() ? 0 : 1;
    buffer->last_buf = 1;
    ngx_chain_t chain{buffer, nullptr};
    return ngx_http_output_filter(r, &chain);
  }

  ngx_http_request_t* request_;
  Task<Reply> task_;
  EventOwner owner_{this};
  ngx_event_t event_{};
};

std::string argument(ngx_http_request_t* r, std::string_view name) {
  ngx_str_t value;
  ngx_str_t key = to_ngx_str(name);
  if (ngx_http_arg(r, key.data, key.len, &value) != NGX_OK) return {};
  std::string decoded(value.len, '\0');
  u_char* out = reinterpret_cast<u_char*>(decoded.data());
  u_char* in = value.data;
  ngx_unescape_uri(&out, &in, value.len, 0);
  decoded.resize(static_cast<std::size_t>(reinterpret_cast<char*>(out) - decoded.data()));
  return decoded;
}

ngx_int_t start(ngx_http_request_t* r) {
  auto& conf =
      *static_cast<LocationConf*>(ngx_http_get_module_loc_conf(r, ngx_http_store_probe_module));
  auto& main =
      *static_cast<MainConf*>(ngx_http_get_module_main_conf(r, ngx_http_store_probe_module));
  auto* core =
      static_cast<ngx_http_core_loc_conf_t*>(ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  if (conf.redis && conf.redis->names.resolver == nullptr) {
    conf.redis->names = choose_names(core->resolver, nullptr, nullptr);
  }

  Request request;
  request.op = argument(r, "op");
  request.key = argument(r, "key");
  request.value = argument(r, "value");
  request.generation = argument(r, "generation");
  if (const std::string ttl = argument(r, "ttl"); !ttl.empty()) {
    request.ttl = Milliseconds(std::stol(ttl));
  }
  if (const std::string loop = argument(r, "loop"); !loop.empty()) request.loop = std::stoi(loop);
  if (const std::string size = argument(r, "size"); !size.empty()) {
    for (unsigned long i = 0, n = std::stoul(size); i < n; ++i) {
      request.value += static_cast<char>(i * 131 + (i >> 8));
    }
  }

  ngx_http_cleanup_t* cleanup = ngx_http_cleanup_add(r, 0);
  if (cleanup == nullptr) return NGX_ERROR;
  auto* probe = new Probe(r, run(stores_of(conf, main), std::move(request)));
  cleanup->data = probe;
  cleanup->handler = [](void* data) { delete static_cast<Probe*>(data); };
  r->main->count++;
  r->read_event_handler = ngx_http_test_reading;
  probe->start();
  return NGX_DONE;
}

ngx_int_t handle(ngx_http_request_t* r) noexcept {
  const ngx_int_t discarded = ngx_http_discard_request_body(r);
  if (discarded != NGX_OK) return discarded;
  return guard<ngx_int_t>(NGX_ERROR, [r] { return start(r); });
}

ngx_command_t commands[] = {{ngx_string("store_probe"), NGX_HTTP_LOC_CONF | NGX_CONF_1MORE,
                             set_probe, NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
                            {ngx_string("store_probe_zone"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE3,
                             set_zone, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},
                            ngx_null_command};

ngx_http_module_t context = {nullptr, nullptr, create<MainConf>,     nullptr,
                             nullptr, nullptr, create<LocationConf>, nullptr};

}  // namespace

extern "C" {

ngx_module_t ngx_http_store_probe_module = {
    NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE, nullptr, nullptr,
    init_process,  nullptr,  nullptr,  exit_process,    nullptr, NGX_MODULE_V1_PADDING};

ngx_module_t* ngx_modules[] = {&ngx_http_store_probe_module, nullptr};
static char module_name[] = "ngx_http_store_probe_module";
char* ngx_module_names[] = {module_name, nullptr};
char* ngx_module_order[] = {nullptr};

}  // extern "C"
