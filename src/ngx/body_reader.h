// The body of a callback, read unbuffered (never into a file) and counted.
#pragma once

#include <optional>

#include "io/nginx.h"
#include "oidc/io.h"

namespace oidc::ngx {

class RequestBodyReader final : public BodyReader {
 public:
  RequestBodyReader(ngx_http_request_t* r, Loop& loop) noexcept : r_(r), loop_(loop) {}

  [[nodiscard]] Task<Result<Secret>> read(std::size_t max) override;
  // nginx calls it when the client sent more: see body_reader.cpp.
  void on_readable();

 private:
  class Arrived;

  void begin(std::size_t max);
  void take_available();
  void finish(Errc reason);

  ngx_http_request_t* r_;
  Loop& loop_;
  Waiter* waiter_ = nullptr;
  std::size_t max_ = 0;
  std::string bytes_;
  bool done_ = false;
  Errc failure_ = Errc::none;
};

}  // namespace oidc::ngx
