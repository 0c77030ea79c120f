#include "crypto/vault/unseal/pkcs11_provider.h"

#include <algorithm>
#include <string>

#include "crypto/vault/unseal/open_record.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kKeySize = 32;

// Everything in front of the key.
std::string binding_of(const std::string& key_label, const Id& set) {
  std::string out = "PVTROOT1";
  append_lp(out, key_label);
  append_lp(out, "root");
  append_lp(out, "");
  append_bytes(out, set);
  return out;
}

// A multiple of 8 bytes, because SoftHSM 2.6 hands the padding of KWP out with the plaintext.
std::size_t content_size(const std::string& bound) { return (bound.size() + kKeySize + 7) / 8 * 8; }

SecretBytes content(const std::string& bound, const SecretBytes& key) {
  SecretBytes out(content_size(bound));
  std::copy(bound.begin(), bound.end(), out.mutable_bytes().begin());
  std::copy_n(key.bytes().begin(), kKeySize, out.mutable_bytes().subspan(bound.size()).begin());
  return out;
}

ByteView without_line(const SecretBytes& pin) { return without_line_ending(pin.bytes()); }

}  // namespace

Result<std::optional<RootKey>> Pkcs11Provider::open(const RootCheck& check) {
  // The record first: a wrong one is worth a sentence before a PIN is spent.
  if (const auto body = body_in_force<Pkcs11Record>(folder_, method(), check); !body) {
    return body.error();
  }
  if (!pin_) return std::optional<RootKey>();
  const auto pin = pin_();
  if (!pin) return pin.error();
  auto root = open_with(*pin, PinFrom::file, check);
  if (!root && root.error().kind() == ErrorKind::refused) {
    file_pin_refused_ = true;
    return Error(ErrorKind::data, root.error().sentence() + " It was tried once.");
  }
  return root;
}

// Whoever pulls a token out logs it out: only a PIN logs in again.
bool Pkcs11Provider::come_back(const RootCheck& check) {
  if (present()) return true;
  if (!pin_ || file_pin_refused_) return false;
  const auto root = open(check);
  return root && *root;
}

Result<std::optional<RootKey>> Pkcs11Provider::give(const SecretBytes& secret,
                                                    const RootCheck& check) {
  return open_with(secret, PinFrom::person, check);
}

Result<std::optional<RootKey>> Pkcs11Provider::open_with(const SecretBytes& pin, PinFrom from,
                                                         const RootCheck& check) {
  token_.reset();
  auto token = Pkcs11Token::open(location_, SecretBytes::copy_of(without_line(pin)), from);
  if (!token) return token.error();
  if (auto s = (*token)->find_key(); !s) return s.error();
  token_ = std::move(*token);
  auto root = open_record<Pkcs11Record>(
      folder_, method(), check,
      [this](const Id& set, const Pkcs11Record& record) { return unwrap(set, record); });
  if (!root) {
    token_.reset();
    return root.error();
  }
  file_pin_refused_ = false;
  return std::optional<RootKey>(std::move(*root));
}

Result<RootKey> Pkcs11Provider::unwrap(const Id& set, const Pkcs11Record& record) {
  const auto plain = token_->unwrap(record.wrapped, record.mechanism);
  if (!plain && plain.error().kind() != ErrorKind::malformed) return plain.error();
  const std::string bound = binding_of(location_.key, set);
  SecretBytes key;
  bool right = plain && plain->size() == content_size(bound);
  if (right) {
    key = SecretBytes::copy_of(plain->bytes().subspan(bound.size(), kKeySize));
    right = equal_constant_time(plain->bytes(), content(bound, key).bytes()) &&
            equal_constant_time(unseal_check(key, set), record.check);
  }
  if (!right) {
    return Error(ErrorKind::data,
                 "The unseal record does not open with the key " + location_.key +
                     " of the token " + location_.token +
                     ": it is altered, or was made with another token or key; restore it from a "
                     "key backup or insert the right token.");
  }
  return RootKey::from_bytes(std::move(key));
}

Result<Handouts> Pkcs11Provider::establish(const RootKey& root, const Id& installation,
                                           RecordPlace place) {
  if (!pin_) return Error(ErrorKind::usage, "The PIN of the token has to be given first.");
  const auto pin = pin_();
  if (!pin) return pin.error();
  auto token =
      Pkcs11Token::open(location_, SecretBytes::copy_of(without_line(*pin)), PinFrom::person);
  if (!token && token.error().kind() == ErrorKind::refused) {
    return Error(ErrorKind::data, token.error().sentence());
  }
  if (!token) return token.error();
  if (auto s = (*token)->find_or_make_key(); !s) return s.error();
  const Id set = random_id();
  Pkcs11Record record;
  record.check = unseal_check(root.key(), set);
  auto wrapped =
      (*token)->wrap(content(binding_of(location_.key, set), root.key()), record.mechanism);
  if (!wrapped) return wrapped.error();
  record.wrapped = std::move(*wrapped);
  if (auto s = write_unseal_record(folder_, place, {set, root.check_value(installation), record});
      !s)
    return s.error();
  return Handouts();
}

}  // namespace paravent::crypto::vault
