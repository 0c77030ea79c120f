// Proofs, lists of checkpoints, witnesses' keys and answers: whatever is accepted has one spelling,
// and nothing verifies that nobody signed.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "crypto/audit/cosignature.h"
#include "crypto/audit/log_proof.h"

namespace {

namespace audit = paravent::crypto::audit;

void require(bool law) {
  if (!law) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = paravent::crypto::as_text({data, size});
  const audit::NoteKey nobody{"example.com/log", {}};
  if (const auto proof = audit::parse_inclusion_proof(text)) {
    require(audit::inclusion_proof_text(*proof) == text);
    require(!audit::verify_inclusion_proof(*proof, nobody).has_value());
  }
  if (const auto proof = audit::parse_consistency_proof(text)) {
    require(audit::consistency_proof_text(*proof) == text);
    require(!audit::verify_consistency_proof(*proof, proof->checkpoint, nobody).has_value());
  }
  if (const auto notes = audit::split_checkpoints(text)) {
    std::string joined;
    for (const std::string& note : *notes) joined += note;
    require(!notes->empty() && joined == text);
  }
  if (const auto key = audit::parse_witness_key(text)) require(key->text() == text);
  if (const auto note = audit::parse_signed_note(text)) {
    const audit::WitnessKey witness{note->signatures.front().name, {}};
    require(!audit::verify_cosignature(*note, witness).has_value());
    require(audit::take_cosignatures(text, text, {witness}).empty());
  }
  return 0;
}
