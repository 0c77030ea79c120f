// Proofs as files: made from a folder, checked with the public key alone, broken in every byte.

#include "crypto/audit/log_proof.h"

#include <gtest/gtest.h>

#include "crypto/audit/folder_prover.h"
#include "crypto/audit/log_reader.h"
#include "tests/crypto/audit/audit_support.h"

namespace paravent::crypto::audit {
namespace {

TEST(LogProof, EveryEntryOfLogsOfManySizes) {
  for (const int size : {1, 2, 3, 7, 8, 255, 256, 257, 600}) {
    TestLog test;
    append_some(*test.open(), size);
    const auto prover = FolderProver::open(test.path());
    ASSERT_TRUE(prover.has_value()) << prover.error().sentence();
    for (int index = 0; index<size; index += size> 20 ? 37 : 1) {
      const auto proof = prover->prove(static_cast<std::uint64_t>(index));
      ASSERT_TRUE(proof.has_value()) << size << "/" << index << proof.error().sentence();
      const auto read = parse_inclusion_proof(inclusion_proof_text(*proof));
      ASSERT_TRUE(read.has_value()) << read.error().sentence();
      const auto proven = verify_inclusion_proof(*read, prover->key());
      ASSERT_TRUE(proven.has_value()) << proven.error().sentence();
      EXPECT_EQ(proven->checkpoint.size, static_cast<std::uint64_t>(size));
      EXPECT_EQ(proven->leaf.open.sequence, static_cast<std::uint64_t>(index));
      EXPECT_EQ(proven->leaf.open.event, EventKind::reveal);
    }
    EXPECT_FALSE(prover->prove(static_cast<std::uint64_t>(size)).has_value());
  }
}

TEST(LogProof, EveryAlteredByteOfAnInclusionProof) {
  TestLog test;
  append_some(*test.open(), 5);
  const auto prover = FolderProver::open(test.path());
  const std::string good = inclusion_proof_text(*prover->prove(3));
  const auto holds = [&](const std::string& text) {
    const auto proof = parse_inclusion_proof(text);
    return proof && verify_inclusion_proof(*proof, prover->key()).has_value();
  };
  ASSERT_TRUE(holds(good));
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string altered = good;
    altered[i] = static_cast<char>(altered[i] ^ static_cast<char>(1U << (i % 8)));
    EXPECT_FALSE(holds(altered)) << "byte " << i;
    EXPECT_FALSE(holds(good.substr(0, i))) << "cut to " << i;
  }
  EXPECT_FALSE(holds(good + "\n"));
  const NoteKey other{prover->key().name, Ed25519Signer::create(test_seed(9))->public_key()};
  EXPECT_FALSE(verify_inclusion_proof(*parse_inclusion_proof(good), other).has_value());
}

TEST(LogProof, ALogContinuesEachOfItsEarlierCheckpoints) {
  TestLog test;
  std::vector<std::string> saved;
  for (const int more : {1, 2, 4, 250, 300}) {
    append_some(*test.open(), more);
    saved.push_back(test::whole_file(test.path() + "/checkpoint"));
  }
  const auto prover = FolderProver::open(test.path());
  for (const std::string& old : saved) {
    const auto size = open_checkpoint(old, prover->key())->size;
    const auto proof = prover->prove_from(size);
    ASSERT_TRUE(proof.has_value()) << proof.error().sentence();
    const auto read = parse_consistency_proof(consistency_proof_text(*proof));
    ASSERT_TRUE(read.has_value()) << read.error().sentence();
    const auto next = verify_consistency_proof(*read, old, prover->key());
    ASSERT_TRUE(next.has_value()) << next.error().sentence();
    EXPECT_EQ(next->size, 557U);
    // Against any other of them it does not hold.
    for (const std::string& other : saved) {
      if (other != old) {
        EXPECT_FALSE(verify_consistency_proof(*read, other, prover->key()).has_value());
      }
    }
  }
  EXPECT_FALSE(prover->prove_from(558).has_value());
}

TEST(LogProof, AForkAndARollbackAreNoContinuation) {
  TestLog test;
  append_some(*test.open(), 4);
  std::filesystem::copy(test.path(), test.folder.path("fork"),
                        std::filesystem::copy_options::recursive);
  append_some(*test.open(), 3);
  const std::string mine = test::whole_file(test.path() + "/checkpoint");
  std::filesystem::remove_all(test.path());
  std::filesystem::rename(test.folder.path("fork"), test.path());
  EXPECT_EQ(FolderProver::open(test.path())->prove_from(7).error().kind(), ErrorKind::verification);
  append_some(*test.open(), 5);
  const auto prover = FolderProver::open(test.path());
  const auto proof = prover->prove_from(7);
  ASSERT_TRUE(proof.has_value());
  EXPECT_FALSE(verify_consistency_proof(*proof, mine, prover->key()).has_value());
}

TEST(LogProof, NothingIsProvedFromAlteredFiles) {
  TestLog test;
  append_some(*test.open(), 20);
  for (const std::string& path : files_below(test.path())) {
    const std::string good = test::whole_file(path);
    for (const std::size_t at : {std::size_t{0}, good.size() / 2, good.size() - 1}) {
      std::string altered = good;
      altered[at] = static_cast<char>(altered[at] ^ 1);
      write_file(path, altered);
      const auto prover = FolderProver::open(test.path());
      bool all = prover.has_value();
      for (std::uint64_t i = 0; all && i < 20; ++i) all = prover->prove(i).has_value();
      EXPECT_FALSE(all) << path << " byte " << at;
    }
    write_file(path, good);
  }
  EXPECT_FALSE(FolderProver::open(test.folder.path("nowhere")).has_value());
}

TEST(LogProof, WhatIsNoProof) {
  for (const char* text :
       {"", "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v1\nextra AA==\nindex 0\n\n",
        "c2sp.org/tlog-proof@v2\n", "old 1\n", "old 01\n\n", "old -1\n\n", "old 1\nAA==\n\n"}) {
    EXPECT_FALSE(parse_inclusion_proof(text).has_value()) << text;
    EXPECT_FALSE(parse_consistency_proof(text).has_value()) << text;
  }
  TestLog test;
  append_some(*test.open(), 2);
  const std::string checkpoint = test::whole_file(test.path() + "/checkpoint");
  EXPECT_TRUE(parse_consistency_proof("old 0\n\n" + checkpoint).has_value());
  std::string many = "old 0\n";
  for (int i = 0; i < 64; ++i) many += to_base64(Hash{}) + "\n";
  EXPECT_FALSE(parse_consistency_proof(many + "\n" + checkpoint).has_value());
}

TEST(LogProof, ListsOfCheckpoints) {
  TestLog one;
  append_some(*one.open(), 2);
  const std::string first = test::whole_file(one.path() + "/checkpoint");
  append_some(*one.open(), 2);
  const std::string second = test::whole_file(one.path() + "/checkpoint");
  const auto both = split_checkpoints(first + second);
  ASSERT_TRUE(both.has_value());
  EXPECT_EQ(*both, (std::vector<std::string>{first, second}));
  EXPECT_EQ(split_checkpoints(first)->size(), 1U);
  EXPECT_FALSE(split_checkpoints("").has_value());
  EXPECT_FALSE(split_checkpoints(first + "\n").has_value());
  EXPECT_FALSE(split_checkpoints(first + second.substr(0, second.size() - 1)).has_value());
  EXPECT_FALSE(split_checkpoints("rubbish\n\n").has_value());
}

}  // namespace
}  // namespace paravent::crypto::audit
