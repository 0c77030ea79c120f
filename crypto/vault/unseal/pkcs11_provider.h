// The root key wrapped by a key in a PKCS#11 token that cannot leave it.
//
// KWP takes no associated data, so what the wrap is for lies inside it and is compared afterwards
// (constructions 4.0):
//   "PVTROOT1" | LP(label of the wrapping key) | LP("root") | LP(tenant: empty) | set id 16 | key
//   32
// The session stays open while the vault is unsealed, so that present() can tell when the token is
// pulled out.

#pragma once

#include "crypto/vault/unseal/passphrase_provider.h"
#include "crypto/vault/unseal/pkcs11_token.h"
#include "crypto/vault/unseal/unseal_provider.h"

namespace paravent::crypto::vault {

class Pkcs11Provider final : public UnsealProvider {
 public:
  // Without a source of the PIN a person is asked. establish() takes the PIN from the source, and
  // makes the key when the token has none of that label.
  Pkcs11Provider(std::filesystem::path keys_folder, Pkcs11Location location, SecretSource pin)
      : folder_(std::move(keys_folder)), location_(std::move(location)), pin_(std::move(pin)) {}

  UnsealMethod method() const noexcept override { return UnsealMethod::pkcs11; }
  Result<std::optional<RootKey>> open(const RootCheck& check) override;
  Result<std::optional<RootKey>> give(const SecretBytes& secret, const RootCheck& check) override;
  UnsealProgress progress() const override { return {0, 1}; }
  void forget() override { token_.reset(); }
  Result<Handouts> establish(const RootKey& root, const Id& installation,
                             RecordPlace place) override;
  bool present() override { return token_ != nullptr && token_->present(); }
  bool come_back(const RootCheck& check) override;

 private:
  Result<std::optional<RootKey>> open_with(const SecretBytes& pin, PinFrom from,
                                           const RootCheck& check);
  Result<RootKey> unwrap(const Id& set, const Pkcs11Record& record);

  std::filesystem::path folder_;
  Pkcs11Location location_;
  SecretSource pin_;
  std::unique_ptr<Pkcs11Token> token_;
  bool file_pin_refused_ = false;
};

}  // namespace paravent::crypto::vault
