#include "oidc/errc.h"

#include <array>

namespace oidc {
namespace {

constexpr std::array kTable{
#define OIDC_X(name, status, level, sentence) ErrcInfo{#name, sentence, status, LogLevel::level},
    OIDC_ERRC_TABLE(OIDC_X)
#undef OIDC_X
};

}  // namespace

const ErrcInfo& info(Errc code) noexcept {
  const auto index = static_cast<std::size_t>(code);
  return index < kTable.size() ? kTable[index] : kTable[static_cast<std::size_t>(Errc::internal)];
}

}  // namespace oidc
