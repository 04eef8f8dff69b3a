#include "io/nginx.h"

#include <cxxabi.h>

#include <cstdlib>
#include <exception>
#include <memory>
#include <typeinfo>

namespace oidc {

void log_escaped_exception() noexcept {
  struct Free {
    void operator()(char* text) const noexcept { std::free(text); }
  };
  std::unique_ptr<char, Free> readable;
  const char* name = "of an unknown type";
  if (const std::type_info* type = abi::__cxa_current_exception_type()) {
    int status = 0;
    readable.reset(abi::__cxa_demangle(type->name(), nullptr, nullptr, &status));
    name = readable ? readable.get() : type->name();
  }
  ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0, "oidc: an exception escaped: %s", name);
}

}  // namespace oidc
