#include "crypto/vault/engine/rows/token_row.h"

#include "crypto/keys/key_use.h"
#include "crypto/tokens/frame.h"
#include "crypto/vault/engine/rows/row_facts.h"
#include "crypto/vault/engine/rows/row_sealer.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

ProtectionKey row_key() {
  ContextRow row;
  row.key_id = 77;
  row.tenant_id = std::string(16, 't');
  row.domain_id = std::string(16, 'd');
  row.purpose_id = std::string(16, 'p');
  row.space_id = std::string(16, 's');
  row.algorithm = Algorithm::vault_row;
  const SecretBytes parent(kParentKeySize);
  auto key = make_protection_key(row, parent.bytes()).value();
  key.nonce_key = derive_use_key(parent.bytes(), KeyUse::enc_nonce, key.ctx);
  return key;
}

TokenRow example() {
  TokenRow row;
  row.key_id = 5;
  row.seal_key_id = 77;
  row.kind = Kind::email;
  row.purposes = {{Id{1}, 100, 100}, {Id{2}, 100, 120}};
  return row;
}

TEST(TokenRow, NotesContacts) {
  TokenRow row = example();
  EXPECT_EQ(note_contact(row, Id{1}, 100), Contact::nothing_new);
  EXPECT_EQ(note_contact(row, Id{1}, 99), Contact::nothing_new);  // a clock that went back
  EXPECT_EQ(note_contact(row, Id{1}, 101), Contact::new_day);
  EXPECT_EQ(note_contact(row, Id{1}, 101), Contact::nothing_new);
  EXPECT_EQ(note_contact(row, Id{1, 1}, 102), Contact::new_purpose);
  ASSERT_EQ(row.purposes.size(), 3U);
  EXPECT_EQ(row.purposes[1], (RowPurpose{Id{1, 1}, 102, 102}));
  EXPECT_EQ(row.purposes[0], (RowPurpose{Id{1}, 100, 101}));
}

TEST(TokenRow, PurposesAreBounded) {
  TokenRow row = example();
  for (std::uint8_t i = 0; i < 200; ++i) note_contact(row, Id{9, i}, 100);
  EXPECT_EQ(row.purposes.size(), kMaxRowPurposes);
}

// What a look-up reads of the facts, without a row, is what noting the use would have said.
TEST(TokenRow, AContactReadFromItsFactsIsTheOneThatWouldBeNoted) {
  TokenRow row;
  row.key_id = 5;
  row.seal_key_id = 77;
  row.kind = Kind::email;
  for (std::uint8_t count = 1; count <= kMaxRowPurposes; ++count) {
    row.purposes.push_back({Id{count}, 100, std::uint32_t{100} + count % 3});
    const std::string facts = encode_clear_part(row);
    for (const int number : {0, 1, 2, count / 2 + 1, count + 0, count + 1, 200}) {
      const auto purpose = static_cast<std::uint8_t>(number);
      for (std::uint32_t today = 99; today <= 103; ++today) {
        TokenRow noted = row;
        const auto read = read_contact(as_bytes(facts), Id{purpose}, today);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->key_id, 5U);
        EXPECT_EQ(read->seal_key_id, 77U);
        EXPECT_EQ(read->contact, note_contact(noted, Id{purpose}, today))
            << int{count} << ' ' << int{purpose} << ' ' << today;
      }
    }
  }
}

TEST(TokenRow, SealsAndOpens) {
  const ProtectionKey key = row_key();
  RowSealer sealer;
  for (const bool with_subject : {false, true}) {
    TokenRow row = example();
    if (with_subject) row.subject = SubjectReference{3};
    const auto bytes = sealer.seal(row, Id{4}, key, "jeanne@example.org");
    ASSERT_TRUE(bytes);
    EXPECT_EQ(bytes->find("jeanne@example"), std::string::npos);
    const auto view = decode_token_row(as_bytes(*bytes));
    ASSERT_TRUE(view);
    EXPECT_EQ(view->row.subject, row.subject);
    EXPECT_EQ(view->row.purposes, row.purposes);
    const auto value = open_row(*view, Id{4}, key);
    ASSERT_TRUE(value);
    EXPECT_EQ(as_text(value->bytes()), "jeanne@example.org");
    EXPECT_FALSE(open_row(*view, Id{5}, key));  // moved to another id
  }
}

TEST(TokenRow, TheRelationshipIsSealedWithTheValue) {
  const ProtectionKey key = row_key();
  RowSealer sealer;
  TokenRow row = example();
  row.in_relationship = true;
  ScopeId relationship{};
  relationship.fill('R');
  const auto bytes = sealer.seal(row, Id{4}, key, "jeanne@example.org", relationship).value();
  EXPECT_EQ(bytes.find("RRRRRRRRRR"), std::string::npos);
  const auto view = decode_token_row(as_bytes(bytes)).value();
  EXPECT_TRUE(view.row.in_relationship);
  const auto content = open_row_content(view, Id{4}, key);
  ASSERT_TRUE(content);
  EXPECT_EQ(as_text(content->value.bytes()), "jeanne@example.org");
  EXPECT_EQ(content->relationship, relationship);
  EXPECT_EQ(as_text(open_row(view, Id{4}, key)->bytes()), "jeanne@example.org");
}

