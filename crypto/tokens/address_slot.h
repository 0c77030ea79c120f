// AddressSlot: addresses enciphered to addresses (ipcrypt, constructions 4.7), by one of its three
// constructions. As token text, or (deterministic and prefix) as an address literal, which carries
// neither key id nor checksum. No integrity: an altered one opens to another address. One owner
// thread.

#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "crypto/base/result.h"
#include "crypto/keys/protection_key.h"
#include "crypto/primitives/ipcrypt.h"
#include "crypto/tokens/protect_form.h"
#include "crypto/tokens/protector_tools.h"
#include "crypto/tokens/token_header.h"

namespace paravent::crypto {

class AddressSlot {
 public:
  static Result<AddressSlot> create(const ProtectionKey& key);

  // ErrorKind::malformed: no address. REQUIRES: a value.
  Status protect(const ProtectForm& form, std::string_view value, ProtectorTools& tools,
                 std::string& out);

 private:
  using Cipher = std::variant<IpcryptDeterministic, IpcryptPfx, IpcryptNdx>;

  AddressSlot(const TokenHeader& header, Cipher cipher)
      : header_(header), cipher_(std::move(cipher)) {}

  TokenHeader header_;
  Cipher cipher_;
};

}  // namespace paravent::crypto
