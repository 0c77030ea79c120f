#include "proxy/body/content_coding.h"

#include <brotli/decode.h>
#include <libdeflate.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>

#include "crypto/base/secret_bytes.h"

namespace paravent::proxy::body {
namespace {

struct DeflateFree {
  void operator()(libdeflate_decompressor* p) const { libdeflate_free_decompressor(p); }
};
struct ZstdFree {
  void operator()(ZSTD_DCtx* p) const { ZSTD_freeDCtx(p); }
};
struct BrotliFree {
  void operator()(BrotliDecoderState* p) const { BrotliDecoderDestroyInstance(p); }
};

// A frame may not ask for more history than this, whatever its content (RFC 8878 3.1.1.1.2
// recommends that decoders take on 8 MiB).
constexpr int kZstdWindowLog = 23;
constexpr std::size_t kFirstGuess = 4;  // times the packed size, where the size is not told

bool same_word(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
  });
}

std::size_t allowed(std::size_t packed, std::size_t limit) {
  const std::size_t expanded =
      packed > (SIZE_MAX - kExpansionFree) / kMaxExpansion ? SIZE_MAX : packed * kMaxExpansion;
  return std::min(limit, std::max(kExpansionFree, expanded));
}

// Only what is in use: nothing is ever left behind the end.
void wipe_used(std::string& text) {
  crypto::wipe(crypto::MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  text.clear();
}

// Growing by itself would leave a copy of what was decoded in the memory given back.
void grow_anew(std::string& out, std::size_t size) {
  wipe_used(out);
  out.resize(size);
}

void grow_keeping(std::string& out, std::size_t size) {
  if (size <= out.capacity()) {
    out.resize(size);
    return;
  }
  std::string larger;
  larger.reserve(size);
  larger.assign(out);
  larger.resize(size);
  wipe_used(out);
  out.swap(larger);
}

std::uint32_t load_u32le(const char* p) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8U | static_cast<unsigned char>(p[i]);
  return value;
}

}  // namespace

struct ContentDecoder::State {
  std::unique_ptr<libdeflate_decompressor, DeflateFree> deflate;
  std::unique_ptr<ZSTD_DCtx, ZstdFree> zstd;

  ScanStatus gunzip(std::string_view packed, std::size_t most, std::string& out);
  ScanStatus inflate(std::string_view packed, std::size_t most, std::string& out);
  ScanStatus unzstd(std::string_view packed, std::size_t most, std::string& out);

 private:
  libdeflate_decompressor* deflate_tables() {
    if (!deflate) deflate.reset(libdeflate_alloc_decompressor());
    if (!deflate) throw std::bad_alloc();
    return deflate.get();
  }
};

namespace {

ScanStatus unbrotli(std::string_view packed, std::size_t most, std::string& out) {
  const std::unique_ptr<BrotliDecoderState, BrotliFree> state(
      BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
  if (!state) throw std::bad_alloc();
  std::size_t in_left = packed.size();
  const auto* in = reinterpret_cast<const std::uint8_t*>(packed.data());
  out.resize(std::min(most, packed.size() * kFirstGuess + 1024));
  std::size_t written = 0;
  for (;;) {
    std::size_t room = out.size() - written;
    auto* to = reinterpret_cast<std::uint8_t*>(out.data()) + written;
    const auto result =
        BrotliDecoderDecompressStream(state.get(), &in_left, &in, &room, &to, nullptr);
    written = out.size() - room;
    if (result == BROTLI_DECODER_RESULT_SUCCESS) {
      out.resize(written);
      return in_left == 0 ? ScanStatus::ok : ScanStatus::malformed;
    }
    if (result != BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
      const BrotliDecoderErrorCode why = BrotliDecoderGetErrorCode(state.get());
      if (why <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
          why >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES) {
        throw std::bad_alloc();
      }
      return ScanStatus::malformed;
    }
    if (out.size() == most) return ScanStatus::too_large;
    grow_keeping(out, std::min(most, out.size() * 2));
  }
}

}  // namespace

// The last four bytes say how much there is (RFC 1952 2.3.1), and the decoder compares: a lie is
// malformed. Where they say too much, as those of a bomb do and as any four bytes may that were not
// meant as a size (another coding, an end that is missing), as much as is allowed is unpacked to
// tell the one from the other.
ScanStatus ContentDecoder::State::gunzip(std::string_view packed, std::size_t most,
                                         std::string& out) {
  constexpr std::size_t kSmallest = 18;
  if (packed.size() < kSmallest) return ScanStatus::malformed;
  const std::size_t size = load_u32le(packed.data() + packed.size() - 4);
  out.resize(std::min(size, most));
  std::size_t read = 0;
  std::size_t written = 0;
  const auto result = libdeflate_gzip_decompress_ex(deflate_tables(), packed.data(), packed.size(),
                                                    out.data(), out.size(), &read, &written);
  if (result == LIBDEFLATE_INSUFFICIENT_SPACE && size > most) return ScanStatus::too_large;
  const bool whole = result == LIBDEFLATE_SUCCESS && read == packed.size() && written == size;
  return whole ? ScanStatus::ok : ScanStatus::malformed;
}

ScanStatus ContentDecoder::State::inflate(std::string_view packed, std::size_t most,
                                          std::string& out) {
  for (std::size_t guess = std::min(most, packed.size() * kFirstGuess + 1024);;
       guess = std::min(most, guess * 2)) {
    grow_anew(out, guess);
    std::size_t read = 0;
    std::size_t written = 0;
    const auto result = libdeflate_zlib_decompress_ex(
        deflate_tables(), packed.data(), packed.size(), out.data(), out.size(), &read, &written);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      if (guess == most) return ScanStatus::too_large;
      continue;
    }
    if (result != LIBDEFLATE_SUCCESS || read != packed.size()) return ScanStatus::malformed;
    out.resize(written);
    return ScanStatus::ok;
  }
}

