#include "crypto/primitives/aes_cmac.h"

#include <algorithm>
#include <cstring>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/xor.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kChunk = 16 * kAesBlockSize;

// Bytes [from, from + size) of head | body.
void copy_joined(ByteView head, ByteView body, std::size_t from, std::size_t size,
                 std::uint8_t* out) noexcept {
  std::size_t done = 0;
  if (from < head.size()) {
    done = std::min(size, head.size() - from);
    std::memcpy(out, head.data() + from, done);
  }
  if (done < size) std::memcpy(out + done, body.data() + (from + done - head.size()), size - done);
}

}  // namespace

AesCmac::AesCmac(EvpContext chain, const AesBlock& subkey1) noexcept
    : chain_(std::move(chain)), subkey1_(subkey1), subkey2_(doubled(subkey1)) {}

AesCmac::~AesCmac() {
  for (AesBlock* block : {&chain_iv_, &subkey1_, &subkey2_, &prefix_state_, &prefix_rest_}) {
    wipe(*block);
  }
}

Result<AesCmac> AesCmac::create(ByteView key) {
  auto blocks = AesBlocks::create(key);
  if (!blocks) return blocks.error();
  auto chain = make_encrypt_context(key.size() == 16   ? "AES-128-CBC"
                                    : key.size() == 24 ? "AES-192-CBC"
                                                       : "AES-256-CBC",
                                    key);
  if (!chain) return chain.error();
  AesBlock zero_encrypted{};
  if (auto status = blocks->encrypt(zero_encrypted, zero_encrypted); !status) return status.error();
  AesCmac cmac(std::move(*chain), doubled(zero_encrypted));
  wipe(zero_encrypted);
  return cmac;
}

// A CBC context keeps its last output block as the next IV. Knowing it, we cancel it in the first
// block of a message, so that one context serves all messages without being set up again: the
// set-up costs more than the cipher on short fields.
bool AesCmac::chain(MutableBytes chunk, AesBlock& state) noexcept {
  if (!chain_) return false;
  xor_into(chunk.data(), state.data(), kAesBlockSize);
  xor_into(chunk.data(), chain_iv_.data(), kAesBlockSize);
  if (!encrypt_update(chain_.get(), chunk, chunk.data())) {
    chain_.reset();  // its IV is unknown now; every later call fails rather than computing nonsense
    return false;
  }
  std::memcpy(chain_iv_.data(), chunk.data() + chunk.size() - kAesBlockSize, kAesBlockSize);
  state = chain_iv_;
  return true;
}

Status AesCmac::finish(AesBlock state, ByteView head, ByteView body, const AesBlock* mask,
                       AesBlock& tag) noexcept {
  std::array<std::uint8_t, kChunk> chunk;
  const std::size_t total = head.size() + body.size();
  std::size_t position = 0;
  bool ok = true;
  while (ok && total - position > kChunk) {
    // The last 16 bytes stay together for the last round, where the mask goes into them.
    const bool short_tail = total - position - kChunk < kAesBlockSize;
    const std::size_t size = short_tail ? kChunk - kAesBlockSize : kChunk;
    copy_joined(head, body, position, size, chunk.data());
    ok = chain({chunk.data(), size}, state);
    position += size;
  }
  if (ok) {
    std::size_t size = total - position;
    copy_joined(head, body, position, size, chunk.data());
    if (mask != nullptr) {
      xor_into(chunk.data() + size - kAesBlockSize, mask->data(), kAesBlockSize);
    }
    const bool complete = size != 0 && size % kAesBlockSize == 0;
    if (!complete) {
      const std::size_t padded = (size / kAesBlockSize + 1) * kAesBlockSize;
      std::memset(chunk.data() + size, 0, padded - size);
      chunk[size] = 0x80;
      size = padded;
    }
    xor_into(chunk.data() + size - kAesBlockSize, complete ? subkey1_.data() : subkey2_.data(),
             kAesBlockSize);
    ok = chain({chunk.data(), size}, state);
  }
  if (ok) tag = state;
  wipe(MutableBytes(chunk.data(), std::min(kChunk, total + kAesBlockSize)));
  if (!ok) return Error(ErrorKind::internal);
  return {};
}

Status AesCmac::set_prefix(ByteView prefix) {
  prefix_state_ = {};
  prefix_rest_size_ = prefix.empty() ? 0 : (prefix.size() - 1) % kAesBlockSize + 1;
  const std::size_t whole = prefix.size() - prefix_rest_size_;
  std::array<std::uint8_t, kAesBlockSize> block{};
  for (std::size_t i = 0; i < whole; i += kAesBlockSize) {
    std::memcpy(block.data(), prefix.data() + i, block.size());
    if (!chain(block, prefix_state_)) return Error(ErrorKind::internal);
  }
  std::copy(prefix.begin() + static_cast<std::ptrdiff_t>(whole), prefix.end(),
            prefix_rest_.begin());
  return {};
}

Status AesCmac::mac(ByteView message, AesBlock& tag) noexcept {
  return finish(prefix_state_, ByteView(prefix_rest_.data(), prefix_rest_size_), message, nullptr,
                tag);
}

Status AesCmac::mac_xorend(ByteView message, const AesBlock& mask, AesBlock& tag) noexcept {
  if (message.size() < kAesBlockSize) return Error(ErrorKind::internal);
  return finish(AesBlock{}, {}, message, &mask, tag);
}

bool AesCmac::mac_xorend_in_place(MutableBytes message, const AesBlock& mask,
                                  AesBlock& tag) noexcept {
  std::uint8_t* last = message.data() + message.size() - kAesBlockSize;
  xor_into(last, mask.data(), kAesBlockSize);
  xor_into(last, subkey1_.data(), kAesBlockSize);
  tag = {};
  return chain(message, tag);
}

}  // namespace paravent::crypto
