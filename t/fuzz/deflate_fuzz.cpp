#include "oidc/deflate.h"

#include <string>

#include "require.h"

using oidc::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 64 * 1024;
  const std::string_view bytes = oidc::fuzz::text_of(data, size);
  const oidc::Result<std::string> text = oidc::inflate_text(bytes, kMost);
  if (text) {
    require(text->size() <= kMost, "no more than was allowed");
    if (!text->empty()) {
      const auto less = oidc::inflate_text(bytes, text->size() - 1);
      require(!less && less.error().code == oidc::Errc::too_large, "not a byte more");
    }
  } else {
    require(
        text.error().code == oidc::Errc::malformed || text.error().code == oidc::Errc::too_large,
        "a refusal has its code");
  }
  const oidc::Result<std::string> back = oidc::inflate_text(oidc::deflate_text(bytes), size);
  require(back.ok() && *back == bytes, "a text comes back");
  return 0;
}
