#include "io/http_route.h"

#include <algorithm>
#include <charconv>
#include <new>
#include <optional>
#include <string_view>

namespace oidc {
namespace {

using UrlHandle = std::unique_ptr<CURLU, HttpRoute::FreeUrl>;

struct FreeText {
  void operator()(char* text) const noexcept { curl_free(text); }
};

// The part, or an empty string when the URL has none.
std::string part(CURLU* url, CURLUPart what, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, what, &text, flags) != CURLUE_OK) return {};
  const std::unique_ptr<char, FreeText> owned(text);
  return owned.get();
}

HttpRoute::Peer peer_of(CURLU* url) {
  HttpRoute::Peer peer;
  peer.host = part(url, CURLUPART_HOST);
  if (peer.host.starts_with('[') && peer.host.ends_with(']')) {
    peer.host = peer.host.substr(1, peer.host.size() - 2);
  }
  const std::string port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(port.data(), port.data() + port.size(), peer.port);
  return peer;
}

Result<UrlHandle> parse(const std::string& text, unsigned flags) {
  UrlHandle url(curl_url());
  if (!url) throw std::bad_alloc();
  const CURLUcode result = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), flags);
  if (result != CURLUE_OK) return {Errc::invalid_configuration, curl_url_strerror(result)};
  return url;
}

struct Proxy {
  HttpRoute::Peer peer;
  Secret user, password;
};

Secret decoded(CURLU* url, CURLUPart what) {
  std::string text = part(url, what, CURLU_URLDECODE);
  Secret secret{std::string_view(text)};
  cleanse(text);
  return secret;
}

Result<Proxy> parse_proxy(const std::string& text) {
  auto url = parse(text, 0);
  if (!url) return {Errc::invalid_configuration, "a proxy: " + url.error().detail};
  if (part(url->get(), CURLUPART_SCHEME) != "http") {
    return {Errc::invalid_configuration, "a proxy is reached by http, its URL says otherwise"};
  }
  Proxy proxy;
  proxy.peer = peer_of(url->get());
  proxy.user = decoded(url->get(), CURLUPART_USER);
  proxy.password = decoded(url->get(), CURLUPART_PASSWORD);
  return proxy;
}

bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [lower](char x, char y) { return lower(x) == lower(y); });
}

bool covers(std::string_view entry, std::string_view host) {
  if (entry == "*") return true;
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  const std::optional<Address> address = Address::parse(host, 0);
  if (address) {
    const std::optional<Address> listed = Address::parse(entry, 0);
    return listed && listed->text() == address->text();
  }
  while (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.ends_with('.')) entry.remove_suffix(1);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (entry.empty() || host.size() < entry.size()) return false;
  const std::size_t rest = host.size() - entry.size();
  return equal_without_case(host.substr(rest), entry) && (rest == 0 || host[rest - 1] == '.');
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

Result<HttpRoute> route_of(const std::string& text, const HttpProxies& proxies) {
  // The path goes out as it is written, "/../" and all.
  auto url = parse(text, CURLU_DISALLOW_USER | CURLU_PATH_AS_IS);
  if (!url) return {Errc::invalid_configuration, "the provider's URL: " + url.error().detail};
  const std::string scheme = part(url->get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") {
    return {Errc::invalid_configuration, "the provider's URL is neither http nor https"};
  }
  HttpRoute route;
  route.url = std::move(*url);
  route.server = peer_of(route.url.get());
  const std::string& host = route.server.host;
  const std::string& proxy_url = scheme == "https" ? proxies.https_proxy : proxies.http_proxy;
  const auto direct = [&host](const std::string& entry) { return covers(entry, host); };
  if (!proxy_url.empty() &&
      std::none_of(proxies.no_proxy.begin(), proxies.no_proxy.end(), direct)) {
    auto proxy = parse_proxy(proxy_url);
    if (!proxy) return proxy.error();
    route.through_proxy = true;
    route.proxy = std::move(proxy->peer);
    route.proxy_user = std::move(proxy->user);
    route.proxy_password = std::move(proxy->password);
  }
  return route;
}

Result<void> check_proxy_url(const std::string& url) {
  auto proxy = parse_proxy(url);
  if (!proxy) return proxy.error();
  return {};
}

std::string host_and_port(const HttpRoute::Peer& peer) {
  return bracketed(peer.host) + ":" + std::to_string(peer.port);
}

std::string resolve_entry(const HttpRoute::Peer& peer, const std::vector<Address>& addresses) {
  // '+': the entry may age; the next transfer sets its own anyway.
  std::string entry = "+" + peer.host + ":" + std::to_string(peer.port) + ":";
  bool first = true;
  for (const Address& address : addresses) {
    if (!first) entry += ',';
    first = false;
    entry += bracketed(address.text());
  }
  return entry;
}

}  // namespace oidc
