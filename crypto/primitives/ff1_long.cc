#include "crypto/primitives/ff1_long.h"

#include <openssl/bn.h>
#include <openssl/err.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/xor.h"

namespace paravent::crypto {
namespace {

constexpr int kRounds = 10;

struct NumberDeleter {
  void operator()(BIGNUM* number) const noexcept { BN_clear_free(number); }
  void operator()(BN_CTX* context) const noexcept { BN_CTX_free(context); }
};
using Number = std::unique_ptr<BIGNUM, NumberDeleter>;
using Scratch = std::unique_ptr<BN_CTX, NumberDeleter>;

bool read_digits(std::span<const std::uint16_t> digits, std::uint32_t radix, BIGNUM* out) {
  bool ok = BN_set_word(out, 0) == 1;
  for (const std::uint16_t digit : digits) {
    ok = ok && BN_mul_word(out, radix) == 1 && BN_add_word(out, digit) == 1;
  }
  return ok;
}

void write_digits(BIGNUM* number, std::uint32_t radix, std::span<std::uint16_t> out) {
  for (std::size_t i = out.size(); i-- > 0;) {
    out[i] = static_cast<std::uint16_t>(BN_div_word(number, radix));
  }
}

bool power_of(std::uint32_t radix, std::size_t exponent, BIGNUM* out) {
  bool ok = BN_set_word(out, 1) == 1;
  for (std::size_t i = 0; i < exponent; ++i) ok = ok && BN_mul_word(out, radix) == 1;
  return ok;
}

// S of the specification: R, then AES(R xor j) for j = 1, 2, ..., as many blocks as `out` takes.
Status expand(AesBlocks& blocks, const AesBlock& r, MutableBytes out) {
  AesBlock block = r;
  for (std::uint32_t j = 0; !out.empty(); ++j) {
    if (j != 0) {
      AesBlock count{};
      store_u32be(count.data() + 12, j);
      block = r;
      xor_into(block, count);
      if (auto status = blocks.encrypt(block, block); !status) return status;
    }
    const std::size_t size = std::min(out.size(), block.size());
    std::copy_n(block.begin(), size, out.begin());
    out = out.subspan(size);
  }
  return {};
}

Status round_function(AesBlocks& blocks, const AesBlock& first_block, ByteView q,
                      MutableBytes out) {
  AesBlock state = first_block;
  for (std::size_t i = 0; i < q.size(); i += kAesBlockSize) {
    xor_into(state.data(), q.data() + i, kAesBlockSize);
    if (auto status = blocks.encrypt(state, state); !status) return status;
  }
  return expand(blocks, state, out);
}

}  // namespace

Status ff1_long(AesBlocks& blocks, std::uint32_t radix, const AesBlock& first_block, ByteView tweak,
                std::span<const std::uint16_t> in, std::span<std::uint16_t> out, bool forward) {
  const std::size_t left = in.size() / 2;
  const Scratch scratch(BN_CTX_new());
  const Number modulus[2] = {Number(BN_new()), Number(BN_new())};
  const Number y(BN_new());
  Number a(BN_new());
  Number b(BN_new());
  bool ok = scratch && modulus[0] && modulus[1] && y && a && b;
  ok = ok && power_of(radix, left, modulus[0].get()) &&
       power_of(radix, in.size() - left, modulus[1].get()) &&
       read_digits(in.first(left), radix, a.get()) && read_digits(in.subspan(left), radix, b.get());
  // b of the specification: the bytes of the largest half, radix^v - 1.
  ok = ok && BN_copy(y.get(), modulus[1].get()) != nullptr && BN_sub_word(y.get(), 1) == 1;
  const auto number_size = ok ? static_cast<std::size_t>(BN_num_bytes(y.get())) : 0;

  const std::size_t used = tweak.size() + 1 + number_size;
  Bytes q((used + kAesBlockSize - 1) / kAesBlockSize * kAesBlockSize);
  std::copy(tweak.begin(), tweak.end(), q.begin());
  Bytes s(4 * ((number_size + 3) / 4) + 4);
  for (int i = 0; ok && i < kRounds; ++i) {
    const int round = forward ? i : kRounds - 1 - i;
    const BIGNUM* m = modulus[round % 2].get();
    q[q.size() - number_size - 1] = static_cast<std::uint8_t>(round);
    BIGNUM* replaced = forward ? a.get() : b.get();
    ok = BN_bn2binpad(forward ? b.get() : a.get(), q.data() + q.size() - number_size,
                      static_cast<int>(number_size)) == static_cast<int>(number_size) &&
         round_function(blocks, first_block, q, s).has_value() &&
         BN_bin2bn(s.data(), static_cast<int>(s.size()), y.get()) != nullptr &&
         (forward ? BN_mod_add(replaced, replaced, y.get(), m, scratch.get())
                  : BN_mod_sub(replaced, replaced, y.get(), m, scratch.get())) == 1;
    std::swap(a, b);
  }
  wipe(q);
  wipe(s);
  if (!ok) {
    ERR_clear_error();
    return Error(ErrorKind::internal);
  }
  write_digits(a.get(), radix, out.first(left));
  write_digits(b.get(), radix, out.subspan(left));
  return {};
}

}  // namespace paravent::crypto
