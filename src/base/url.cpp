#include "oidc/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "hex.h"

namespace oidc {
namespace {

constexpr std::size_t kLongestHost = 253;

Error malformed(const char* what) {
  return Error{Errc::malformed, std::string("URL: ") + what};
}

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool is_unreserved(char c) {
  return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_ipv4(std::string_view host) {
  in_addr address{};
  return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
}

// Whether a browser or libcurl would take the host for an IPv4 address, if need be in one of its
// odd spellings (127.1, 0x7f000001, 2130706433).
bool ends_in_number(std::string_view host) {
  const std::size_t dot = host.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  if (last.starts_with("0x")) return std::ranges::all_of(last.substr(2), is_hex_digit);
  return !last.empty() && std::ranges::all_of(last, is_digit);
}

bool is_registered_name(std::string_view host) {
  if (host.empty() || host.size() > kLongestHost || host.front() == '.') return false;
  if (host.find("..") != std::string_view::npos) return false;
  if (!std::ranges::all_of(host, [](char c) { return is_unreserved(c) && c != '~'; })) return false;
  const std::string_view rooted = host.back() == '.' ? host.substr(0, host.size() - 1) : host;
  return !ends_in_number(rooted) || (rooted == host && is_ipv4(host));
}

// The address in its one canonical spelling (RFC 5952), so that equal origins are equal strings.
std::optional<std::string> canonical_ipv6(std::string_view literal) {
  in6_addr address{};
  if (inet_pton(AF_INET6, std::string(literal).c_str(), &address) != 1) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(AF_INET6, &address, text.data(), text.size()) == nullptr) return std::nullopt;
  return std::string(text.data());
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  unsigned port = 0;
  std::from_chars(text.data(), text.data() + text.size(), port);
  if (port == 0 || port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

constexpr std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

Result<void> parse_authority(std::string_view authority, Url& url) {
  if (authority.find('@') != std::string_view::npos) return malformed("user information");
  std::string_view after_host;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return malformed("unclosed bracket");
    std::optional<std::string> address = canonical_ipv6(authority.substr(1, close - 1));
    if (!address) return malformed("not an IPv6 address");
    url.host = std::move(*address);
    url.host_is_ipv6 = true;
    after_host = authority.substr(close + 1);
  } else {
    const std::size_t colon = std::min(authority.find(':'), authority.size());
    url.host = lower(authority.substr(0, colon));
    if (!is_registered_name(url.host)) return malformed("not a host name");
    after_host = authority.substr(colon);
  }
  if (after_host.empty()) {
    url.port = default_port(url.scheme);
    return {};
  }
  const std::optional<std::uint16_t> port =
      after_host.front() == ':' ? parse_port(after_host.substr(1)) : std::nullopt;
  if (!port) return malformed("not a port");
  url.port = *port;
  url.port_given = true;
  return {};
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~' || c == '\\') return malformed("a character that must be encoded");
  }
  Url url;
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return malformed("not absolute");
  url.scheme = lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return malformed("neither http nor https");
  text.remove_prefix(colon + 3);

  if (const std::size_t hash = text.find('#'); hash != std::string_view::npos) {
    url.fragment = text.substr(hash + 1);
    url.has_fragment = true;
    text = text.substr(0, hash);
  }
  if (const std::size_t mark = text.find('?'); mark != std::string_view::npos) {
    url.query = text.substr(mark + 1);
    url.has_query = true;
    text = text.substr(0, mark);
  }
  const std::size_t slash = std::min(text.find('/'), text.size());
  url.path = text.substr(slash);
  if (Result<void> authority = parse_authority(text.substr(0, slash), url); !authority) {
    return std::move(authority).error();
  }
  return url;
}

std::string Url::origin() const {
  std::string out = scheme;
  out.append("://");
  if (host_is_ipv6) out.append("[");
  out.append(host);
  if (host_is_ipv6) out.append("]");
  if (port != default_port(scheme)) out.append(":").append(std::to_string(port));
  return out;
}

bool Url::is_loopback() const {
  if (host_is_ipv6) return host == "::1";
  return host == "localhost" || (host.starts_with("127.") && is_ipv4(host));
}

std::string percent_encode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
    } else {
      append_percent_encoded(out, c);
    }
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const std::optional<char> byte = hex_byte(text.substr(i + 1));
    if (!byte) return Error{Errc::malformed, "broken percent-encoding"};
    out.push_back(*byte);
    i += 2;
  }
  return out;
}

bool is_safe_origin_form(std::string_view target) noexcept {
  if (!target.starts_with('/') || target.starts_with("//")) return false;
  return std::ranges::none_of(target, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= ' ' || byte == 0x7f || byte == '\\';
  });
}

std::string append_query(std::string_view url, std::string_view query) {
  if (query.empty()) return std::string(url);
  const std::size_t end = std::min(url.find('#'), url.size());
  std::string out(url.substr(0, end));
  if (out.find('?') == std::string::npos) {
    out.push_back('?');
  } else if (out.back() != '?' && out.back() != '&') {
    out.push_back('&');
  }
  out += query;
  out += url.substr(end);
  return out;
}

}  // namespace oidc
