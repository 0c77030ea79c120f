// The context table as a file: what `paravent contexts` writes and `paravent open` reads, so that
// sealed values open on a machine that has neither store nor gateway. JSON, version 1, no secrets:
//
//   {"paravent-contexts":1,"installation":HEX,"contexts":[
//     {"key_id":"0011aabb","tenant":...,"domain":...,"purpose":...,"space":...,"scope":"person",
//      "epoch":"2026-03","algorithm":"sealed","kind":"text","recipient":HEX,"ctx":HEX}, ...]}
//
// `recipient` stands only at sealed values. `ctx` is the context string of docs/token-format.md,
// which is what opening needs; the names are for people.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/keys/algorithm.h"
#include "crypto/vault/engine/catalogue/context_table.h"

namespace paravent::proxy::main {

inline constexpr const char* kContextsFile = "contexts.json";  // in a data backup

std::string context_file_text(const crypto::vault::ContextTable& table);

struct FiledContext {
  crypto::Algorithm algorithm = crypto::Algorithm::sealed;
  std::string ctx;  // raw
  std::string tenant;
  std::string domain;
  std::string purpose;
  std::string space;
  std::string epoch;
  std::string kind;
};

// By key id. Members that this version does not know are passed over; those it knows must all be
// there, and no key id twice. ErrorKind::malformed without a sentence.
using ContextFile = std::map<std::uint32_t, FiledContext>;
crypto::Result<ContextFile> parse_context_file(std::string_view text);

}  // namespace paravent::proxy::main
