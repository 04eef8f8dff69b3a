#include "oidc/logout.h"

#include "oidc/form.h"
#include "oidc/url.h"

namespace oidc {
namespace {

constexpr std::size_t kMaxUrl = 4096;

std::string build(std::string_view endpoint, std::string_view client_id, std::string_view hint,
                  std::string_view redirect_uri, std::string_view state) {
  Form form;
  form.add("client_id", client_id);
  if (!hint.empty()) form.add("id_token_hint", hint);
  if (!redirect_uri.empty()) form.add("post_logout_redirect_uri", redirect_uri);
  if (!state.empty()) form.add("state", state);
  return append_query(endpoint, form.encode());
}

}  // namespace

std::string end_session_url(std::string_view endpoint, std::string_view client_id,
                            std::string_view id_token_hint,
                            std::string_view post_logout_redirect_uri, std::string_view state) {
  std::string url = build(endpoint, client_id, id_token_hint, post_logout_redirect_uri, state);
  if (url.size() <= kMaxUrl) return url;
  return build(endpoint, client_id, {}, post_logout_redirect_uri, state);
}

}  // namespace oidc
