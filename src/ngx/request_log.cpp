#include "ngx/request_log.h"

#include "ngx/facts.h"

#include <algorithm>
#include <string>

namespace oidc::ngx {
namespace {

ngx_uint_t nginx_level(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::error:
      return NGX_LOG_ERR;
    case LogLevel::warn:
      return NGX_LOG_WARN;
    case LogLevel::notice:
      return NGX_LOG_NOTICE;
    case LogLevel::info:
      break;
  }
  return NGX_LOG_INFO;
}

// Details quote configured values and what libraries say: one line, printable.
std::string one_line(std::string_view text) {
  std::string line(text.substr(0, 512));
  std::replace_if(line.begin(), line.end(), [](char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return line;
}

u_char* append_text(u_char* buf, std::size_t& left, std::string_view text) noexcept {
  const std::size_t size = std::min(left, text.size());
  left -= size;
  return std::copy_n(text.begin(), size, buf);
}

u_char* log_without_query(ngx_http_request_t* r, ngx_http_request_t*, u_char* buf,
                          size_t len) noexcept {
  std::size_t left = len;
  const auto* cscf = static_cast<const ngx_http_core_srv_conf_t*>(
      ngx_http_get_module_srv_conf(r, ngx_http_core_module));
  buf = append_text(buf, left, ", server: ");
  buf = append_text(buf, left, to_view(cscf->server_name));
  buf = append_text(buf, left, ", request: \"");
  buf = append_text(buf, left, to_view(request_line_without_query(r)));
  buf = append_text(buf, left, "\"");
  if (r->headers_in.host != nullptr) {
    buf = append_text(buf, left, ", host: \"");
    buf = append_text(buf, left, to_view(r->headers_in.host->value));
    buf = append_text(buf, left, "\"");
  }
  return buf;
}

}  // namespace

ngx_str_t request_line_without_query(const ngx_http_request_t* r) noexcept {
  ngx_str_t line = r->request_line;
  const auto* end = line.data + line.len;
  const auto* query = std::find(line.data, line.data + line.len, '?');
  if (query != end) line.len = static_cast<std::size_t>(query - line.data);
  return line;
}

void hide_query_in_error_log(ngx_http_request_t* r) { r->log_handler = log_without_query; }

void log_outcome(ngx_http_request_t* r, const Outcome& outcome) {
  if (outcome.reason == Errc::none) return;
  const ErrcInfo& reason = info(outcome.reason);
  const std::string detail = one_line(outcome.detail);
  const std::string session = outcome.session ? log_id(outcome.session->key()) : std::string("-");
  const std::string issuer = outcome.settings != nullptr ? outcome.settings->provider.issuer
                                                         : std::string("-");
  // What is an error in the provider's answer is everyday in a client's token.
  const bool clients = outcome.status == 401 && reason.status >= 500;
  const ngx_uint_t level = nginx_level(clients ? LogLevel::info : reason.level);
  const std::string_view id = request_id(r);
  if (r->connection->log->log_level < level) return;
  ngx_log_error_core(level, r->connection->log, 0,
                     "oidc: reason=%*s status=%d issuer=\"%s\" session=%s request=%*s: %*s%s%s",
                     reason.code.size(), reason.code.data(), outcome.status, issuer.c_str(),
                     session.c_str(), id.size(), id.data(), reason.sentence.size(), reason.sentence.data(),
                     detail.empty() ? "" : ": ", detail.c_str());
}

void log_event(ngx_log_t* log, LogLevel level, Errc reason, std::string_view issuer,
               std::string_view detail) {
  const ErrcInfo& known = info(reason);
  const std::string text = one_line(detail);
  ngx_log_error(nginx_level(level), log, 0, "oidc: reason=%*s issuer=\"%*s\": %*s: %s",
                known.code.size(), known.code.data(), issuer.size(), issuer.data(),
                known.sentence.size(), known.sentence.data(), text.c_str());
}

}  // namespace oidc::ngx
