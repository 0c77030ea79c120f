// UnsealProvider: one way to come by the root key. There are five: a key file, a systemd
// credential, a pass-phrase, a key in a PKCS#11 token, and k of n shares.
//
// A provider neither makes nor chooses keys of the tree; it turns what it is given into one
// RootKey, or keeps a RootKey so that it can do so later (establish). Whatever it keeps lies in
// DATA/keys beside the key store (unseal_record.h), is no secret by itself, and is checked before
// anything is decrypted. Owned by one thread at a time; may block on a disk, on a token, or for the
// second that Argon2id takes. Sentences of errors name files, labels and what to do; never a
// secret, and never which of several secrets was wrong.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/engine/keys/root_check.h"
#include "crypto/vault/engine/keys/root_key.h"
#include "crypto/vault/unseal/unseal_record.h"

namespace paravent::crypto::vault {

// How many secrets of people are there and how many are needed before the root key is.
struct UnsealProgress {
  std::uint32_t given = 0;
  std::uint32_t needed = 0;
};

// What establish() hands out once and keeps nowhere: the shares, for people to keep.
using Handouts = std::vector<SecretBytes>;

class UnsealProvider {
 public:
  virtual ~UnsealProvider() = default;

  virtual UnsealMethod method() const noexcept = 0;

  // The root key, as far as nobody has to be asked for it; nullopt when a person has to give
  // something first (give). `check`: what the key store says of its root key; a key that does not
  // fit it is ErrorKind::data.
  // ErrorKind::data: what it needs is missing, altered or foreign; the PIN is wrong or locked; the
  // token or its key is not there. configuration: the module cannot be loaded.
  virtual Result<std::optional<RootKey>> open(const RootCheck& check) = 0;

  // One secret of a person: the pass-phrase, a PIN, a share. The root key once it is complete.
  // ErrorKind::refused: it is not the right one (for shares: they do not make the key; all are
  // forgotten); malformed: it has not the form of one, and nothing is forgotten.
  virtual Result<std::optional<RootKey>> give(const SecretBytes& secret,
                                              const RootCheck& check) = 0;
  virtual UnsealProgress progress() const { return {}; }
  // Forgets what was given so far.
  virtual void forget() {}

  // Keeps `root`, of this installation, in such a way that this provider opens it again: durable
  // when it returns. `place` is `next` while another record is still in force (unseal_record.h).
  // ErrorKind::data: something is there already and is not overwritten.
  virtual Result<Handouts> establish(const RootKey& root, const Id& installation,
                                     RecordPlace place) = 0;

  // Whether what holds the root key is still there: false once a PKCS#11 token was pulled out.
  virtual bool present() { return true; }
  // Asked again and again after present() was false: whether it is back, and makes the same root
  // key. As far as nobody has to be asked; a PIN from a file that was refused is not tried again.
  virtual bool come_back(const RootCheck& /*check*/) { return true; }
};

}  // namespace paravent::crypto::vault
