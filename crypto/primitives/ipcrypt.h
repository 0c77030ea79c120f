// ipcrypt: pseudonymisation of IP addresses by their own width (draft-denis-ipcrypt, pinned to the
// text whose vectors lie in tests/vectors/ipcrypt): deterministic, prefix-preserving (pfx) and
// non-deterministic with a 16-byte tweak (ndx). ipcrypt-nd needs a tweaked AES that no library here
// has, and is not offered.
//
// An address is 16 bytes: IPv6, or IPv4 mapped into ::ffff:0:0/96; the caller brings it into that
// form (constructions 4.7). None of the three detects an altered result: any 16 bytes decrypt to
// some address. No heap allocation per address; one owner thread at a time; move-only. Every span
// has 16 bytes, else ErrorKind::usage; input and output are the same memory or disjoint.

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/primitives/aes_block.h"

namespace paravent::crypto {

// One AES-128 block: equal addresses stay equal, everything else is hidden, the family included.
class IpcryptDeterministic {
 public:
  static constexpr std::size_t kKeySize = 16;

  // key: 16 bytes, else ErrorKind::usage.
  static Result<IpcryptDeterministic> create(ByteView key);

  Status encrypt(ByteView address, MutableBytes out) noexcept;
  Status decrypt(ByteView encrypted, MutableBytes address) noexcept;

 private:
  IpcryptDeterministic(AesBlocks blocks, AesInverse inverse) noexcept
      : blocks_(std::move(blocks)), inverse_(std::move(inverse)) {}

  AesBlocks blocks_;
  AesInverse inverse_;
};

// Two addresses that share exactly their first n bits share exactly n bits afterwards; an IPv4
// address stays one.
class IpcryptPfx {
 public:
  static constexpr std::size_t kKeySize = 32;

  // key: 32 bytes whose halves differ, else ErrorKind::usage: equal halves would cancel.
  static Result<IpcryptPfx> create(ByteView key);

  Status encrypt(ByteView address, MutableBytes out) noexcept;
  // The pad of a bit hangs on the clear bits before it: one pair of AES calls per bit, about ten
  // times the cost of encrypting.
  Status decrypt(ByteView encrypted, MutableBytes address) noexcept;

 private:
  IpcryptPfx(AesBlocks first, AesBlocks second) noexcept
      : first_(std::move(first)), second_(std::move(second)) {}

  AesBlocks first_;
  AesBlocks second_;
};

// AES-XTS of one block under a random tweak: no two results can be compared. About 2^64 addresses
// per key before an (address, tweak) pair repeats. The tweak travels in front of the result.
class IpcryptNdx {
 public:
  static constexpr std::size_t kKeySize = 32;

  // key: 32 bytes whose halves differ (IEEE 1619), else ErrorKind::usage.
  static Result<IpcryptNdx> create(ByteView key);

  Status encrypt(ByteView tweak, ByteView address, MutableBytes out) noexcept;
  Status decrypt(ByteView tweak, ByteView encrypted, MutableBytes address) noexcept;

 private:
  IpcryptNdx(AesBlocks data, AesInverse inverse, AesBlocks tweak) noexcept
      : data_(std::move(data)), inverse_(std::move(inverse)), tweak_(std::move(tweak)) {}

  AesBlocks data_;
  AesInverse inverse_;
  AesBlocks tweak_;
};

}  // namespace paravent::crypto
