// A module for the tests of src/io, no part of the product.
//
//   location /fetch { http_probe [timeout=MS] [connect_timeout=MS] [trust=FILE|system] ...; }
//
// answers GET /fetch?url=URL with what HttpClient got from URL: 200, X-Status, X-Type and the body,
// or 502 and "reason_code: detail". Further arguments: post=BODY sends a POST, max=N limits the
// answer, header=VALUE adds a header, dns=HOST resolves only; spawn=1 answers 204 at once and
// fetches in a worker's task, sleep=MS and nap=MS the same with a sleep and a background sleep.
//
//   http_probe_system HOSTS_FILE RESOLVER_FILE;   (http) in place of the system's own
#include <cstdlib>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "io/curl_http_client.h"
#include "io/curl_multi.h"
#include "io/nginx.h"
#include "io/nginx_loop.h"

extern "C" {
extern __attribute__((visibility("default"))) ngx_module_t* ngx_modules[];
extern __attribute__((visibility("default"))) char* ngx_module_names[];
extern __attribute__((visibility("default"))) char* ngx_module_order[];
extern ngx_module_t ngx_http_probe_module;
}

namespace {

using namespace oidc;

// ---- configuration -----------------------------------------------------------------------------

struct MainConf {
  std::string hosts_file = "/etc/hosts";
  std::string resolver_file = "/etc/resolv.conf";
  std::shared_ptr<const SystemNames> names;
  ngx_resolver_t* resolver = nullptr;
};

struct LocationConf {
  HttpClientOptions options;
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

char* set_system(ngx_conf_t* cf, ngx_command_t*, void* data) noexcept {
  auto* words = static_cast<ngx_str_t*>(cf->args->elts);
  auto& conf = *static_cast<MainConf*>(data);
  conf.hosts_file = to_view(words[1]);
  conf.resolver_file = to_view(words[2]);
  return NGX_CONF_OK;
}

ngx_int_t handle(ngx_http_request_t* r) noexcept;

char* set_probe(ngx_conf_t* cf, ngx_command_t*, void* data) noexcept {
  auto& options = static_cast<LocationConf*>(data)->options;
  std::map<std::string, std::string, std::less<>> words;
  auto* list = static_cast<ngx_str_t*>(cf->args->elts);
  for (ngx_uint_t i = 1; i < cf->args->nelts; ++i) {
    const std::string_view word = to_view(list[i]);
    const std::size_t equals = word.find('=');
    words[std::string(word.substr(0, equals))] = word.substr(equals + 1);
  }
  if (words.contains("timeout")) options.timeout = Milliseconds(std::stol(words["timeout"]));
  if (words.contains("connect_timeout")) {
    options.connect_timeout = Milliseconds(std::stol(words["connect_timeout"]));
  }
  options.keepalive = words["keepalive"] != "off";
  options.ssl_verify = words["verify"] != "off";
  options.proxies.http_proxy = words["http_proxy"];
  options.proxies.https_proxy = words["https_proxy"];
  std::istringstream direct(words["no_proxy"]);
  for (std::string host; std::getline(direct, host, ',');) {
    options.proxies.no_proxy.push_back(host);
  }
  for (const std::string& proxy : {options.proxies.http_proxy, options.proxies.https_proxy}) {
    if (proxy.empty()) continue;
    if (const auto checked = check_proxy_url(proxy); !checked) {
      ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", checked.error().detail.c_str());
      return static_cast<char*>(NGX_CONF_ERROR);
    }
  }
  if (words.contains("trust")) {
    TlsFiles files;
    if (words["trust"] != "system") files.trusted_certificate = words["trust"];
    files.crl = words["crl"];
    files.certificate = words["certificate"];
    files.certificate_key = words["key"];
    auto trust = TlsTrust::load(files);
    if (!trust) {
      ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", trust.error().detail.c_str());
      return static_cast<char*>(NGX_CONF_ERROR);
    }
    options.trust = *trust;
  }
  auto* core = static_cast<ngx_http_core_loc_conf_t*>(
      ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
  core->handler = handle;
  return NGX_CONF_OK;
}

ngx_int_t postconfigure(ngx_conf_t* cf) noexcept {
  auto& conf =
      *static_cast<MainConf*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_probe_module));
  if (const auto checked = check_libcurl(); !checked) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s", checked.error().detail.c_str());
    return NGX_ERROR;
  }
  conf.names =
      std::make_shared<SystemNames>(read_system_names(conf.hosts_file, conf.resolver_file));
  conf.resolver = create_system_resolver(cf, *conf.names);
  return conf.resolver != nullptr ? NGX_OK : NGX_ERROR;
}

// ---- the worker
// ----------------------------------------------------------------------------------

struct Worker {
  NginxLoop loop;
  std::map<const LocationConf*, std::unique_ptr<HttpClient>> clients;
};
std::unique_ptr<Worker> worker;

ngx_int_t init_process(ngx_cycle_t*) noexcept {
  if (!init_libcurl()) return NGX_ERROR;
  worker = std::make_unique<Worker>();
  return NGX_OK;
}

void exit_process(ngx_cycle_t*) noexcept {
  worker->loop.cancel_tasks();
  worker->clients.clear();
  worker.reset();
  cleanup_libcurl();
}

// ---- a request
// -------------------------------------------------------------------------------------

