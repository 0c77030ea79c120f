// AesCmac: AES-CMAC (RFC 4493, NIST SP 800-38B) on a kept context, with an optional fixed prefix
// whose chaining value is computed once: mac(prefix | message) then costs only the blocks of the
// message.
//
// The prefix is what every message under one key shares (a context string). No heap allocation
// after set_prefix. One owner thread at a time; move-only; its copies of key material are wiped.

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/primitives/aes_block.h"

namespace paravent::crypto {

class AesCmac {
 public:
  // key: 16, 24 or 32 bytes, else ErrorKind::usage.
  static Result<AesCmac> create(ByteView key);

  AesCmac(AesCmac&&) noexcept = default;
  AesCmac& operator=(AesCmac&&) noexcept = default;
  ~AesCmac();

  // Every later mac() is over prefix | message. Empty (the initial state) means none.
  Status set_prefix(ByteView prefix);

  // tag: the full 16 bytes. The whole of prefix | message may be empty.
  Status mac(ByteView message, AesBlock& tag) noexcept;

  // S2V of RFC 5297 needs the MAC of `message` with its last 16 bytes XORed with `mask` ("xorend").
  // Without the prefix. REQUIRES: message.size() >= 16.
  Status mac_xorend(ByteView message, const AesBlock& mask, AesBlock& tag) noexcept;
  // The same over whole blocks in memory that the caller gives away: it is overwritten, and wiped
  // by the caller. False: internal. REQUIRES: a size that is a multiple of 16, and not 0.
  bool mac_xorend_in_place(MutableBytes message, const AesBlock& mask, AesBlock& tag) noexcept;

 private:
  AesCmac(EvpContext chain, const AesBlock& subkey1) noexcept;

  // state = AES(state ^ block) for each block of `chunk`, which is overwritten. False: internal.
  bool chain(MutableBytes chunk, AesBlock& state) noexcept;
  // The MAC of what `state` has absorbed, then head | body; `mask`, if any, goes into the last 16
  // bytes.
  Status finish(AesBlock state, ByteView head, ByteView body, const AesBlock* mask,
                AesBlock& tag) noexcept;

  EvpContext chain_;     // AES-CBC without padding; see chain() in the source
  AesBlock chain_iv_{};  // what the context will XOR into its next block
  AesBlock subkey1_{};   // K1 of RFC 4493: for a complete last block
  AesBlock subkey2_{};   // K2: for a padded one
  AesBlock prefix_state_{};
  AesBlock prefix_rest_{};  // its last 1..16 bytes: whether they end the message is not known yet
  std::size_t prefix_rest_size_ = 0;
};

}  // namespace paravent::crypto
