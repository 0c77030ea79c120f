// RowFacts: of a stored row what a look-up decides by, without the sealed values: a fifth of its
// bytes, so that five times as many fit into memory. Never stored.
//
//   schema 1  the row's clear part (token_row.h)
//   schema 2  the row's first 8 bytes and each copy's clear bytes (bound_row.h)
//   damaged   one byte 0
// Bytes of any other schema are handed on as they are, and their reader says so.

#pragma once

#include <string>
#include <string_view>

#include "crypto/vault/engine/rows/bound_row.h"
#include "crypto/vault/engine/rows/token_row.h"

namespace paravent::crypto::vault {

// `scratch` holds them where they are no piece of the row. A row whose sizes contradict each other
// is damaged; what is wrong inside of the facts their decoder finds.
std::string_view row_facts(std::string_view row, std::string& scratch);

}  // namespace paravent::crypto::vault
