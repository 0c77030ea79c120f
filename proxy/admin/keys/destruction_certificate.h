// DestructionCertificate: a signed text that says which keys were destroyed, when, and from when on
// no backup can undo it. Anyone can verify it with the public key of the audit log that signed it
// (docs/vault.md is normative).
//
// A signed note (C2SP) by the signing key of the tenant's log, or the installation's. Its first
// line is not the log's origin, so it is never taken for a checkpoint. Pure functions.

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/audit/signed_note.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/catalogue/key_backups.h"
#include "crypto/vault/engine/upkeep/key_admin.h"

namespace paravent::proxy::admin {

inline constexpr std::string_view kCertificateTitle = "paravent certificate of destruction v1";

// What is signed. `key`: what was named; the rest went with it. `backups`: the key backups that
// there ever were; the statement about them is the later of the usual life of one (a copy of the
// folder may exist that no register knows) and of the last expiry among those made before, or later
// than `now`, by a clock that ran ahead.
std::string certificate_text(const crypto::vault::Destruction& destruction,
                             const crypto::vault::Id& key, std::string_view installation_hex,
                             const std::vector<crypto::vault::KeyBackupEntry>& backups,
                             crypto::WallTime now);

// One person, as the law calls it: by the keyed reference that the audit log uses too, with how
// many keys and vault tokens went. Never a name, never a value.
struct ErasedPerson {
  std::string tenant;
  crypto::vault::Id tenant_id{};
  crypto::vault::SubjectReference reference{};
  std::size_t keys = 0;
  std::size_t tokens = 0;
  crypto::WallTime at{};
};
std::string person_certificate_text(const ErasedPerson& person, std::string_view installation_hex,
                                    const std::vector<crypto::vault::KeyBackupEntry>& backups);

// Its lines, in order, as name and value. ErrorKind::verification: not signed by this key;
// malformed: signed, and no certificate.
using CertificateLines = std::vector<std::pair<std::string, std::string>>;
crypto::Result<CertificateLines> verify_certificate(std::string_view note,
                                                    const crypto::audit::NoteKey& key);

}  // namespace paravent::proxy::admin