TEST(TokenRow, EveryAlteredBitAndEveryTruncationFails) {
  const ProtectionKey key = row_key();
  RowSealer sealer;
  TokenRow row = example();
  row.subject = SubjectReference{3};
  const std::string bytes = sealer.seal(row, Id{4}, key, "jeanne@example.org").value();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string copy = bytes;
    copy[bit / 8] = static_cast<char>(copy[bit / 8] ^ (1 << (bit % 8)));
    const auto view = decode_token_row(as_bytes(copy));
    if (!view) continue;
    EXPECT_FALSE(open_row(*view, Id{4}, key)) << bit;
  }
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    // A cut at another bucket still has the form of a row; it does not open.
    const auto view = decode_token_row(as_bytes(std::string_view(bytes).substr(0, size)));
    if (!view) continue;
    EXPECT_FALSE(open_row(*view, Id{4}, key)) << size;
  }
}

// What memory keeps of a row says the same as the row, or nothing where the row says nothing.
TEST(TokenRow, ItsFactsDecodeExactlyWhenItDoes) {
  const ProtectionKey key = row_key();
  RowSealer sealer;
  TokenRow row = example();
  row.subject = SubjectReference{3};
  const std::string bytes = sealer.seal(row, Id{4}, key, "jeanne@example.org").value();
  std::string scratch;
  const auto facts = [&](std::string_view of) {
    auto decoded = decode_token_facts(as_bytes(row_facts(of, scratch)));
    EXPECT_EQ(read_contact(as_bytes(row_facts(of, scratch)), Id{1}, 100).has_value(),
              decoded.has_value());
    return decoded;
  };
  ASSERT_TRUE(facts(bytes));
  EXPECT_EQ(encode_clear_part(*facts(bytes)), encode_clear_part(row));
  EXPECT_LT(row_facts(bytes, scratch).size(), bytes.size() / 2);
  // Facts alone are no row, and no row is its own facts.
  EXPECT_FALSE(facts(row_facts(bytes, scratch)));
  EXPECT_FALSE(decode_token_facts(as_bytes(bytes)));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string_view cut = std::string_view(bytes).substr(0, size);
    EXPECT_EQ(facts(cut).has_value(), decode_token_row(as_bytes(cut)).has_value()) << size;
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string copy = bytes;
    copy[bit / 8] = static_cast<char>(copy[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(facts(copy).has_value(), decode_token_row(as_bytes(copy)).has_value()) << bit;
  }
}

TEST(TokenRow, FactsOfABoundRowAreItsClearBytes) {
  BoundRow row{7, Kind::email, false, {}};
  for (std::uint8_t i = 1; i <= 3; ++i) {
    const std::size_t sealed =
        kNonceSize + kSubjectOverhead + bucket_for(Kind::email, 20) + kTagSize;
    row.copies.push_back({Id{i}, 100U + i, 20'000, HandleMark{i}, std::string(sealed, 's')});
  }
  const std::string bytes = encode_bound_row(row);
  std::string scratch;
  const auto facts = [&](std::string_view of) {
    return decode_bound_facts(as_bytes(row_facts(of, scratch)));
  };
  const auto read = facts(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(row_facts(bytes, scratch).size(), 8 + 3 * 32U);
  EXPECT_EQ(read->key_id, row.key_id);
  ASSERT_EQ(read->copies.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(read->copies[i].purpose, row.copies[i].purpose);
    EXPECT_EQ(read->copies[i].seal_key_id, row.copies[i].seal_key_id);
    EXPECT_EQ(read->copies[i].mark, row.copies[i].mark);
    EXPECT_TRUE(read->copies[i].sealed.empty());
  }
  EXPECT_FALSE(decode_bound_row(as_bytes(row_facts(bytes, scratch))));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string_view cut = std::string_view(bytes).substr(0, size);
    EXPECT_EQ(facts(cut).has_value(), decode_bound_row(as_bytes(cut)).has_value()) << size;
  }
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string copy = bytes;
    copy[bit / 8] = static_cast<char>(copy[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_EQ(facts(copy).has_value(), decode_bound_row(as_bytes(copy)).has_value()) << bit;
  }
}

TEST(TokenRow, EqualRowsNeverLookEqual) {
  const ProtectionKey key = row_key();
  RowSealer sealer;
  EXPECT_NE(sealer.seal(example(), Id{4}, key, "a@b.fr").value(),
            sealer.seal(example(), Id{4}, key, "a@b.fr").value());
}

TEST(TokenRow, DaysAreUtc) {
  const WallTime evening{std::chrono::sys_days{std::chrono::year{2026} / 3 / 15} +
                         std::chrono::hours(23)};
  EXPECT_EQ(time_of_day(day_of(evening)), evening - std::chrono::hours(23));
  EXPECT_EQ(day_of(WallTime(std::chrono::milliseconds(-5))), 0U);
}

}  // namespace
}  // namespace paravent::crypto::vault
