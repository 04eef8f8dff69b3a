#include "io/system_names.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

namespace oidc {
namespace {

constexpr unsigned kMaxNdots = 15;  // as in the C library

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

void trim_dots(std::string& name) {
  name.erase(0, std::min(name.find_first_not_of('.'), name.size()));
  while (name.ends_with('.')) name.pop_back();
}

std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  std::istringstream stream(line);
  for (std::string word; stream >> word;) words.push_back(std::move(word));
  return words;
}

void read_hosts(const std::string& path, SystemNames& names) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    line.resize(std::min(line.find('#'), line.size()));
    const std::vector<std::string> words = words_of(line);
    if (words.size() < 2) continue;
    const std::optional<Address> address = Address::parse(words[0], 0);
    if (!address) continue;
    for (auto word = words.begin() + 1; word != words.end(); ++word) {
      std::string name = lower(*word);
      trim_dots(name);
      if (!name.empty()) names.hosts[name].push_back(*address);
    }
  }
}

// "[address]:port" is OpenBSD's form; nginx's resolver takes it once the brackets of an IPv4
// address are gone. Empty for what no socket address can be made of, such as a scoped one.
std::string name_server(std::string_view text) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return {};
    port = text.substr(end + 1);
    text = text.substr(1, end - 1);
  }
  const std::optional<Address> address = Address::parse(text, 0);
  if (!address) return {};
  std::string server = address->text();
  if (address->is_ipv6()) server = "[" + server + "]";
  return server.append(port);
}

void read_options(const std::vector<std::string>& words, SystemNames& names) {
  constexpr std::string_view kNdots = "ndots:";
  for (const std::string& word : words) {
    if (!word.starts_with(kNdots)) continue;
    unsigned value = 0;
    const char* end = word.data() + word.size();
    if (std::from_chars(word.data() + kNdots.size(), end, value).ec == std::errc{}) {
      names.ndots = std::min(value, kMaxNdots);
    }
  }
}

void read_resolver_file(const std::string& path, SystemNames& names) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#') || line.starts_with(';')) continue;
    const std::vector<std::string> words = words_of(line);
    if (words.size() < 2) continue;
    if (words[0] == "nameserver") {
      std::string server = name_server(words[1]);
      if (!server.empty()) names.name_servers.push_back(std::move(server));
    } else if (words[0] == "search" || words[0] == "domain") {
      names.search.clear();  // the last line counts
      for (auto word = words.begin() + 1; word != words.end(); ++word) {
        std::string suffix = lower(*word);
        trim_dots(suffix);
        if (!suffix.empty()) names.search.push_back(std::move(suffix));
      }
    } else if (words[0] == "options") {
      read_options(words, names);
    }
  }
  if (names.name_servers.empty()) names.name_servers.emplace_back("127.0.0.1");
}

}  // namespace

SystemNames read_system_names(const std::string& hosts_path, const std::string& resolver_path) {
  SystemNames names;
  read_hosts(hosts_path, names);
  read_resolver_file(resolver_path, names);
  return names;
}

std::vector<std::string> search_order(const SystemNames& names, std::string_view host) {
  if (host.ends_with('.')) return {std::string(host.substr(0, host.size() - 1))};
  std::vector<std::string> order;
  for (const std::string& suffix : names.search) order.push_back(std::string(host) + "." + suffix);
  const auto dots = static_cast<unsigned>(std::count(host.begin(), host.end(), '.'));
  order.insert(dots < names.ndots ? order.end() : order.begin(), std::string(host));
  return order;
}

}  // namespace oidc
