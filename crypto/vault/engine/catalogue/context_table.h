// ContextTable: every context row of an installation with its names, and no key: what whoever
// holds a recipient's private key needs beside it to open sealed values without store or gateway.
//
// Read from the key store's file, which is replaced whole, so it needs no lock and works beside a
// running gateway. Plain data.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/keys/context_row.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/catalogue/names.h"
#include "crypto/vault/engine/keys/key_record.h"
#include "crypto/vault/engine/keys/root_key.h"

namespace paravent::crypto::vault {

struct NamedContext {
  ContextRow row;
  std::string tenant;
  std::string domain;
  std::string purpose;  // empty for vault tokens
  std::string space;
  Id recipient{};  // of sealed values: the id of the key that opens them; else kNoId
};

NamedContext named_context(const NameRegistry& names, ContextRecord record);

struct ContextTable {
  Id installation{};
  std::vector<NamedContext> contexts;  // by key id
};

// `data`: the data directory. The root key authenticates the file; nothing is decrypted.
// ErrorKind::data: as FileKeyStore::open, or a record that does not parse.
Result<ContextTable> read_context_table(const std::filesystem::path& data, const RootKey& root);

}  // namespace paravent::crypto::vault