ScanStatus ContentDecoder::State::unzstd(std::string_view packed, std::size_t most,
                                         std::string& out) {
  if (!zstd) zstd.reset(ZSTD_createDCtx());
  if (!zstd) throw std::bad_alloc();
  // A frame of data, neither skippable nor for a dictionary.
  if (packed.size() < 4 || load_u32le(packed.data()) != ZSTD_MAGICNUMBER ||
      ZSTD_getDictID_fromFrame(packed.data(), packed.size()) != 0) {
    return ScanStatus::malformed;
  }
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR) return ScanStatus::malformed;
  const bool told = size != ZSTD_CONTENTSIZE_UNKNOWN;
  if (told && size > most) return ScanStatus::too_large;
  ZSTD_DCtx_reset(zstd.get(), ZSTD_reset_session_and_parameters);
  ZSTD_DCtx_setParameter(zstd.get(), ZSTD_d_windowLogMax, kZstdWindowLog);
  out.resize(told ? static_cast<std::size_t>(size)
                  : std::min(most, packed.size() * kFirstGuess + 1024));
  ZSTD_inBuffer in{packed.data(), packed.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  for (;;) {
    const std::size_t left = ZSTD_decompressStream(zstd.get(), &to, &in);
    if (ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation) throw std::bad_alloc();
    if (ZSTD_isError(left) != 0) return ScanStatus::malformed;
    if (left == 0) {
      out.resize(to.pos);
      return in.pos == in.size ? ScanStatus::ok : ScanStatus::malformed;
    }
    if (to.pos < to.size) {
      if (in.pos == in.size) return ScanStatus::malformed;  // cut short
      continue;
    }
    // More than the frame said, or more input is wanted than there is.
    if (told) return ScanStatus::malformed;
    if (out.size() == most) return ScanStatus::too_large;
    grow_keeping(out, std::min(most, out.size() * 2));
    to.dst = out.data();
    to.size = out.size();
  }
}

std::optional<ContentCoding> parse_content_coding(std::string_view value) {
  struct Word {
    std::string_view text;
    ContentCoding coding;
  };
  constexpr std::array<Word, 5> kWords = {{{"identity", ContentCoding::identity},
                                           {"gzip", ContentCoding::gzip},
                                           {"deflate", ContentCoding::deflate},
                                           {"br", ContentCoding::br},
                                           {"zstd", ContentCoding::zstd}}};
  for (const Word& word : kWords) {
    if (same_word(value, word.text)) return word.coding;
  }
  return std::nullopt;
}

ContentDecoder::ContentDecoder() : state_(std::make_unique<State>()) {}
ContentDecoder::~ContentDecoder() = default;

ScanStatus ContentDecoder::decode(ContentCoding coding, std::string_view packed, std::size_t limit,
                                  std::string& out) {
  wipe_used(out);
  const std::size_t most = allowed(packed.size(), limit);
  ScanStatus status = ScanStatus::malformed;
  switch (coding) {
    case ContentCoding::identity:
      std::abort();
    case ContentCoding::gzip:
      status = state_->gunzip(packed, most, out);
      break;
    case ContentCoding::deflate:
      status = state_->inflate(packed, most, out);
      break;
    case ContentCoding::br:
      status = unbrotli(packed, most, out);
      break;
    case ContentCoding::zstd:
      status = state_->unzstd(packed, most, out);
      break;
  }
  if (status != ScanStatus::ok) wipe_used(out);
  return status;
}

}  // namespace paravent::proxy::body
