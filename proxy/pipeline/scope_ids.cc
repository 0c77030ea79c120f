#include "proxy/pipeline/scope_ids.h"

#include <algorithm>
#include <array>

#include "crypto/primitives/random.h"
#include "crypto/primitives/sha256.h"

namespace paravent::proxy {
namespace {

// It only ever is part of the message of a keyed hash, so that it need not be keyed itself.
crypto::ScopeId relationship_id(crypto::Kind kind, std::string_view normal_form) {
  constexpr std::string_view kLabel = "paravent/v1/relationship";
  const std::array<std::uint8_t, 2> kind_byte = {0, static_cast<std::uint8_t>(kind)};
  const crypto::Sha256Digest digest = crypto::Sha256()
                                          .update(crypto::as_bytes(kLabel))
                                          .update(kind_byte)
                                          .update(crypto::as_bytes(normal_form))
                                          .finish();
  crypto::ScopeId id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

}  // namespace

void note_delimiter(const policies::FieldAction& action, std::string_view normal_form,
                    ExchangeBuffers& buffers) {
  Delimiter& delimiter = buffers.delimiters[action.delimiter_index];
  const crypto::ScopeId id = relationship_id(action.kind, normal_form);
  if (delimiter.values == 0) {
    delimiter = {1, id};
  } else if (delimiter.id != id) {
    delimiter.values = 2;
  }
}

bool assign_scope(FieldJob& job, ExchangeBuffers& buffers) {
  switch (job.action->scope) {
    case crypto::Scope::person:
      return true;
    case crypto::Scope::request:
      if (!buffers.request_scope) {
        crypto::random_bytes(buffers.request_scope.emplace());
      }
      job.scope_id = *buffers.request_scope;
      return true;
    case crypto::Scope::relationship: {
      const policies::FieldAction* delimiting = job.action->relationship;
      if (delimiting == nullptr) return false;
      const Delimiter& delimiter = buffers.delimiters[delimiting->delimiter_index];
      job.scope_id = delimiter.id;
      return delimiter.values == 1;
    }
  }
  return false;
}

}  // namespace paravent::proxy
