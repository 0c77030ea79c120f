#include "crypto/tokens/unicode.h"

#include <unicode/bytestream.h>
#include <unicode/idna.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>

#include "crypto/base/bytes.h"
#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {
namespace {

icu::StringPiece piece(std::string_view text) {
  return {text.data(), static_cast<std::int32_t>(text.size())};
}

// ICU counts in 32 bits; values are far below, but the limit belongs here.
constexpr std::size_t kMaxIcuInput = std::size_t{1} << 28U;
constexpr std::size_t kMaxNfcGrowth = 3;  // Unicode's FAQ on normalisation, for UTF-8

}  // namespace

Status compose_tail(std::string& text, std::size_t from) {
  const std::size_t size = text.size() - from;
  if (size > kMaxIcuInput) return Error(ErrorKind::malformed);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status)) return Error(ErrorKind::internal);
  const bool composed = nfc->isNormalizedUTF8(piece(std::string_view(text).substr(from)), status);
  if (U_FAILURE(status)) return Error(ErrorKind::internal);
  if (composed) return {};
  // The result is written behind the source and then takes its place.
  const std::size_t room = size * kMaxNfcGrowth;
  text.resize(from + size + room);
  icu::CheckedArrayByteSink sink(text.data() + from + size, static_cast<std::int32_t>(room));
  nfc->normalizeUTF8(0, {text.data() + from, static_cast<std::int32_t>(size)}, sink, nullptr,
                     status);
  const auto written = static_cast<std::size_t>(sink.NumberOfBytesWritten());
  const bool good = U_SUCCESS(status) && !sink.Overflowed();
  if (good) std::memmove(text.data() + from, text.data() + from + size, written);
  const std::size_t end = from + (good ? written : size);
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(text.data() + end), text.size() - end));
  text.resize(end);
  if (!good) return Error(ErrorKind::internal);
  return {};
}

Status append_ascii_domain(std::string_view utf8, std::string& out) {
  if (utf8.size() > kMaxIcuInput) return Error(ErrorKind::malformed);
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<icu::IDNA> idna(
      icu::IDNA::createUTS46Instance(UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI |
                                         UIDNA_CHECK_CONTEXTJ | UIDNA_NONTRANSITIONAL_TO_ASCII,
                                     status));
  if (U_FAILURE(status)) return Error(ErrorKind::internal);
  std::array<char, 255> name{};  // of a domain name with its dots, RFC 1035 2.3.4
  icu::CheckedArrayByteSink sink(name.data(), static_cast<std::int32_t>(name.size()));
  icu::IDNAInfo info;
  idna->nameToASCII_UTF8(piece(utf8), sink, info, status);
  Status result;
  if (U_FAILURE(status)) {
    result = Error(ErrorKind::internal);
  } else if (info.hasErrors() || sink.Overflowed()) {
    result = Error(ErrorKind::malformed);
  } else {
    out.append(name.data(), static_cast<std::size_t>(sink.NumberOfBytesWritten()));
  }
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(name.data()), name.size()));
  return result;
}

bool is_invisible(char32_t point) noexcept {
  return point == 0x00AD || point == 0x061C || point == 0x180E ||
         (point >= 0x200B && point <= 0x200F) || (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2060 && point <= 0x2064) || (point >= 0x2066 && point <= 0x206F) ||
         point == 0xFEFF;
}

bool is_white_space(char32_t point) noexcept {
  return point == 0x20 || (point >= 0x09 && point <= 0x0D) || point == 0x85 || point == 0xA0 ||
         point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028 ||
         point == 0x2029 || point == 0x202F || point == 0x205F || point == 0x3000;
}

bool is_dash(char32_t point) noexcept {
  return (point >= 0x2010 && point <= 0x2015) || point == 0x2212;
}

bool is_control(char32_t point) noexcept {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F);
}

}  // namespace paravent::crypto
