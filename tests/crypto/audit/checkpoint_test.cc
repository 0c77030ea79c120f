// Signed notes and checkpoints: a note signed elsewhere, our own, and every way to damage one.

#include "crypto/audit/checkpoint.h"

#include <gtest/gtest.h>

#include "crypto/base/encoding.h"

namespace paravent::crypto::audit {
namespace {

// The example of the Go implementation's documentation (golang.org/x/mod/sumdb/note).
constexpr std::string_view kForeignKey =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kForeignNote =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xE2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/"
    "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

Ed25519Signer signer(std::uint8_t byte) {
  return *Ed25519Signer::create(SecretBytes::copy_of(ByteView(Bytes(32, byte))));
}

struct Fixture {
  Ed25519Signer ours = signer(1);
  Ed25519Signer other = signer(2);
  NoteKey key{"paravent.invalid/x/installation", ours.public_key()};
  Checkpoint checkpoint{key.name, 20852163, sha256(as_bytes("root")), {}};
  std::string bytes = sign_checkpoint(checkpoint, ours);
};

TEST(SignedNote, OneThatWasSignedElsewhere) {
  const auto key = parse_note_key(kForeignKey);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->text(), kForeignKey);
  const auto note = parse_signed_note(kForeignNote);
  ASSERT_TRUE(note.has_value()) << note.error().sentence();
  EXPECT_TRUE(verify_note(*note, *key).has_value());
  std::string altered(kForeignNote);
  altered[3] = 'Y';
  EXPECT_FALSE(verify_note(*parse_signed_note(altered), *key).has_value());
}

TEST(SignedNote, KeysHaveOneSpelling) {
  const std::string good(kForeignKey);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string altered = good;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(parse_note_key(altered).has_value()) << altered;
  }
  EXPECT_FALSE(parse_note_key(good + "\n").has_value());
  EXPECT_FALSE(parse_note_key("").has_value());
}

TEST(SignedNote, NamesThatAreRefused) {
  EXPECT_TRUE(valid_note_name("example.com/log"));
  EXPECT_TRUE(valid_note_name("caf\xC3\xA9"));
  for (const char* name : {"", "a b", "a+b", "a\nb", "a\tb", "a\x7F", "a\xC2\xA0z",
                           "a\xE2\x80\x83z", "\xFF", "\xC0\x80", "\xED\xA0\x80"}) {
    EXPECT_FALSE(valid_note_name(name)) << name;
  }
  EXPECT_FALSE(valid_note_name(std::string(256, 'a')));
}

TEST(SignedNote, ManySignaturesAndUnknownKeys) {
  Fixture f;
  const auto line = [&](const Ed25519Signer& by, std::string_view name) {
    const std::string note = sign_note(f.checkpoint.text(), name, by);
    return note.substr(f.checkpoint.text().size() + 1);
  };
  std::string many = f.bytes;
  for (int i = 0; i < 16; ++i) many += line(f.other, "witness-" + std::to_string(i));
  EXPECT_TRUE(open_checkpoint(many, f.key).has_value());
  // Not in our own file, where every byte counts.
  EXPECT_FALSE(open_own_checkpoint(many, f.key).has_value());
  EXPECT_FALSE(open_own_checkpoint(f.bytes + line(f.ours, f.key.name), f.key).has_value());
  // A known key with a wrong signature refuses, whatever else is there.
  std::string wrong = line(f.ours, f.key.name);
  const std::size_t at = wrong.size() - 10;
  wrong[at] = wrong[at] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(open_checkpoint(f.bytes + wrong, f.key).has_value());
  std::string crowd = f.bytes;
  for (int i = 0; i < 64; ++i) crowd += line(f.other, "witness");
  EXPECT_FALSE(open_checkpoint(crowd, f.key).has_value());
  // Signed by somebody else alone, or in our name with another key.
  EXPECT_FALSE(open_checkpoint(sign_checkpoint(f.checkpoint, f.other), f.key).has_value());
  Checkpoint foreign = f.checkpoint;
  foreign.origin = "paravent.invalid/x/other";
  const std::string by_our_key = sign_note(foreign.text(), f.key.name, f.ours);
  EXPECT_FALSE(open_checkpoint(by_our_key, f.key).has_value());
}

TEST(Checkpoint, RoundTrip) {
  Fixture f;
  const auto opened = open_own_checkpoint(f.bytes, f.key);
  ASSERT_TRUE(opened.has_value()) << opened.error().sentence();
  EXPECT_EQ(*opened, f.checkpoint);
}

TEST(Checkpoint, EveryByteCounts) {
  Fixture f;
  for (std::size_t i = 0; i < f.bytes.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string altered = f.bytes;
      altered[i] = static_cast<char>(altered[i] ^ static_cast<char>(1U << bit));
      EXPECT_FALSE(open_own_checkpoint(altered, f.key).has_value()) << i;
    }
    EXPECT_FALSE(open_own_checkpoint(f.bytes.substr(0, i), f.key).has_value()) << i;
    std::string longer = f.bytes;
    longer.insert(i, "x");
    EXPECT_FALSE(open_own_checkpoint(longer, f.key).has_value()) << i;
  }
  EXPECT_FALSE(open_own_checkpoint(f.bytes + "\n", f.key).has_value());
}

TEST(Checkpoint, TextHasOneSpelling) {
  const std::string root = to_base64(sha256({}));
  EXPECT_TRUE(parse_checkpoint_text("o\n0\n" + root + "\n").has_value());
  EXPECT_TRUE(parse_checkpoint_text("o\n18446744073709551615\n" + root + "\n").has_value());
  EXPECT_TRUE(parse_checkpoint_text("o\n1\n" + root + "\nextension 1\n").has_value());
  for (const std::string& text :
       {"\n1\n" + root + "\n", "o\n01\n" + root + "\n", "o\n+1\n" + root + "\n",
        "o\n-1\n" + root + "\n", "o\n\n" + root + "\n", "o\n18446744073709551616\n" + root + "\n",
        "o\n1\n" + root, "o\n1\n" + root.substr(1) + "\n", "o\n1\n" + root + "\n\n",
        "o\n1\n" + root + "\nextension", "o\n1\n" + root + "\na\n\nb\n", "o o\n1\n" + root + "\n",
        "o\n1 \n" + root + "\n", std::string("o\n1\n"), std::string()}) {
    EXPECT_FALSE(parse_checkpoint_text(text).has_value()) << text;
  }
}

TEST(SignedNote, MalformedOnes) {
  for (const char* note : {"", "\n", "\n\n", "text\n", "text\n\n", "text\n\nno signature\n",
                           "text\n\n\xE2\x80\x94 n \n", "text\n\n\xE2\x80\x94 n AAAA\n",
                           "text\n\n\xE2\x80\x94 n AAAAAAA=", "te\rxt\n\n\xE2\x80\x94 n AAAAAAA=\n",
                           "te\xFFxt\n\n\xE2\x80\x94 n AAAAAAA=\n", "text\n\n- n AAAAAAA=\n",
                           "text\n\n\xE2\x80\x94 n  AAAAAAA=\n"}) {
    EXPECT_FALSE(parse_signed_note(note).has_value()) << note;
  }
  EXPECT_TRUE(parse_signed_note("text\n\n\xE2\x80\x94 n AAAAAAA=\n").has_value());
  EXPECT_FALSE(
      parse_signed_note(std::string(70'000, 'a') + "\n\n\xE2\x80\x94 n AAAAAAA=\n").has_value());
}

}  // namespace
}  // namespace paravent::crypto::audit
