// A list of changes that parses has exactly one spelling; what a table makes of it can be written
// down as changes and read again, and nothing in it contradicts itself.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "crypto/vault/engine/subjects/subject_table.h"

namespace crypto = paravent::crypto;
namespace vault = paravent::crypto::vault;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

std::string dump(const vault::SubjectTable& table) {
  std::string text;
  table.for_each_change(
      [&](const vault::SubjectChange& change) { vault::append_subject_change(text, change); });
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const crypto::ByteView bytes(data, size);
  const auto changes = vault::decode_subject_changes(bytes);
  if (!changes) return 0;
  std::string again;
  vault::SubjectTable table;
  for (const vault::SubjectChange& change : *changes) {
    vault::append_subject_change(again, change);
    const bool fits = table.fits(std::span(&change, 1));
    must(table.apply(change).has_value() == fits);
  }
  must(again == crypto::as_text(bytes));

  const std::string written = dump(table);
  const auto read = vault::decode_subject_changes(crypto::as_bytes(written));
  must(read.has_value());
  vault::SubjectTable copy;
  for (const vault::SubjectChange& change : *read) must(copy.apply(change).has_value());
  must(copy.subjects() == table.subjects() && copy.keys() == table.keys());
  table.for_each([&](const vault::Subject& subject) {
    const vault::SubjectMade& made = subject.made;
    must(table.by_id(made.id) == &subject);
    must(table.by_reference(made.tenant, made.reference) == &subject);
    must(copy.by_id(made.id) != nullptr && copy.by_id(made.id)->restricted == subject.restricted);
    for (const vault::SubjectKey* key : table.keys_of(subject)) {
      must(table.by_handle(key->made.handle) == key);
      must(table.key_of(subject, key->made.purpose) == key);
      must(copy.by_handle(key->made.handle)->contact_day == key->contact_day);
    }
  });
  return 0;
}
