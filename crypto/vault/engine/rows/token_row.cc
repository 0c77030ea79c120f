#include "crypto/vault/engine/rows/token_row.h"

#include <algorithm>
#include <utility>

#include "crypto/tokens/frame.h"
#include "crypto/vault/engine/base/byte_reader.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::uint8_t kSchema = 1;
constexpr std::uint8_t kHasSubject = 1;
constexpr std::uint8_t kInRelationship = 2;
constexpr std::uint8_t kAllFlags = kHasSubject | kInRelationship;

std::uint8_t flags_of(const TokenRow& row) noexcept {
  return static_cast<std::uint8_t>((row.subject ? kHasSubject : 0U) |
                                   (row.in_relationship ? kInRelationship : 0U));
}

}  // namespace

Contact note_contact(TokenRow& row, const Id& purpose, std::uint32_t today) {
  auto it = std::lower_bound(row.purposes.begin(), row.purposes.end(), purpose,
                             [](const RowPurpose& p, const Id& id) { return p.id < id; });
  if (it != row.purposes.end() && it->id == purpose) {
    if (it->contact_day >= today) return Contact::nothing_new;
    it->contact_day = today;
    return Contact::new_day;
  }
  if (row.purposes.size() == kMaxRowPurposes) return Contact::nothing_new;
  row.purposes.insert(it, RowPurpose{purpose, today, today});
  return Contact::new_purpose;
}

std::uint32_t day_of(WallTime time) noexcept {
  const auto days = std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
  return days < 0 ? 0U : static_cast<std::uint32_t>(days);
}

WallTime time_of_day(std::uint32_t day) noexcept { return WallTime(std::chrono::days(day)); }

std::string encode_clear_part(const TokenRow& row) {
  std::string out;
  out.reserve(64 + row.purposes.size() * 24);
  append_u8(out, kSchema);
  append_u32be(out, row.key_id);
  append_u32be(out, row.seal_key_id);
  append_u8(out, static_cast<std::uint8_t>(row.kind));
  append_u8(out, flags_of(row));
  if (row.subject) append_bytes(out, *row.subject);
  append_u8(out, static_cast<std::uint8_t>(row.purposes.size()));
  for (const RowPurpose& purpose : row.purposes) {
    append_bytes(out, purpose.id);
    append_u32be(out, purpose.created_day);
    append_u32be(out, purpose.contact_day);
  }
  return out;
}

namespace {

// The clear part, from where `in` stands: all but the purposes, of which `note` is told.
template <typename Note>
Result<TokenRow> read_clear_part(ByteReader& in, Note note) {
  TokenRow row;
  const std::uint8_t schema = in.u8();
  row.key_id = in.u32();
  row.seal_key_id = in.u32();
  const auto kind = kind_from_number(in.u8());
  const std::uint8_t flags = in.u8();
  if (schema != kSchema || !kind || flags > kAllFlags) return Error(ErrorKind::malformed);
  row.kind = *kind;
  row.in_relationship = (flags & kInRelationship) != 0;
  if ((flags & kHasSubject) != 0) {
    const ByteView subject = in.take(32);
    row.subject.emplace();
    std::copy(subject.begin(), subject.end(), row.subject->begin());
  }
  const std::size_t purposes = in.u8();
  if (purposes == 0 || purposes > kMaxRowPurposes) return Error(ErrorKind::malformed);
  Id before{};
  for (std::size_t i = 0; i < purposes && !in.failed(); ++i) {
    const RowPurpose purpose{in.id(), in.u32(), in.u32()};
    if (purpose.contact_day < purpose.created_day || (i > 0 && before >= purpose.id)) {
      return Error(ErrorKind::malformed);
    }
    before = purpose.id;
    note(purpose, purposes);
  }
  if (in.failed()) return Error(ErrorKind::malformed);
  return row;
}

Result<TokenRow> read_whole_clear_part(ByteReader& in) {
  std::vector<RowPurpose> all;
  auto row = read_clear_part(in, [&](const RowPurpose& purpose, std::size_t count) {
    if (all.empty()) all.reserve(count);
    all.push_back(purpose);
  });
  if (row) row->purposes = std::move(all);
  return row;
}

}  // namespace

Result<TokenRowView> decode_token_row(ByteView bytes) {
  ByteReader in(bytes);
  auto row = read_whole_clear_part(in);
  if (!row) return row.error();
  TokenRowView view;
  view.row = std::move(*row);
  view.clear = bytes.first(bytes.size() - in.remaining());
  view.nonce = in.take(kNonceSize);
  view.sealed = in.take(in.remaining());
  if (!in.done() || view.sealed.size() <= kTagSize || !is_bucket(view.sealed.size() - kTagSize)) {
    return Error(ErrorKind::malformed);
  }
  return view;
}

Result<TokenRow> decode_token_facts(ByteView facts) {
  ByteReader in(facts);
  auto row = read_whole_clear_part(in);
  if (row && !in.done()) return Error(ErrorKind::malformed);
  return row;
}

Result<ContactFacts> read_contact(ByteView facts, const Id& purpose, std::uint32_t today) {
  ByteReader in(facts);
  ContactFacts out;
  const auto row = read_clear_part(in, [&](const RowPurpose& one, std::size_t count) {
    if (one.id == purpose) {
      out.contact = one.contact_day >= today ? Contact::nothing_new : Contact::new_day;
    } else if (count == kMaxRowPurposes && out.contact == Contact::new_purpose) {
      out.contact = Contact::nothing_new;  // there is no room for it
    }
  });
  if (!row || !in.done()) return Error(ErrorKind::malformed);
  out.key_id = row->key_id;
  out.seal_key_id = row->seal_key_id;
  return out;
}

std::size_t clear_part_size(std::string_view row) noexcept {
  constexpr std::size_t kFlagsAt = 10;
  constexpr std::size_t kPurpose = sizeof(Id) + 2 * sizeof(std::uint32_t);
  if (row.size() <= kFlagsAt) return 0;
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(row[i]); };
  const std::size_t count_at =
      kFlagsAt + 1 + ((at(kFlagsAt) & kHasSubject) != 0 ? sizeof(SubjectReference) : 0U);
  if (row.size() <= count_at) return 0;
  const std::size_t clear = count_at + 1 + at(count_at) * kPurpose;
  const std::size_t rest = row.size() - std::min(row.size(), clear);
  constexpr std::size_t kOverhead = kNonceSize + kTagSize;
  return rest > kOverhead && is_bucket(rest - kOverhead) ? clear : 0;
}

std::string row_ad(std::string_view ctx, const Id& id, std::string_view clear) {
  std::string ad;
  ad.reserve(ctx.size() + id.size() + clear.size());
  ad.append(ctx);
  append_bytes(ad, id);
  ad.append(clear);
  return ad;
}

}  // namespace paravent::crypto::vault
