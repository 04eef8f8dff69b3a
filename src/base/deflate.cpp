#include "oidc/deflate.h"

#include <zlib.h>

#include <array>
#include <new>
#include <stdexcept>

namespace oidc {
namespace {

// Small texts need no large tables, and clearing those is most of the work. A negative number of
// window bits means raw: no zlib header, no checksum.
constexpr int kWindowBits = 13;
constexpr int kMemoryLevel = 6;

// zlib takes non-const input in its interface and does not write to it.
Bytef* input_of(std::string_view bytes) {
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
}

}  // namespace

std::string deflate_text(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, -kWindowBits, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  struct End {
    z_stream& stream;
    ~End() { deflateEnd(&stream); }
  } end{stream};

  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  stream.next_in = input_of(text);
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::logic_error("deflate did not end");
  out.resize(stream.total_out);
  return out;
}

Result<std::string> inflate_text(std::string_view bytes, std::size_t max_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  struct End {
    z_stream& stream;
    ~End() { inflateEnd(&stream); }
  } end{stream};

  stream.next_in = input_of(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 4096> chunk;
  int status = Z_OK;
  do {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    status = inflate(&stream, Z_NO_FLUSH);
    const std::size_t produced = chunk.size() - stream.avail_out;
    if (produced > max_bytes - out.size()) {
      return Error{Errc::too_large, "inflates beyond the limit"};
    }
    out.append(chunk.data(), produced);
    if (status == Z_BUF_ERROR || (status == Z_OK && produced == 0)) break;  // cut short
  } while (status == Z_OK);
  if (status != Z_STREAM_END || stream.avail_in != 0) {
    return Error{Errc::malformed, "not a deflated text"};
  }
  return out;
}

}  // namespace oidc
