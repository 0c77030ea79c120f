#include "crypto/tokens/normaliser.h"

#include "crypto/base/bytes.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/normaliser_rules.h"

namespace paravent::crypto {
namespace {

Status dispatch(Kind kind, std::string_view value, const NormaliserOptions& options,
                std::string& out) {
  switch (kind) {
    case Kind::text:
      return normalise_text(value, out);
    case Kind::name:
      return normalise_name(value, out);
    case Kind::email:
      return normalise_email(value, out);
    case Kind::phone:
      return normalise_phone(value, options.region, out);
    case Kind::ip:
      return normalise_ip(value, out);
    case Kind::address:
    case Kind::birth_date:
    case Kind::iban:
    case Kind::card:
    case Kind::nir:
    case Kind::siren:
    case Kind::siret:
    case Kind::gps:
    case Kind::user_agent:
    case Kind::url:
      break;
  }
  return Error(ErrorKind::usage);
}

constexpr std::uint16_t rules_version(Kind) noexcept { return 1; }

constexpr bool ascii_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

}  // namespace

Status normalise(Kind kind, std::string_view value, const NormaliserOptions& options,
                 std::string& out) {
  const std::size_t start = out.size();
  Status status = dispatch(kind, value, options, out);
  if (status && out.size() == start) status = Error(ErrorKind::malformed);
  if (!status) {
    // The part that was written is clear data too.
    wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(out.data() + start), out.size() - start));
    out.resize(start);
  }
  return status;
}

std::uint16_t normaliser_id(Kind kind) noexcept {
  return static_cast<std::uint16_t>(static_cast<std::uint16_t>(kind) * 256U + rules_version(kind));
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && ascii_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && ascii_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace paravent::crypto
