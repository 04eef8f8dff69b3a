// The body of a callback, read unbuffered (never into a file) and counted. Or one that the upstream
// may still have to get: read as nginx does it for a proxy, which then finds it there.
#pragma once

#include <optional>

#include "io/nginx.h"
#include "oidc/io.h"

namespace oidc::ngx {

class RequestBodyReader final : public BodyReader {
 public:
  enum class Use : std::uint8_t { consume, look };

  RequestBodyReader(ngx_http_request_t* r, Loop& loop, Use use) noexcept
      : r_(r), loop_(loop), use_(use) {}

  [[nodiscard]] Task<Result<Secret>> read(std::size_t max) override;
  // nginx calls it when the client sent more: see body_reader.cpp.
  void on_readable();
  // The same for a body that is only looked at: all of it is there.
  void on_whole();

 private:
  class Arrived;

  void begin(std::size_t max);
  void begin_unbuffered();
  void begin_buffered();
  void take_available();
  void finish(Errc reason);

  ngx_http_request_t* r_;
  Loop& loop_;
  Use use_;
  Waiter* waiter_ = nullptr;
  std::size_t max_ = 0;
  std::string bytes_;
  bool done_ = false;
  Errc failure_ = Errc::none;
};

}  // namespace oidc::ngx
