// A stored token row that decodes has exactly one spelling, and noting a contact keeps it well
// formed. Of rows of both schemas, what is kept in memory decodes exactly when the row does, and
// says of a contact what noting it would.

#include <cstdint>
#include <cstdlib>

#include "crypto/vault/engine/rows/row_facts.h"

namespace crypto = paravent::crypto;
namespace vault = paravent::crypto::vault;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const crypto::ByteView bytes(data, size);
  std::string scratch;
  const std::string_view facts = vault::row_facts(crypto::as_text(bytes), scratch);
  auto view = vault::decode_token_row(bytes);
  if (view.has_value() != vault::decode_token_facts(crypto::as_bytes(facts)).has_value()) {
    std::abort();
  }
  if (vault::decode_bound_row(bytes).has_value() !=
      vault::decode_bound_facts(crypto::as_bytes(facts)).has_value()) {
    std::abort();
  }
  const auto contact = vault::read_contact(crypto::as_bytes(facts), vault::Id{1}, 20000);
  if (view.has_value() != contact.has_value()) std::abort();
  if (!view) return 0;
  const std::string clear = vault::encode_clear_part(view->row);
  if (clear != crypto::as_text(view->clear) || clear != facts) std::abort();
  if (clear.size() + view->nonce.size() + view->sealed.size() != size) std::abort();

  if (vault::note_contact(view->row, vault::Id{1}, 20000) != contact->contact) std::abort();
  std::string changed = vault::encode_clear_part(view->row);
  crypto::append_bytes(changed, view->nonce);
  crypto::append_bytes(changed, view->sealed);
  if (!vault::decode_token_row(crypto::as_bytes(changed))) std::abort();
  return 0;
}
