// The proof vectors of transparency-dev/merkle: one case a file, an inclusion or a consistency
// proof, good or damaged. Hashes are base64; what does not decode to 32 bytes is a damaged proof.

#include <algorithm>
#include <boost/json/array.hpp>
#include <optional>
#include <string>
#include <vector>

#include "crypto/audit/merkle.h"
#include "crypto/base/encoding.h"
#include "crypto/vectors/suites.h"
#include "crypto/vectors/vector_case.h"

namespace paravent::crypto {
namespace {

std::optional<audit::Hash> read_hash(std::string_view text) {
  const auto bytes = from_base64(text);
  if (!bytes) return std::nullopt;
  const auto hash = audit::hash_from_bytes(*bytes);
  if (!hash) return std::nullopt;
  return *hash;
}

// nullopt: some hash is none.
std::optional<std::vector<audit::Hash>> read_proof(const boost::json::value& document) {
  std::vector<audit::Hash> proof;
  for (const auto& entry : array_member(document, "proof")) {
    if (!entry.is_string()) return std::nullopt;
    const auto hash = read_hash(entry.get_string());
    if (!hash) return std::nullopt;
    proof.push_back(*hash);
  }
  return proof;
}

bool has(const boost::json::value& document, std::string_view name) {
  const auto* object = document.if_object();
  return object != nullptr && object->contains(name);
}

bool wants_error(const boost::json::value& document) {
  const auto* wanted = document.get_object().if_contains("wantErr");
  return wanted != nullptr && wanted->is_bool() && wanted->get_bool();
}

bool verify(const boost::json::value& document, VectorCase& fields) {
  const auto proof = read_proof(document);
  if (has(document, "leafIdx")) {
    const auto index = fields.number("leafIdx");
    const auto size = fields.number("treeSize");
    const auto leaf = read_hash(string_member(document, "leafHash"));
    const auto root = read_hash(string_member(document, "root"));
    return proof && leaf && root && audit::verify_inclusion(index, size, *leaf, *proof, *root);
  }
  const auto size1 = fields.number("size1");
  const auto size2 = fields.number("size2");
  const auto root1 = read_hash(string_member(document, "root1"));
  const auto root2 = read_hash(string_member(document, "root2"));
  return proof && root1 && root2 && audit::verify_consistency(size1, size2, *root1, *root2, *proof);
}

}  // namespace

bool is_merkle(const boost::json::value& document) {
  return (has(document, "leafIdx") || has(document, "size1")) && has(document, "wantErr");
}

void run_merkle(const boost::json::value& document, VectorReport& report) {
  VectorCase fields(document);
  const bool verified = verify(document, fields);
  const std::string id(string_member(document, "desc"));
  if (!fields.complete()) return report.check(id, false, kIncompleteCase);
  report.check(id, verified != wants_error(document),
               verified ? "a damaged proof verifies" : "a good proof does not verify");
}

}  // namespace paravent::crypto
