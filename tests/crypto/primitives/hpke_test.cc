#include "crypto/primitives/hpke.h"

#include <gtest/gtest.h>

#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

// The published vectors run in tests/crypto/vectors; here are the properties and the refusals.

struct Sealed {
  Bytes enc = Bytes(kHpkeEncapsulation);
  Bytes text;
};

Sealed sealed(const X25519KeyPair& to, std::string_view info, std::string_view aad,
              ByteView message) {
  Sealed result;
  result.text.resize(message.size() + kHpkeTagSize);
  EXPECT_TRUE(
      hpke_seal(to.public_key, as_bytes(info), as_bytes(aad), message, result.enc, result.text));
  return result;
}

// True when it opens; a refusal must be the one kind, without a sentence and without a plaintext.
bool opens(const X25519KeyPair& pair, const Sealed& s, std::string_view info,
           std::string_view aad) {
  Bytes clear(s.text.size() < kHpkeTagSize ? 0 : s.text.size() - kHpkeTagSize, 0xaa);
  const Status status =
      hpke_open(pair.private_key.bytes(), s.enc, as_bytes(info), as_bytes(aad), s.text, clear);
  if (status) return true;
  EXPECT_EQ(status.error().kind(), ErrorKind::malformed);
  EXPECT_TRUE(status.error().sentence().empty());
  EXPECT_EQ(clear, Bytes(clear.size()));
  return false;
}

TEST(Hpke, OpensWhatWasSealedAtEverySize) {
  Repeatable random(51);
  const X25519KeyPair pair = generate_x25519_key_pair();
  for (const std::size_t size : {0U, 1U, 15U, 16U, 48U, 64U, 1000U}) {
    const Bytes message = random.bytes(size);
    const Sealed s = sealed(pair, "info", "aad", message);
    Bytes clear(size);
    ASSERT_TRUE(hpke_open(pair.private_key.bytes(), s.enc, as_bytes("info"), as_bytes("aad"),
                          s.text, clear));
    EXPECT_EQ(clear, message);
  }
}

TEST(Hpke, EverySealIsFresh) {
  const X25519KeyPair pair = generate_x25519_key_pair();
  const Sealed first = sealed(pair, "info", "aad", as_bytes("value"));
  const Sealed second = sealed(pair, "info", "aad", as_bytes("value"));
  EXPECT_NE(first.enc, second.enc);
  EXPECT_NE(first.text, second.text);
}

TEST(Hpke, EverythingIsBound) {
  const X25519KeyPair pair = generate_x25519_key_pair();
  const Sealed good = sealed(pair, "info", "aad", as_bytes("value"));
  EXPECT_TRUE(opens(pair, good, "info", "aad"));
  EXPECT_FALSE(opens(pair, good, "inf", "aad"));
  EXPECT_FALSE(opens(pair, good, "info", "aae"));
  EXPECT_FALSE(opens(pair, good, "infoa", "ad"));
  EXPECT_FALSE(opens(generate_x25519_key_pair(), good, "info", "aad"));
  for (std::size_t bit = 0; bit < good.text.size() * 8; ++bit) {
    Sealed altered = good;
    altered.text[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    ASSERT_FALSE(opens(pair, altered, "info", "aad")) << bit;
  }
  // The top bit of the encapsulated point does not change the shared secret (RFC 7748), but it is
  // in the KEM's context.
  for (std::size_t bit = 0; bit < good.enc.size() * 8; bit += 5) {
    Sealed altered = good;
    altered.enc[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    ASSERT_FALSE(opens(pair, altered, "info", "aad")) << bit;
  }
  Sealed altered = good;
  altered.enc.back() ^= 0x80U;
  EXPECT_FALSE(opens(pair, altered, "info", "aad"));
}

TEST(Hpke, RefusesAllZeroSharedSecrets) {
  Bytes enc(kHpkeEncapsulation);
  Bytes text(16 + kHpkeTagSize);
  const Status status = hpke_seal(Bytes(32), {}, {}, Bytes(16), enc, text);
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().kind(), ErrorKind::malformed);
  EXPECT_FALSE(opens(generate_x25519_key_pair(), Sealed{Bytes(32), text}, "", ""));
}

TEST(Hpke, RefusesOtherSizes) {
  const X25519KeyPair pair = generate_x25519_key_pair();
  Bytes enc(kHpkeEncapsulation);
  Bytes text(16 + kHpkeTagSize);
  for (const std::size_t size : {0U, 31U, 33U}) {
    Bytes wrong(size, 9);
    EXPECT_EQ(hpke_seal(wrong, {}, {}, Bytes(16), enc, text).error().kind(), ErrorKind::usage);
    EXPECT_EQ(hpke_seal(pair.public_key, {}, {}, Bytes(16), wrong, text).error().kind(),
              ErrorKind::usage);
    EXPECT_FALSE(opens(pair, Sealed{Bytes(size, 9), text}, "", ""));
  }
  Bytes short_text(15);
  EXPECT_EQ(hpke_seal(pair.public_key, {}, {}, Bytes(16), enc, short_text).error().kind(),
            ErrorKind::usage);
  const Sealed good = sealed(pair, "", "", Bytes(16));
  for (const std::size_t size : {0U, 1U, 15U, 16U, 31U}) {
    EXPECT_FALSE(opens(
        pair,
        Sealed{good.enc,
               Bytes(good.text.begin(), good.text.begin() + static_cast<std::ptrdiff_t>(size))},
        "", ""));
  }
  EXPECT_EQ(hpke_derive_private_key(Bytes(31)).error().kind(), ErrorKind::usage);
}

TEST(HpkeContext, MessagesAreNumbered) {
  const X25519KeyPair pair = generate_x25519_key_pair();
  Bytes enc(kHpkeEncapsulation);
  auto sender = HpkeContext::sender(pair.public_key, as_bytes("i"), Bytes(32, 7), enc);
  auto receiver = HpkeContext::receiver(pair.private_key.bytes(), enc, as_bytes("i"));
  ASSERT_TRUE(sender.has_value() && receiver.has_value());
  const Bytes message(20, 3);
  Bytes text(36);
  Bytes clear(20);
  for (const std::uint64_t sequence : {0ULL, 1ULL, 255ULL, 256ULL, ~0ULL}) {
    ASSERT_TRUE(sender->seal(sequence, {}, message, text));
    ASSERT_TRUE(receiver->open(sequence, {}, text, clear));
    EXPECT_EQ(clear, message);
    EXPECT_FALSE(receiver->open(sequence ^ 1U, {}, text, clear));
  }
  Bytes too_long(255 * 32 + 1);
  EXPECT_EQ(sender->export_secret({}, too_long).error().kind(), ErrorKind::usage);
  EXPECT_EQ(sender->export_secret({}, MutableBytes()).error().kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace paravent::crypto
