// Any bytes as a file of public keys: what is accepted is one key a line, each spelled exactly as
// the key itself is written, under the id that its name and bytes have.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "crypto/audit/verifier.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::crypto::audit;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto keys = parse_key_file(text);
  if (!keys) return 0;
  std::string written;
  for (const NoteKey& key : *keys) {
    if (!valid_note_name(key.name)) std::abort();
    written += key.text() + "\n";
    const auto again = parse_note_key(key.text());
    if (!again || *again != key || again->id() != key.id()) std::abort();
  }
  if (written != text && written != std::string(text) + "\n") std::abort();
  return 0;
}
