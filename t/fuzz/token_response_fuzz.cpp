#include <array>
#include <string>

#include "oidc/token_endpoint.h"
#include "require.h"

using oidc::fuzz::require;

// The first byte chooses the status.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array kStatuses = {200, 400, 401, 429, 500, 302, 204};
  constexpr oidc::Seconds kNow = 1'700'000'000;
  if (size == 0) return 0;
  const int status = kStatuses[data[0] % kStatuses.size()];
  const std::string body(oidc::fuzz::text_of(data, size).substr(1));
  const auto tokens = oidc::read_token_response({status, "application/json", body}, kNow);
  if (tokens) {
    require(status == 200, "tokens come with 200");
    require(!tokens->access_token.empty(), "and with an access token");
    return 0;
  }
  require(tokens.error().code != oidc::Errc::none && tokens.error().code != oidc::Errc::internal,
          "a refusal has its code");
  require(tokens.error().detail.size() < 1024, "and a detail that fits a log");
  for (const char c : tokens.error().detail) {
    require(static_cast<unsigned char>(c) >= ' ' && c != '\x7f', "without control characters");
  }
  return 0;
}
