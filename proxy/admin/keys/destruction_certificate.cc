#include "proxy/admin/keys/destruction_certificate.h"

#include <algorithm>

#include "crypto/base/encoding.h"
#include "crypto/primitives/sha256.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/admin/utc_text.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::vault::KeyInfo;

void line(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(name).append(" ");
  // Names come from policies; a control character must not begin a line of its own.
  for (const char c : value) out.push_back(static_cast<unsigned char>(c) < 0x20 ? '?' : c);
  out.append("\n");
}

// SHA-256 over the sorted list, so that a large tenant's certificate stays a page.
std::string list_digest(std::vector<std::string> items) {
  std::sort(items.begin(), items.end());
  std::string all;
  for (const std::string& item : items) all += item + "\n";
  return crypto::to_hex(crypto::sha256(crypto::as_bytes(all)));
}

std::string no_backup_after(const std::vector<crypto::vault::KeyBackupEntry>& backups,
                            crypto::WallTime at, crypto::WallTime now) {
  return utc_text(std::max(crypto::add_period(at, crypto::vault::kKeyBackupLife),
                           crypto::vault::no_key_backup_after(backups, at, now)));
}

}  // namespace

std::string person_certificate_text(const ErasedPerson& person, std::string_view installation_hex,
                                    const std::vector<crypto::vault::KeyBackupEntry>& backups) {
  std::string out(kCertificateTitle);
  out.append("\n");
  line(out, "installation", installation_hex);
  line(out, "tenant", person.tenant);
  line(out, "tenant-id", crypto::vault::id_hex(person.tenant_id));
  line(out, "class", "subject");
  line(out, "subject", crypto::to_hex(person.reference));
  line(out, "state", "destroyed");
  line(out, "destroyed", utc_text(person.at));
  line(out, "no-backup-after", no_backup_after(backups, person.at, person.at));
  line(out, "keys", std::to_string(person.keys));
  line(out, "tokens", std::to_string(person.tokens));
  return out;
}

std::string certificate_text(const crypto::vault::Destruction& destruction,
                             const crypto::vault::Id& key, std::string_view installation_hex,
                             const std::vector<crypto::vault::KeyBackupEntry>& backups,
                             crypto::WallTime now) {
  const auto named = std::find_if(destruction.keys.begin(), destruction.keys.end(),
                                  [&](const KeyInfo& info) { return info.record.id == key; });
  std::vector<std::string> ids;
  std::vector<std::string> contexts;
  for (const KeyInfo& info : destruction.keys) {
    ids.push_back(crypto::vault::id_hex(info.record.id));
    for (const std::uint32_t key_id : info.key_ids) contexts.push_back(key_id_text(key_id));
  }
  std::string out(kCertificateTitle);
  out.append("\n");
  line(out, "installation", installation_hex);
  if (named != destruction.keys.end()) {
    const auto& record = named->record;
    line(out, "tenant", named->tenant);
    line(out, "tenant-id", crypto::vault::id_hex(record.tenant));
    line(out, "class", key_class_name(record.key_class));
    line(out, "key", crypto::vault::id_hex(record.id));
    line(out, "domain", named->domain);
    line(out, "purpose", named->purpose);
    line(out, "epoch", crypto::epoch_text(record.epoch));
    line(out, "version", std::to_string(record.version));
    line(out, "made", utc_text(record.made));
    line(out, "state", crypto::vault::key_state_name(record.condition.state));
  }
  line(out, "destroyed", utc_text(destruction.at));
  line(out, "no-backup-after", no_backup_after(backups, destruction.at, now));
  line(out, "keys", std::to_string(ids.size()));
  line(out, "keys-sha256", list_digest(std::move(ids)));
  line(out, "contexts", std::to_string(contexts.size()));
  line(out, "contexts-sha256", list_digest(std::move(contexts)));
  return out;
}

crypto::Result<CertificateLines> verify_certificate(std::string_view bytes,
                                                    const crypto::audit::NoteKey& key) {
  const auto note = crypto::audit::parse_signed_note(bytes);
  if (!note) {
    return Error(ErrorKind::verification, "This is no signed certificate, or it is altered.");
  }
  if (!crypto::audit::verify_note(*note, key)) {
    for (const auto& signature : note->signatures) {
      if (signature.name == key.name) {
        return Error(ErrorKind::verification,
                     "The certificate is not signed by this public key, or it is altered.");
      }
    }
    return Error(ErrorKind::verification, "The certificate is signed by " +
                                              note->signatures.front().name +
                                              ", and this is the public key of " + key.name + ".");
  }
  CertificateLines lines;
  std::string_view rest = note->text;
  bool first = true;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string_view one = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (first) {
      if (one != kCertificateTitle) {
        return Error(ErrorKind::verification,
                     "The signature is good, but what it signs is no certificate of destruction.");
      }
      first = false;
      continue;
    }
    const std::size_t space = one.find(' ');
    if (space == std::string_view::npos) {
      return Error(ErrorKind::verification, "The certificate has a line that nobody can read.");
    }
    lines.emplace_back(one.substr(0, space), one.substr(space + 1));
  }
  return lines;
}

}  // namespace paravent::proxy::admin
