// The values of directives. Failures are Errc::invalid_configuration; the detail quotes the value
// (never a secret's) and says what would be right.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "oidc/result.h"
#include "oidc/secret.h"
#include "oidc/settings_builder.h"
#include "oidc/time.h"
#include "oidc/url.h"

namespace oidc {

class ClientKey;

[[nodiscard]] Error bad_value(std::string_view value, std::string_view expected);
// Kong's null.
[[nodiscard]] inline bool is_off(const std::vector<std::string>& words) {
  return words.size() == 1 && words.front() == "off";
}

[[nodiscard]] Result<bool> parse_flag(std::string_view word);
// nginx's units: ms s m h d w M y, several from large to small ("1h30m"); a bare number is seconds.
[[nodiscard]] Result<std::int64_t> parse_milliseconds(std::string_view word, std::int64_t min,
                                                      std::int64_t max);
[[nodiscard]] Result<Seconds> parse_seconds(std::string_view word, Seconds min, Seconds max);
// Bytes; k, m and g (either case) are powers of 1024.
[[nodiscard]] Result<std::size_t> parse_size(std::string_view word, std::size_t min,
                                             std::size_t max);
[[nodiscard]] Result<std::uint64_t> parse_number(std::string_view word, std::uint64_t min,
                                                 std::uint64_t max);

// http or https, no fragment; the text stays as it is.
[[nodiscard]] Result<Url> parse_http_url(std::string_view word);
// scheme://host[:port] and nothing more (one '/' at the end is passed over).
[[nodiscard]] Result<Url> parse_origin(std::string_view word);

// A name that exists on this machine; relative names start at the configuration's directory.
[[nodiscard]] Result<std::string> parse_file_name(std::string_view word, const BuildFacts& facts);
// A file with a private key: a JWK or PEM.
[[nodiscard]] Result<std::shared_ptr<const ClientKey>> parse_key_file(const std::string& word,
                                                                      const BuildFacts& facts);
// A literal, file:PATH or env:NAME. One line end at the end of a file is not part of the secret.
[[nodiscard]] Result<Secret> parse_secret(std::string_view word, const BuildFacts& facts);

[[nodiscard]] std::string lower_case(std::string_view text);
// Printable ASCII without space.
[[nodiscard]] bool is_visible(std::string_view text) noexcept;
// UTF-8 without control characters.
[[nodiscard]] bool is_one_line(std::string_view text) noexcept;
// RFC 6749 section 3.3, scope-token.
[[nodiscard]] bool is_scope_token(std::string_view text) noexcept;

}  // namespace oidc
