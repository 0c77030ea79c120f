// Encrypted files: what comes out is what went in, however it was split; and whatever was altered,
// moved, cut off or put behind does not open.

#include "crypto/reveal/file_opener.h"

#include <gtest/gtest.h>

#include <array>

#include "crypto/base/encoding.h"
#include "crypto/tokens/file_encryptor.h"
#include "tests/support/whole_file.h"

namespace paravent::crypto::reveal {
namespace {

const std::string kToken = "pve_any-token-text";
constexpr std::size_t kHead = 16 + 18 + 1 + kStreamHeaderSize;

std::string key_text(std::uint8_t first = 1) {
  std::array<std::uint8_t, kFileKeySize> key{};
  key[0] = first;
  return to_hex(key);
}

std::string encrypted(std::string_view content, std::size_t piece = 1'000'000) {
  FileEncryptor file;
  std::string out;
  const Bytes key = from_hex(key_text()).value();
  EXPECT_TRUE(file.begin(key, kToken, out));
  while (!content.empty()) {
    const std::string_view part = content.substr(0, piece);
    EXPECT_TRUE(file.feed(part, out));
    content.remove_prefix(part.size());
  }
  EXPECT_TRUE(file.end(out));
  return out;
}

// What it opens to; "closed" where it does not.
std::string opened(std::string_view file, std::size_t piece = 1'000'000,
                   const std::string& key = key_text()) {
  const auto head = read_file_head(file);
  auto opener = FileOpener::start(key, file);
  if (!head || !opener) return "closed";
  file.remove_prefix(head->size);
  std::string out;
  while (!file.empty()) {
    const std::string_view part = file.substr(0, piece);
    if (!opener->feed(part, out)) return "closed";
    file.remove_prefix(part.size());
  }
  return opener->end(out) ? out : "closed";
}

std::string content_of(std::size_t size) {
  std::string content(size, 'x');
  for (std::size_t i = 0; i < size; ++i) content[i] = static_cast<char>(i * 31 % 251);
  return content;
}

TEST(EncryptedFile, OpensToWhatItWas) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kFileChunk - 1, kFileChunk,
                                 kFileChunk + 1, 3 * kFileChunk, std::size_t{1'000'003}}) {
    const std::string content = content_of(size);
    const std::string file = encrypted(content);
    EXPECT_EQ(file.size(), kHead + size + (size / kFileChunk + 1) * kStreamChunkOverhead);
    EXPECT_EQ(read_file_head(file)->token, kToken);
    EXPECT_EQ(read_file_head(file)->size, kHead);
    for (const std::size_t piece : {std::size_t{777}, kFileChunk, std::size_t{100'000}}) {
      EXPECT_EQ(opened(encrypted(content, piece), piece), content) << size << ' ' << piece;
    }
    if (size >= 40) {
      EXPECT_EQ(file.find(content.substr(0, 40)), std::string::npos);
    }
  }
}

TEST(EncryptedFile, TwoFilesOfOneContentShareNothing) {
  FileEncryptor file;
  const Bytes key = from_hex(key_text()).value();
  std::string one;
  std::string two;
  ASSERT_TRUE(file.begin(key, kToken, one));
  ASSERT_TRUE(file.end(one));
  ASSERT_TRUE(file.begin(key, kToken, two)) << "the object may be used again";
  ASSERT_TRUE(file.end(two));
  EXPECT_NE(one, two);
}

TEST(EncryptedFile, WhatWasAlteredDoesNotOpen) {
  const std::string file = encrypted(content_of(200));
  for (std::size_t i = 0; i < file.size(); ++i) {
    std::string altered = file;
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_EQ(opened(altered), "closed") << i;
  }
  EXPECT_EQ(opened(file, 100, key_text(2)), "closed");
  EXPECT_EQ(opened(file, 100, "00"), "closed");
  EXPECT_EQ(opened(file, 100, "no key"), "closed");
}

TEST(EncryptedFile, WhatWasCutOffOrMovedDoesNotOpen) {
  constexpr std::size_t kSealed = kFileChunk + kStreamChunkOverhead;
  const std::string file = encrypted(content_of(2 * kFileChunk + 5));
  ASSERT_EQ(opened(file).size(), 2 * kFileChunk + 5);
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, kHead - 1, kHead, kHead + 16,
                                 kHead + kSealed, kHead + 2 * kSealed, file.size() - 1}) {
    EXPECT_EQ(opened(file.substr(0, size)), "closed") << size;
  }
  EXPECT_EQ(opened(file + "x"), "closed");
  EXPECT_EQ(opened(file + file.substr(kHead)), "closed");
  const std::string first = file.substr(kHead, kSealed);
  const std::string second = file.substr(kHead + kSealed, kSealed);
  const std::string rest = file.substr(kHead + 2 * kSealed);
  const std::string head = file.substr(0, kHead);
  EXPECT_EQ(opened(head + second + first + rest), "closed");
  EXPECT_EQ(opened(head + first + rest), "closed");
  EXPECT_EQ(opened(head + first + first + second + rest), "closed");
  // Between two files under one key.
  const std::string other = encrypted(content_of(2 * kFileChunk + 5));
  EXPECT_EQ(opened(head + first + other.substr(kHead + kSealed)), "closed");
}

TEST(EncryptedFile, TheTokenBelongsToIt) {
  std::string file = encrypted("content");
  file.replace(file.find("any-token"), 9, "ano-token");
  EXPECT_EQ(opened(file), "closed") << "nobody can put another key's token in front";
}

TEST(EncryptedFile, HeadsAreReadStrictly) {
  const std::string stream(kStreamHeaderSize, 'h');
  EXPECT_TRUE(read_file_head("paravent-file-1\nt\n" + stream));
  for (const std::string& bad :
       {std::string(), std::string("paravent-file-1"), "paravent-file-2\nt\n" + stream,
        "paravent-file-1\r\nt\n" + stream, "paravent-file-1\n\n" + stream,
        "paravent-file-1\n" + std::string(1024, 't') + "\n" + stream,
        "paravent-file-1\nt\n" + stream.substr(1), "paravent-file-1\nt" + stream}) {
    EXPECT_FALSE(read_file_head(bad)) << bad;
  }
  FileEncryptor file;
  std::string out;
  const Bytes key(kFileKeySize, 0);
  EXPECT_FALSE(file.begin(key, "", out));
  EXPECT_FALSE(file.begin(key, "a\nb", out));
  EXPECT_FALSE(file.begin(key, std::string(1024, 't'), out));
  EXPECT_FALSE(file.begin(Bytes(31, 0), kToken, out));
  EXPECT_EQ(out, "");
}

// Written by libsodium's own interface, by the format's page; so the format cannot change
// unnoticed.
TEST(EncryptedFile, OpensWhatAnotherProgramWrote) {
  ASSERT_TRUE(std::filesystem::exists("tests/vectors/encrypted-file/hello.pvfile"));
  const std::string file = test::whole_file("tests/vectors/encrypted-file/hello.pvfile");
  EXPECT_EQ(opened(file, 100, std::string(62, '0') + "2a"), "hello, file\n");
}

}  // namespace
}  // namespace paravent::crypto::reveal
