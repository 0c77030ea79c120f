// Journals: whatever their bytes, what is read of them begins at a full tile, is no more than they
// hold, and comes out the same once more.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "crypto/audit/journal.h"
#include "crypto/tokens/crc32c.h"

namespace {

namespace audit = paravent::crypto::audit;
using paravent::crypto::as_bytes;
using paravent::crypto::ByteView;

void require(bool law) {
  if (!law) std::abort();
}

// Puts the right checksum behind a record that fits, so that the reader gets beyond it.
void mend(std::string& bytes, std::size_t at) {
  constexpr std::size_t kHead = 32;
  const auto number = [&](std::size_t where) -> std::size_t {
    return paravent::crypto::load_u32be(as_bytes(bytes).data() + where);
  };
  if (at + kHead + 12 > bytes.size()) return;
  const std::size_t entries_at = at + kHead + 4 + number(at + kHead);
  if (entries_at + 8 > bytes.size()) return;
  const std::size_t end = entries_at + 4 + number(entries_at);
  if (end + 4 > bytes.size()) return;
  std::string crc;
  paravent::crypto::append_u32be(
      crc, paravent::crypto::crc32c(as_bytes(std::string_view(bytes).substr(at, end - at))));
  bytes.replace(end, 4, crc);
}

void check(ByteView bytes) {
  const auto content = audit::parse_journal(bytes);
  if (!content) return;
  require(content->from % 256 == 0);
  require(content->entries.size() <= bytes.size() && content->checkpoint.size() <= bytes.size());
  const auto again = audit::parse_journal(bytes);
  require(again && again->entries == content->entries && again->size == content->size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({data, size});
  std::string bytes(paravent::crypto::as_text({data, size}));
  for (std::size_t at = 0; at < bytes.size(); at += audit::kJournalAlignment) mend(bytes, at);
  check(as_bytes(bytes));
  return 0;
}
