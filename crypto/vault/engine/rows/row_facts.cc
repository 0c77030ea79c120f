#include "crypto/vault/engine/rows/row_facts.h"

namespace paravent::crypto::vault {

std::string_view row_facts(std::string_view row, std::string& scratch) {
  constexpr std::uint8_t kTokenRowSchema = 1;
  constexpr std::string_view kDamaged("\0", 1);
  scratch.clear();
  switch (row_schema(as_bytes(row))) {
    case kTokenRowSchema: {
      const std::size_t size = clear_part_size(row);
      return size == 0 ? kDamaged : row.substr(0, size);
    }
    case kBoundRowSchema:
      return join_bound_facts(row, scratch) ? std::string_view(scratch) : kDamaged;
    default:
      return row;
  }
}

}  // namespace paravent::crypto::vault
