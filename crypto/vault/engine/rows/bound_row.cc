#include "crypto/vault/engine/rows/bound_row.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "crypto/primitives/sha256.h"
#include "crypto/tokens/frame.h"
#include "crypto/vault/engine/base/byte_reader.h"
#include "crypto/vault/engine/rows/token_row.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::uint8_t kInRelationship = 2;
constexpr std::size_t kCopyClearSize = 16 + 4 + 4 + 8;

void append_head(std::string& out, const BoundRow& row) {
  append_u8(out, kBoundRowSchema);
  append_u32be(out, row.key_id);
  append_u8(out, static_cast<std::uint8_t>(row.kind));
  append_u8(out, row.in_relationship ? kInRelationship : std::uint8_t{0});
}

void append_clear(std::string& out, const BoundCopy& copy) {
  append_bytes(out, copy.purpose);
  append_u32be(out, copy.seal_key_id);
  append_u32be(out, copy.created_day);
  append_bytes(out, copy.mark);
}

bool is_sealed_size(std::size_t size) {
  constexpr std::size_t kOverhead = kNonceSize + kSubjectOverhead + kTagSize;
  return size > kOverhead && is_bucket(size - kOverhead);
}

}  // namespace

std::string encode_bound_row(const BoundRow& row) {
  std::string out;
  append_head(out, row);
  append_u8(out, static_cast<std::uint8_t>(row.copies.size()));
  for (const BoundCopy& copy : row.copies) {
    if (!is_sealed_size(copy.sealed.size())) std::abort();
    append_clear(out, copy);
    out.append(copy.sealed);
  }
  return out;
}

namespace {

constexpr std::size_t kHeadSize = 1 + 4 + 1 + 1 + 1;

// Copies with what is sealed in them, or without.
Result<BoundRow> decode(ByteView bytes, bool with_sealed) {
  ByteReader in(bytes);
  BoundRow row;
  const std::uint8_t schema = in.u8();
  row.key_id = in.u32();
  const auto kind = kind_from_number(in.u8());
  const std::uint8_t flags = in.u8();
  const std::size_t count = in.u8();
  if (in.failed() || schema != kBoundRowSchema || !kind ||
      (flags != 0 && flags != kInRelationship) || count == 0 || count > kMaxRowPurposes ||
      in.remaining() % count != 0 || in.remaining() / count < kCopyClearSize) {
    return Error(ErrorKind::malformed);
  }
  row.kind = *kind;
  row.in_relationship = flags != 0;
  const std::size_t sealed_size = in.remaining() / count - kCopyClearSize;
  if (with_sealed ? !is_sealed_size(sealed_size) : sealed_size != 0) {
    return Error(ErrorKind::malformed);
  }
  for (std::size_t i = 0; i < count; ++i) {
    BoundCopy copy{in.id(), in.u32(), in.u32(), {}, {}};
    const ByteView mark = in.take(copy.mark.size());
    std::copy(mark.begin(), mark.end(), copy.mark.begin());
    copy.sealed = as_text(in.take(sealed_size));
    if (i > 0 && row.copies.back().purpose >= copy.purpose) return Error(ErrorKind::malformed);
    row.copies.push_back(std::move(copy));
  }
  if (!in.done()) return Error(ErrorKind::malformed);
  return row;
}

}  // namespace

Result<BoundRow> decode_bound_row(ByteView bytes) { return decode(bytes, true); }
Result<BoundRow> decode_bound_facts(ByteView facts) { return decode(facts, false); }

bool join_bound_facts(std::string_view row, std::string& facts) {
  if (row.size() < kHeadSize) return false;
  const std::size_t count = static_cast<std::uint8_t>(row[kHeadSize - 1]);
  const std::size_t rest = row.size() - kHeadSize;
  if (count == 0 || rest % count != 0 || rest / count < kCopyClearSize ||
      !is_sealed_size(rest / count - kCopyClearSize)) {
    return false;
  }
  facts.assign(row.substr(0, kHeadSize));
  for (std::size_t i = 0; i < count; ++i) {
    facts.append(row.substr(kHeadSize + i * (rest / count), kCopyClearSize));
  }
  return true;
}

Result<std::uint32_t> token_key_id(ByteView row) {
  if (row_schema(row) == kBoundRowSchema) {
    const auto bound = decode_bound_row(row);
    if (!bound) return bound.error();
    return bound->key_id;
  }
  const auto view = decode_token_row(row);
  if (!view) return view.error();
  return view->row.key_id;
}

HandleMark handle_mark(const SubjectHandle& handle, const Id& token, const Id& purpose) {
  constexpr std::string_view kLabel = "paravent/v1/handle";
  const Sha256Digest digest =
      Sha256().update(as_bytes(kLabel)).update(handle).update(token).update(purpose).finish();
  HandleMark mark{};
  std::copy_n(digest.begin(), mark.size(), mark.begin());
  return mark;
}

const BoundCopy* copy_for(const BoundRow& row, const Id& purpose) {
  const auto it = std::find_if(row.copies.begin(), row.copies.end(),
                               [&](const BoundCopy& copy) { return copy.purpose == purpose; });
  return it == row.copies.end() ? nullptr : &*it;
}

BoundCopy* copy_for(BoundRow& row, const Id& purpose) {
  return const_cast<BoundCopy*>(copy_for(std::as_const(row), purpose));
}

BoundCopy* ensure_copy(BoundRow& row, const Id& purpose) {
  if (BoundCopy* copy = copy_for(row, purpose)) return copy;
  if (row.copies.size() == kMaxRowPurposes) return nullptr;
  const auto place = std::find_if(row.copies.begin(), row.copies.end(),
                                  [&](const BoundCopy& copy) { return copy.purpose > purpose; });
  return &*row.copies.insert(place, BoundCopy{purpose, 0, 0, {}, {}});
}

std::string copy_ad(std::string_view ctx, const Id& id, const BoundRow& row,
                    const BoundCopy& copy) {
  std::string ad(ctx);
  append_bytes(ad, id);
  append_head(ad, row);
  append_clear(ad, copy);
  return ad;
}

}  // namespace paravent::crypto::vault
