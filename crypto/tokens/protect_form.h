// ProtectForm: everything but the value that decides what a protected value looks like. Made once
// from the policy's rule; only scope_id changes from request to request. A plain value.

#pragma once

#include <cstdint>

#include "crypto/keys/scope.h"
#include "crypto/tokens/kind.h"
#include "crypto/tokens/shape.h"

namespace paravent::crypto {

struct SubjectSeal;

struct ProtectForm {
  Kind kind = Kind::text;
  // Pseudonyms: none, email (the bare token: the caller completes it) or a shape that is drawn
  // (shape_text.h). Addresses: none or ip. Format-preserving: preserve. Everything else: none.
  Shape shape = Shape::none;
  std::uint8_t length = 0;  // of the shape; 0: the shape's own
  std::uint8_t bits = 0;    // pseudonyms of no shape: how many bits are kept, 1 to 159; 0: all 160
  // Pseudonyms only: which relationship or request; taken into account unless scope is person.
  ScopeId scope_id{};
  Scope scope = Scope::person;
  // Encrypted values bound to a subject only, and those always: whose.
  const SubjectSeal* subject = nullptr;
};

// Nothing but a kind: what an algorithm without choices requires.
inline bool is_plain(const ProtectForm& form) noexcept {
  return form.shape == Shape::none && form.length == 0 && form.bits == 0 &&
         form.scope == Scope::person && form.subject == nullptr;
}

}  // namespace paravent::crypto
