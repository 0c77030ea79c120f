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
      return normalise_address(value, out);
    case Kind::birth_date:
      return normalise_birth_date(value, options.region, out);
    case Kind::iban:
      return normalise_iban(value, out);
    case Kind::card:
      return normalise_card(value, out);
    case Kind::nir:
      return normalise_nir(value, out);
    case Kind::siren:
      return normalise_siren(value, out);
    case Kind::siret:
      return normalise_siret(value, out);
    case Kind::gps:
      return normalise_gps(value, out);
    case Kind::user_agent:
      return normalise_user_agent(value, out);
    case Kind::url:
      return normalise_url(value, out);
  }
  return Error(ErrorKind::usage);
}

// Rises when a value gets another normal form than before; that a value is accepted which was
// refused, or the other way round, changes no token that exists.
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
