// RFC 6962 hashing and proofs: the published vectors, good and damaged, and our own proofs of every
// small tree, whole and altered.

#include "crypto/audit/merkle.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>
#include <optional>

#include "crypto/audit/merkle_proof.h"
#include "crypto/base/encoding.h"
#include "tests/support/whole_file.h"

namespace paravent::crypto::audit {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

Result<Hash> hash_of(const json::value& value) {
  const Result<Bytes> bytes = from_base64(std::string_view(value.as_string()));
  if (!bytes) return bytes.error();
  return hash_from_bytes(*bytes);
}

Result<std::vector<Hash>> proof_of(const json::value& value) {
  std::vector<Hash> proof;
  if (value.is_null()) return proof;
  for (const json::value& node : value.as_array()) {
    const Result<Hash> hash = hash_of(node);
    if (!hash) return hash.error();
    proof.push_back(*hash);
  }
  return proof;
}

// Whether the case's claim is accepted; what is no hash at all is a refusal too.
bool accepts_inclusion(const json::object& c) {
  const auto root = hash_of(c.at("root"));
  const auto leaf = hash_of(c.at("leafHash"));
  const auto proof = proof_of(c.at("proof"));
  if (!root || !leaf || !proof) return false;
  return verify_inclusion(c.at("leafIdx").to_number<std::uint64_t>(),
                          c.at("treeSize").to_number<std::uint64_t>(), *leaf, *proof, *root)
      .has_value();
}

bool accepts_consistency(const json::object& c) {
  const auto root1 = hash_of(c.at("root1"));
  const auto root2 = hash_of(c.at("root2"));
  const auto proof = proof_of(c.at("proof"));
  if (!root1 || !root2 || !proof) return false;
  return verify_consistency(c.at("size1").to_number<std::uint64_t>(),
                            c.at("size2").to_number<std::uint64_t>(), *root1, *root2, *proof)
      .has_value();
}

TEST(MerkleVectors, EveryCaseOfTheFiles) {
  int good = 0;
  int damaged = 0;
  for (const auto& at : fs::recursive_directory_iterator("tests/vectors/merkle")) {
    if (at.path().extension() != ".json") continue;
    const std::string text = test::whole_file(at.path());
    const json::object c = json::parse(text).as_object();
    const bool wanted = !c.at("wantErr").as_bool();
    const bool accepted = c.contains("leafIdx") ? accepts_inclusion(c) : accepts_consistency(c);
    EXPECT_EQ(accepted, wanted) << at.path() << ": " << c.at("desc");
    ++(wanted ? good : damaged);
  }
  EXPECT_GE(good, 7);
  EXPECT_GE(damaged, 80);
}

// All leaves in memory.
class Table final : public NodeSource {
 public:
  explicit Table(std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      leaves_.push_back(hash_leaf(as_bytes(std::to_string(i))));
  }
  Result<Hash> node(unsigned level, std::uint64_t index) const override {
    if (level == 0) return leaves_.at(index);
    return hash_node(*node(level - 1, 2 * index), *node(level - 1, 2 * index + 1));
  }
  const Hash& leaf(std::size_t i) const { return leaves_.at(i); }

 private:
  std::vector<Hash> leaves_;
};

TEST(Merkle, EmptyTreeAndPrefixes) {
  EXPECT_EQ(to_hex(CompactRange().root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  // RFC 6962: the leaf of the empty string is SHA-256(0x00).
  EXPECT_EQ(to_hex(hash_leaf({})),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  const Hash zero{};
  Bytes joined(65, 0);
  joined[0] = 1;
  EXPECT_EQ(hash_node(zero, zero), sha256(joined));
}

TEST(Merkle, IncrementalRootIsTheRecursiveRoot) {
  const Table table(300);
  CompactRange range;
  for (std::size_t size = 0; size < 300; ++size) {
    ASSERT_EQ(range.root(), *tree_root(size, table)) << size;
    range.append(table.leaf(size));
  }
}

TEST(Merkle, InclusionProofsOfEverySmallTree) {
  const Table table(70);
  for (std::uint64_t size = 1; size <= 70; ++size) {
    const Hash root = *tree_root(size, table);
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto proof = inclusion_proof(index, size, table);
      ASSERT_TRUE(proof.has_value());
      EXPECT_TRUE(verify_inclusion(index, size, table.leaf(index), *proof, root).has_value());
      EXPECT_FALSE(verify_inclusion(index + 1, size, table.leaf(index), *proof, root).has_value());
      auto longer = *proof;
      longer.push_back(root);
      EXPECT_FALSE(verify_inclusion(index, size, table.leaf(index), longer, root).has_value());
      for (std::size_t i = 0; i < proof->size(); ++i) {
        auto altered = *proof;
        altered[i][31] ^= 1U;
        EXPECT_FALSE(verify_inclusion(index, size, table.leaf(index), altered, root).has_value());
      }
    }
  }
  EXPECT_FALSE(inclusion_proof(70, 70, table).has_value());
}

TEST(Merkle, ConsistencyProofsOfEverySmallPair) {
  const Table table(50);
  for (std::uint64_t size2 = 0; size2 <= 50; ++size2) {
    const Hash root2 = *tree_root(size2, table);
    for (std::uint64_t size1 = 0; size1 <= size2; ++size1) {
      const Hash root1 = *tree_root(size1, table);
      const auto proof = consistency_proof(size1, size2, table);
      ASSERT_TRUE(proof.has_value());
      EXPECT_TRUE(verify_consistency(size1, size2, root1, root2, *proof).has_value())
          << size1 << " " << size2;
      Hash forged = root1;
      forged[0] ^= 1U;
      EXPECT_FALSE(verify_consistency(size1, size2, forged, root2, *proof).has_value());
      if (size1 != size2) {
        EXPECT_FALSE(verify_consistency(size2, size1, root2, root1, *proof).has_value());
      }
      for (std::size_t i = 0; i < proof->size(); ++i) {
        auto altered = *proof;
        altered[i][0] ^= 0x80U;
        EXPECT_FALSE(verify_consistency(size1, size2, root1, root2, altered).has_value());
      }
    }
  }
  EXPECT_FALSE(consistency_proof(3, 2, table).has_value());
}

TEST(Merkle, OnlyThirtyTwoBytesAreAHash) {
  EXPECT_FALSE(hash_from_bytes(Bytes(31)).has_value());
  EXPECT_FALSE(hash_from_bytes(Bytes(33)).has_value());
  EXPECT_TRUE(hash_from_bytes(Bytes(32)).has_value());
}

}  // namespace
}  // namespace paravent::crypto::audit
