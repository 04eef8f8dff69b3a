// The two module objects that nginx loads: the handlers and, because of the place it needs in
// nginx's order (see modules.c), the header filter.
#include <array>

#include "io/curl_multi.h"
#include "io/nginx.h"
#include "ngx/conf_objects.h"
#include "ngx/handlers.h"
#include "ngx/status.h"

namespace oidc::ngx {
namespace {

constexpr std::size_t kMaxCommands = 256;

ngx_uint_t argument_counts(const Directive& directive) {
  constexpr std::array<ngx_uint_t, 8> kTake = {NGX_CONF_NOARGS, NGX_CONF_TAKE1, NGX_CONF_TAKE2,
                                               NGX_CONF_TAKE3,  NGX_CONF_TAKE4, NGX_CONF_TAKE5,
                                               NGX_CONF_TAKE6,  NGX_CONF_TAKE7};
  if (directive.max_words >= kTake.size()) return NGX_CONF_1MORE;
  ngx_uint_t counts = 0;
  for (std::size_t n = directive.min_words; n <= directive.max_words; ++n) counts |= kTake[n];
  return counts;
}

ngx_command_t make_command(const Directive& directive, std::size_t position) {
  ngx_command_t command{};
  command.name = to_ngx_str(directive.name);
  command.type = argument_counts(directive);
  if (directive.contexts != Contexts::location) command.type |= NGX_HTTP_MAIN_CONF;
  if (directive.contexts == Contexts::all) command.type |= NGX_HTTP_SRV_CONF;
  if (directive.contexts != Contexts::http) command.type |= NGX_HTTP_LOC_CONF;
  command.set = set_directive;
  command.conf = NGX_HTTP_LOC_CONF_OFFSET;
  command.offset = position;
  return command;
}

// Ends with a command without a name, as nginx wants it.
std::array<ngx_command_t, kMaxCommands> make_commands() {
  std::array<ngx_command_t, kMaxCommands> commands{};
  const std::span<const Directive> all = directives();
  for (std::size_t i = 0; i < all.size() && i + 1 < commands.size(); ++i) {
    commands[i] = make_command(all[i], i);
  }
  return commands;
}

std::array<ngx_command_t, kMaxCommands> g_commands = make_commands();

bool add_phase_handler(ngx_http_core_main_conf_t& core, ngx_http_phases phase,
                       ngx_http_handler_pt handler) {
  auto* place = static_cast<ngx_http_handler_pt*>(ngx_array_push(&core.phases[phase].handlers));
  if (place == nullptr) return false;
  *place = handler;
  return true;
}

bool is_used(ngx_conf_t* cf) {
  const void* object = ngx_http_conf_get_module_main_conf(cf, ngx_http_openid_connect_module);
  return static_cast<const MainObject*>(object)->view.used;
}

ngx_int_t preconfiguration(ngx_conf_t* cf) noexcept {
  return add_variables(cf);
}

ngx_int_t postconfiguration(ngx_conf_t* cf) noexcept {
  return guard<ngx_int_t>(NGX_ERROR, [&]() -> ngx_int_t {
    if (directives().size() >= kMaxCommands) return NGX_ERROR;
    if (!finish_configuration(cf)) return NGX_ERROR;
    if (!is_used(cf)) return NGX_OK;
    const Result<void> libcurl = check_libcurl();
    if (!libcurl) {
      ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "oidc: %s", libcurl.error().detail.c_str());
      return NGX_ERROR;
    }
    auto& core = *static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    const bool added =
        add_phase_handler(core, NGX_HTTP_SERVER_REWRITE_PHASE, server_rewrite_handler) &&
        add_phase_handler(core, NGX_HTTP_PREACCESS_PHASE, preaccess_handler) &&
        add_phase_handler(core, NGX_HTTP_ACCESS_PHASE, access_handler) &&
        add_phase_handler(core, NGX_HTTP_PRECONTENT_PHASE, precontent_handler);
    if (!added) return NGX_ERROR;
    const auto& main = *static_cast<MainObject*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_openid_connect_module));
    if (main.view.counters == nullptr) return NGX_OK;
    return add_phase_handler(core, NGX_HTTP_LOG_PHASE, count_handler) ? NGX_OK : NGX_ERROR;
  });
}

ngx_int_t filter_postconfiguration(ngx_conf_t* cf) noexcept {
  if (is_used(cf)) init_header_filter();
  return NGX_OK;
}

ngx_http_module_t g_context = {
    preconfiguration, postconfiguration, create_main,     init_main,
    create_server,    nullptr,           create_location, merge_location,
};

ngx_http_module_t g_filter_context = {
    nullptr, filter_postconfiguration, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
};

}  // namespace
}  // namespace oidc::ngx

ngx_module_t ngx_http_openid_connect_module = {
    NGX_MODULE_V1,
    &oidc::ngx::g_context,
    oidc::ngx::g_commands.data(),
    NGX_HTTP_MODULE,
    nullptr,                 // init master
    nullptr,                 // init module
    oidc::ngx::init_worker,  // init process
    nullptr,                 // init thread
    nullptr,                 // exit thread
    oidc::ngx::exit_worker,  // exit process
    nullptr,                 // exit master
    NGX_MODULE_V1_PADDING,
};

ngx_module_t ngx_http_openid_connect_filter_module = {
    NGX_MODULE_V1, &oidc::ngx::g_filter_context,
    nullptr,       NGX_HTTP_MODULE,
    nullptr,       nullptr,
    nullptr,       nullptr,
    nullptr,       nullptr,
    nullptr,       NGX_MODULE_V1_PADDING,
};
