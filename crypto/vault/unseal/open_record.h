// What the providers with a record share: the body of the record in force, and the sentences.
// Private to this room.

#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "crypto/base/result.h"
#include "crypto/vault/engine/keys/root_check.h"
#include "crypto/vault/engine/keys/root_key.h"
#include "crypto/vault/unseal/unseal_record.h"

namespace paravent::crypto::vault {

// The key check value of a root key under one record, before its installation has a name.
UnsealCheck unseal_check(const SecretBytes& key, const Id& set);

Error record_missing(const std::filesystem::path& keys_folder, UnsealMethod wanted);
Error record_of_other_method(UnsealMethod wanted, UnsealMethod found);
Error key_does_not_fit();

// The body of the record in force; else the error to say.
template <typename Body>
Result<std::pair<Id, Body>> body_in_force(const std::filesystem::path& keys_folder,
                                          UnsealMethod wanted, const RootCheck& check) {
  auto record = record_in_force(keys_folder, check);
  if (!record) return record.error();
  if (!*record) return record_missing(keys_folder, wanted);
  auto* body = std::get_if<Body>(&(*record)->body);
  if (body == nullptr) return record_of_other_method(wanted, (*record)->method());
  return std::pair((*record)->set, std::move(*body));
}

// attempt: Result<RootKey>(const Id& set, const Body& body).
template <typename Body, typename Attempt>
Result<RootKey> open_record(const std::filesystem::path& keys_folder, UnsealMethod wanted,
                            const RootCheck& check, Attempt attempt) {
  const auto body = body_in_force<Body>(keys_folder, wanted, check);
  if (!body) return body.error();
  Result<RootKey> root = attempt(body->first, body->second);
  if (root && !check.fits(*root)) return key_does_not_fit();
  return root;
}

}  // namespace paravent::crypto::vault
