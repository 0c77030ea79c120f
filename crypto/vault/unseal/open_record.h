// What the providers with a record share: which of the two records is meant, and the sentences.
// Private to this room.

#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "crypto/base/result.h"
#include "crypto/vault/engine/root_check.h"
#include "crypto/vault/engine/root_key.h"
#include "crypto/vault/unseal/unseal_record.h"

namespace paravent::crypto::vault {

// The key check value of a root key under one record, before its installation has a name.
UnsealCheck unseal_check(const SecretBytes& key, const Id& set);

Error record_missing(const std::filesystem::path& keys_folder, UnsealMethod wanted);
Error record_of_other_method(UnsealMethod wanted, UnsealMethod found);
Error key_does_not_fit();

// The current record with this body; else the error to say.
template <typename Body>
Result<std::pair<Id, Body>> current_body(const std::filesystem::path& keys_folder,
                                         UnsealMethod wanted) {
  auto record = read_unseal_record(keys_folder, RecordPlace::current);
  if (!record) return record.error();
  if (!*record) return record_missing(keys_folder, wanted);
  auto* body = std::get_if<Body>(&(*record)->body);
  if (body == nullptr) return record_of_other_method(wanted, (*record)->method());
  return std::pair((*record)->set, std::move(*body));
}

// Tries the current record and, where it gives no key that fits the key store, the one that an
// interrupted change of root key left behind. The error is the first one's.
// attempt: Result<RootKey>(const Id& set, const Body& body).
template <typename Body, typename Attempt>
Result<RootKey> open_record(const std::filesystem::path& keys_folder, UnsealMethod wanted,
                            const RootCheck& check, Attempt attempt) {
  const auto current = current_body<Body>(keys_folder, wanted);
  Result<RootKey> root = Error(ErrorKind::data);
  if (current) {
    root = attempt(current->first, current->second);
    if (root && check.fits(*root)) return root;
    if (root) root = key_does_not_fit();
  } else {
    root = current.error();
  }
  const auto next = read_unseal_record(keys_folder, RecordPlace::next);
  if (next && *next) {
    if (const auto* body = std::get_if<Body>(&(*next)->body)) {
      auto other = attempt((*next)->set, *body);
      if (other && check.fits(*other)) return other;
    }
  }
  return root;
}

}  // namespace paravent::crypto::vault
