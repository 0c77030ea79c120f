#include "crypto/keys/context_row.h"

#include <array>
#include <cstdlib>

namespace paravent::crypto {
namespace {

constexpr std::string_view kContextMagic = "PVT1";
constexpr std::uint8_t kRowVersion = 1;

// The identifiers in the order of both encodings.
template <typename Row>
auto identifiers(Row& row) {
  return std::array{&row.tenant_id, &row.domain_id, &row.purpose_id, &row.space_id, &row.scope_id};
}

void append_identifiers(std::string& out, const ContextRow& row) {
  for (const std::string* id : identifiers(row)) {
    if (id->size() > kContextIdMaxSize) std::abort();
    append_lp(out, *id);
  }
}

// Reads big-endian fields off the front; once something is missing, every later read gives zero and
// `good` stays false.
struct Reader {
  ByteView rest;
  bool good = true;

  ByteView take(std::size_t size) {
    if (size > rest.size()) {
      good = false;
      rest = {};
      return {};
    }
    const ByteView taken = rest.first(size);
    rest = rest.subspan(size);
    return taken;
  }

  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : take(size)) value = (value << 8U) | byte;
    return value;
  }
};

}  // namespace

std::string context_string(const ContextRow& row) {
  std::string out;
  out.reserve(kContextMagic.size() + 7 + 5 * (2 + kContextIdSize));
  out.append(kContextMagic);
  append_u8(out, static_cast<std::uint8_t>(row.algorithm));
  append_identifiers(out, row);
  append_u32be(out, row.key_version);
  append_u16be(out, row.normaliser_id);
  return out;
}

// u8 version | u8 alg | u32be key_id | u32be key_version | u16be normaliser_id | u8 epoch length |
// u32be epoch index | LP(tenant) | LP(domain) | LP(purpose) | LP(space) | LP(scope)
std::string encode_context_row(const ContextRow& row) {
  std::string out;
  append_u8(out, kRowVersion);
  append_u8(out, static_cast<std::uint8_t>(row.algorithm));
  append_u32be(out, row.key_id);
  append_u32be(out, row.key_version);
  append_u16be(out, row.normaliser_id);
  append_u8(out, static_cast<std::uint8_t>(row.epoch.length));
  append_u32be(out, static_cast<std::uint32_t>(row.epoch.index));
  append_identifiers(out, row);
  return out;
}

Result<ContextRow> decode_context_row(ByteView bytes) {
  Reader reader{bytes};
  if (reader.number(1) != kRowVersion) return Error(ErrorKind::malformed);
  const auto algorithm = algorithm_from(static_cast<std::uint8_t>(reader.number(1)));
  if (!algorithm) return Error(ErrorKind::malformed);
  ContextRow row;
  row.algorithm = *algorithm;
  row.key_id = reader.number(4);
  row.key_version = reader.number(4);
  row.normaliser_id = static_cast<std::uint16_t>(reader.number(2));
  row.epoch.length = static_cast<EpochLength>(reader.number(1));
  row.epoch.index = static_cast<std::int32_t>(reader.number(4));
  for (std::string* id : identifiers(row)) {
    const std::size_t size = reader.number(2);
    if (size > kContextIdMaxSize) return Error(ErrorKind::malformed);
    *id = as_text(reader.take(size));
  }
  if (!reader.good || !reader.rest.empty() || row.tenant_id.empty() || !epoch_valid(row.epoch)) {
    return Error(ErrorKind::malformed);
  }
  return row;
}

}  // namespace paravent::crypto