struct Reply {
  int status = 0;
  std::string type, body;
  int upstream_status = 0;
};

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
    r->headers_out.status = static_cast<ngx_uint_t>(reply.status);
    r->headers_out.content_length_n = static_cast<off_t>(reply.body.size());
    add_header(r, "X-Status", std::to_string(reply.upstream_status));
    add_header(r, "X-Type", reply.type);
    const ngx_int_t sent = ngx_http_send_header(r);
    if (sent == NGX_ERROR || sent > NGX_OK || r->header_only) return sent;
    ngx_buf_t* buffer = ngx_create_temp_buf(r->pool, reply.body.size() + 1);
    if (buffer == nullptr) return NGX_ERROR;
    buffer->last = ngx_cpymem(buffer->pos, reply.body.data(), reply.body.size());
    buffer->temporary = reply.body.empty() ? 0 : 1;  // nginx refuses an empty buffer of memory
    buffer->last_buf = 1;
    ngx_chain_t chain{buffer, nullptr};
    return ngx_http_output_filter(r, &chain);
  }

  static void add_header(ngx_http_request_t* r, const char* name, const std::string& value) {
    auto* header = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
    header->hash = 1;
    header->key = to_ngx_str(name);
    ngx_str_t source = to_ngx_str(value);
    header->value = {source.len, ngx_pstrdup(r->pool, &source)};
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

Reply failed(const Error& error) {
  return {502, "error", std::string(info(error.code).code) + ": " + error.detail, 0};
}

Task<Reply> fetch(HttpClient& client, HttpRequest request) {
  auto response = co_await client.send(std::move(request));
  if (!response) co_return failed(response.error());
  co_return Reply{200, response->content_type, response->body, response->status};
}

Task<void> fetch_for_worker(HttpClient& client, HttpRequest request) {
  auto response = co_await client.send(std::move(request));
  const std::string text = response ? std::to_string(response->status) : "failed";
  ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "spawned fetch: %s", text.c_str());
  if (response && response->body == "throw") throw std::runtime_error("what() stays out");
}

Task<void> sleep_for_worker(bool background, Milliseconds delay) {
  if (background) {
    co_await background_sleep_for(worker->loop, delay);
  } else {
    co_await sleep_for(worker->loop, delay);
  }
  ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0, "slept");
}

Task<Reply> resolve(NameSource names, std::string host) {
  const Dns dns(worker->loop, std::move(names));
  auto addresses = co_await dns.resolve(host, 443, Milliseconds(3000));
  if (!addresses) co_return failed(addresses.error());
  std::string text;
  for (const Address& address : *addresses) text += address.text() + "\n";
  co_return Reply{200, "addresses", text, 0};
}

ngx_int_t start(ngx_http_request_t* r) {
  auto& conf = *static_cast<LocationConf*>(ngx_http_get_module_loc_conf(r, ngx_http_probe_module));
  auto& main = *static_cast<MainConf*>(ngx_http_get_module_main_conf(r, ngx_http_probe_module));
  auto* core =
      static_cast<ngx_http_core_loc_conf_t*>(ngx_http_get_module_loc_conf(r, ngx_http_core_module));
  const NameSource names = choose_names(core->resolver, main.resolver, main.names);
  std::unique_ptr<HttpClient>& client = worker->clients[&conf];
  if (!client) {
    HttpClientOptions options = conf.options;
    options.names = names;
    client = make_http_client(worker->loop, std::move(options));
  }

  HttpRequest request;
  request.url = argument(r, "url");
  const std::string body = argument(r, "post");
  if (!body.empty()) {
    request.post = true;
    request.body = Secret(std::string_view(body));
    request.content_type = "application/x-www-form-urlencoded";
    request.authorization = Secret(std::string_view("Basic dXNlcjpwYXNz"));
  }
  if (const std::string max = argument(r, "max"); !max.empty()) request.max_body = std::stoul(max);
  if (const std::string bad = argument(r, "header"); !bad.empty()) {
    request.headers.emplace_back("X-Extra", bad);
  }
  if (!argument(r, "spawn").empty()) {
    worker->loop.spawn(fetch_for_worker(*client, std::move(request)));
    return NGX_HTTP_NO_CONTENT;
  }

  for (const char* kind : {"sleep", "nap"}) {
    const std::string delay = argument(r, kind);
    if (delay.empty()) continue;
    worker->loop.spawn(sleep_for_worker(*kind == 'n', Milliseconds(std::stol(delay))));
    return NGX_HTTP_NO_CONTENT;
  }

  const std::string host = argument(r, "dns");
  Task<Reply> task = host.empty() ? fetch(*client, std::move(request)) : resolve(names, host);
  ngx_http_cleanup_t* cleanup = ngx_http_cleanup_add(r, 0);
  if (cleanup == nullptr) return NGX_ERROR;
  auto* probe = new Probe(r, std::move(task));
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

ngx_command_t commands[] = {{ngx_string("http_probe"), NGX_HTTP_LOC_CONF | NGX_CONF_ANY, set_probe,
                             NGX_HTTP_LOC_CONF_OFFSET, 0, nullptr},
                            {ngx_string("http_probe_system"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE2,
                             set_system, NGX_HTTP_MAIN_CONF_OFFSET, 0, nullptr},
                            ngx_null_command};

ngx_http_module_t context = {nullptr, postconfigure, create<MainConf>,     nullptr,
                             nullptr, nullptr,       create<LocationConf>, nullptr};

}  // namespace

extern "C" {

ngx_module_t ngx_http_probe_module = {
    NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE, nullptr, nullptr,
    init_process,  nullptr,  nullptr,  exit_process,    nullptr, NGX_MODULE_V1_PADDING};

ngx_module_t* ngx_modules[] = {&ngx_http_probe_module, nullptr};
static char module_name[] = "ngx_http_probe_module";
char* ngx_module_names[] = {module_name, nullptr};
char* ngx_module_order[] = {nullptr};

}  // extern "C"
