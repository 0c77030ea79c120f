#include "crypto/vault/unseal/open_record.h"

#include <algorithm>

#include "crypto/primitives/hmac_sha256.h"

namespace paravent::crypto::vault {

UnsealCheck unseal_check(const SecretBytes& key, const Id& set) {
  const Sha256Digest mac = HmacSha256(key.bytes()).mac(as_bytes("paravent/v1/unseal.kcv"), set);
  UnsealCheck check{};
  std::copy_n(mac.begin(), check.size(), check.begin());
  return check;
}

Error record_missing(const std::filesystem::path& keys_folder, UnsealMethod wanted) {
  return {ErrorKind::data,
          "There is no unseal record in " + keys_folder.string() +
              ": this vault was not made for unsealing by " +
              std::string(unseal_method_name(wanted)) +
              ", or the record was lost; correct vault.unseal or restore it from a key backup."};
}

Error record_of_other_method(UnsealMethod wanted, UnsealMethod found) {
  return {ErrorKind::data, "This vault unseals by " + std::string(unseal_method_name(found)) +
                               ", not by " + std::string(unseal_method_name(wanted)) +
                               "; correct vault.unseal in the gateway file."};
}

Status check_unseal_method(const std::filesystem::path& keys_folder, const RootCheck& check,
                           UnsealMethod method) {
  const auto record = record_in_force(keys_folder, check);
  if (!record || !*record || (*record)->method() == method) return {};
  return record_of_other_method(method, (*record)->method());
}

Error key_does_not_fit() {
  return {ErrorKind::data,
          "The root key that was unsealed is not the one that this key store was made with; the "
          "unseal record and the key store belong to different installations or times."};
}

}  // namespace paravent::crypto::vault
