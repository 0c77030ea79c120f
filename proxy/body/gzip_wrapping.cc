#include <libdeflate.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "proxy/body/content_coding.h"
#include "proxy/body/wrapping.h"

namespace paravent::proxy::body {
namespace {

constexpr int kLevel = 6;

struct FreeCompressor {
  void operator()(libdeflate_compressor* compressor) const noexcept {
    libdeflate_free_compressor(compressor);
  }
};

}  // namespace

ScanStatus unwrap_gzip(std::string_view packed, std::string& out) {
  ContentDecoder decoder;
  return decoder.decode(ContentCoding::gzip, packed, kMaxUnpacked, out);
}

void wrap_gzip(std::string_view bytes, std::string& out) {
  const std::unique_ptr<libdeflate_compressor, FreeCompressor> compressor(
      libdeflate_alloc_compressor(kLevel));
  if (!compressor) throw std::bad_alloc();
  out.resize(libdeflate_gzip_compress_bound(compressor.get(), bytes.size()));
  const std::size_t size = libdeflate_gzip_compress(compressor.get(), bytes.data(), bytes.size(),
                                                    out.data(), out.size());
  if (size == 0) std::abort();  // the bound is one
  out.resize(size);
}

}  // namespace paravent::proxy::body
