// What the system says about names: its hosts file and its resolver file (hosts(5),
// resolv.conf(5)). Read once, in the master, at configuration: a later change is seen at the next
// reload.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "io/address.h"

namespace oidc {

struct SystemNames {
  std::map<std::string, std::vector<Address>, std::less<>> hosts;  // by lower-case name, port 0
  std::vector<std::string> name_servers;  // "192.0.2.1", "[2001:db8::1]", or either with ":port"
  std::vector<std::string> search;        // without leading and terminating dots
  unsigned ndots = 1;
};

// A file that cannot be read counts as empty; without a name server it is the loopback address, as
// for the C library.
[[nodiscard]] SystemNames read_system_names(const std::string& hosts_path = "/etc/hosts",
                                            const std::string& resolver_path = "/etc/resolv.conf");

// The names to ask for, in order, for a name as the user wrote it: with fewer dots than ndots the
// search list comes first, else last; a terminating dot means exactly this name.
[[nodiscard]] std::vector<std::string> search_order(const SystemNames& names,
                                                    std::string_view host);

}  // namespace oidc
