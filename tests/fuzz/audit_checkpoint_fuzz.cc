// Signed notes, checkpoints and verifier keys: whatever is accepted has one spelling.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "crypto/audit/checkpoint.h"

namespace {

namespace audit = paravent::crypto::audit;

void require(bool law) {
  if (!law) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = paravent::crypto::as_text({data, size});
  if (const auto note = audit::parse_signed_note(text)) {
    require(!note->signatures.empty() && note->text.ends_with('\n'));
    const audit::NoteKey key{note->signatures.front().name, {}};
    require(audit::valid_note_name(key.name));
    // Nobody has the private half of this key.
    require(!audit::open_checkpoint(text, key).has_value());
    if (const auto checkpoint = audit::parse_checkpoint_text(note->text)) {
      require(checkpoint->text() == note->text);
    }
  }
  if (const auto checkpoint = audit::parse_checkpoint_text(text)) {
    require(checkpoint->text() == text);
  }
  if (const auto key = audit::parse_note_key(text)) require(key->text() == text);
  return 0;
}
