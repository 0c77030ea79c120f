#include "crypto/tokens/unicode.h"

#include <unicode/bytestream.h>
#include <unicode/idna.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>

#include <cstdint>
#include <memory>

namespace paravent::crypto {
namespace {

icu::StringPiece piece(std::string_view text) {
  return {text.data(), static_cast<std::int32_t>(text.size())};
}

// ICU counts in 32 bits; values are far below, but the limit belongs here.
constexpr std::size_t kMaxIcuInput = std::size_t{1} << 28U;

}  // namespace

Status append_nfc(std::string_view utf8, std::string& out) {
  if (utf8.size() > kMaxIcuInput) return Error(ErrorKind::malformed);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  if (U_FAILURE(status)) return Error(ErrorKind::internal);
  if (nfc->isNormalizedUTF8(piece(utf8), status) && U_SUCCESS(status)) {
    out.append(utf8);
    return {};
  }
  icu::StringByteSink<std::string> sink(&out);
  nfc->normalizeUTF8(0, piece(utf8), sink, nullptr, status);
  if (U_FAILURE(status)) return Error(ErrorKind::internal);
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
  icu::IDNAInfo info;
  icu::StringByteSink<std::string> sink(&out);
  idna->nameToASCII_UTF8(piece(utf8), sink, info, status);
  if (U_FAILURE(status)) return Error(ErrorKind::internal);
  if (info.hasErrors()) return Error(ErrorKind::malformed);
  return {};
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

bool is_control(char32_t point) noexcept {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F);
}

}  // namespace paravent::crypto
