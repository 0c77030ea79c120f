#include "tests/proxy/body/packing.h"

#include <brotli/encode.h>
#include <libdeflate.h>
#include <zstd.h>

#include <cstdlib>

namespace paravent::proxy::body::test {
namespace {

constexpr std::size_t kSlack = 1024;

std::string pack_deflate(ContentCoding coding, std::string_view text) {
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(6);
  std::string out(text.size() + kSlack, '\0');
  auto* const make =
      coding == ContentCoding::gzip ? &libdeflate_gzip_compress : &libdeflate_zlib_compress;
  out.resize(make(compressor, text.data(), text.size(), out.data(), out.size()));
  libdeflate_free_compressor(compressor);
  if (out.empty()) std::abort();
  return out;
}

std::string pack_brotli(std::string_view text) {
  std::string out(text.size() + kSlack, '\0');
  std::size_t size = out.size();
  if (BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_DEFAULT_MODE, text.size(),
                            reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                            reinterpret_cast<std::uint8_t*>(out.data())) == BROTLI_FALSE) {
    std::abort();
  }
  out.resize(size);
  return out;
}

std::string pack_zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3);
  if (ZSTD_isError(size) != 0) std::abort();
  out.resize(size);
  return out;
}

}  // namespace

std::string pack(ContentCoding coding, std::string_view text) {
  switch (coding) {
    case ContentCoding::gzip:
    case ContentCoding::deflate:
      return pack_deflate(coding, text);
    case ContentCoding::br:
      return pack_brotli(text);
    case ContentCoding::zstd:
      return pack_zstd(text);
    case ContentCoding::identity:
      break;
  }
  std::abort();
}

std::string pack_zstd_stream(std::string_view text) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string out(ZSTD_compressBound(text.size()) + kSlack, '\0');
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  if (ZSTD_compressStream2(context, &to, &in, ZSTD_e_end) != 0) std::abort();
  ZSTD_freeCCtx(context);
  out.resize(to.pos);
  return out;
}

}  // namespace paravent::proxy::body::test
