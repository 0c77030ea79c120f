#include "crypto/audit/log_proof.h"

#include <charconv>
#include <optional>

#include "crypto/base/encoding.h"

namespace paravent::crypto::audit {
namespace {

constexpr std::string_view kTitle = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kSignaturePrefix = "\xE2\x80\x94 ";
constexpr std::size_t kMostCheckpoints = 4096;

void append_line(std::string& out, ByteView hash) {
  append_base64(out, hash);
  out.push_back('\n');
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return number;
}

// Takes a proof's lines one by one and knows where it is.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  // nullopt at the end, or where the last line has none.
  std::optional<std::string_view> next() {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    ++number_;
    return line;
  }
  // What stands behind "WORD " in the next line.
  std::optional<std::string_view> next_of(std::string_view word) {
    const auto line = next();
    if (!line || !line->starts_with(word)) return std::nullopt;
    return line->substr(word.size());
  }
  std::string_view rest() const { return rest_; }
  Error fault() const {
    return {ErrorKind::malformed, "line " + std::to_string(number_) + " is not one of a proof"};
  }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

// The hashes, the empty line and the checkpoint, which both proofs end with.
Status read_end(Lines& lines, std::vector<Hash>& hashes, std::string& checkpoint) {
  for (;;) {
    const auto line = lines.next();
    if (!line) return lines.fault();
    if (line->empty()) break;
    const Result<Bytes> bytes = from_base64(*line);
    if (!bytes || hashes.size() == kMaxProofHashes) return lines.fault();
    const Result<Hash> hash = hash_from_bytes(*bytes);
    if (!hash) return lines.fault();
    hashes.push_back(*hash);
  }
  checkpoint = lines.rest();
  const Result<SignedNote> note = parse_signed_note(checkpoint);
  if (!note) return Error(ErrorKind::malformed, "the checkpoint: " + note.error().sentence());
  const Result<Checkpoint> parsed = parse_checkpoint_text(note->text);
  if (!parsed) return parsed.error();
  return {};
}

Error does_not_hold(const char* what) { return {ErrorKind::verification, what}; }

}  // namespace

std::string inclusion_proof_text(const InclusionProof& proof) {
  std::string out = std::string(kTitle) + "\nextra ";
  append_line(out, as_bytes(proof.leaf));
  out.append("index " + std::to_string(proof.index) + "\n");
  for (const Hash& hash : proof.hashes) append_line(out, hash);
  return out.append("\n").append(proof.checkpoint);
}

Result<InclusionProof> parse_inclusion_proof(std::string_view text) {
  Lines lines(text);
  InclusionProof proof;
  if (lines.next() != kTitle) return lines.fault();
  const auto extra = lines.next_of("extra ");
  const Result<Bytes> leaf = extra ? from_base64(*extra) : Result<Bytes>(lines.fault());
  if (!leaf || leaf->size() != kLeafSize) return lines.fault();
  proof.leaf = as_text(*leaf);
  const auto index_text = lines.next_of("index ");
  const auto index = index_text ? number_of(*index_text) : std::nullopt;
  if (!index) return lines.fault();
  proof.index = *index;
  if (Status end = read_end(lines, proof.hashes, proof.checkpoint); !end) return end.error();
  return proof;
}

Result<ProvenEntry> verify_inclusion_proof(const InclusionProof& proof, const NoteKey& key) {
  const Result<Checkpoint> checkpoint = open_checkpoint(proof.checkpoint, key);
  if (!checkpoint) return Error(ErrorKind::verification, checkpoint.error().sentence());
  const Result<Leaf> leaf = decode_leaf(as_bytes(proof.leaf));
  if (!leaf) return does_not_hold("The proof is not about an entry of an audit log.");
  if (leaf->open.sequence != proof.index) {
    return does_not_hold("The entry is another one than the proof says.");
  }
  Status included = verify_inclusion(proof.index, checkpoint->size, hash_leaf(as_bytes(proof.leaf)),
                                     proof.hashes, checkpoint->root);
  if (!included) return does_not_hold("The entry is not in the log of this checkpoint.");
  return ProvenEntry{*checkpoint, *leaf};
}

std::string consistency_proof_text(const ConsistencyProof& proof) {
  std::string out = "old " + std::to_string(proof.old_size) + "\n";
  for (const Hash& hash : proof.hashes) append_line(out, hash);
  return out.append("\n").append(proof.checkpoint);
}

Result<ConsistencyProof> parse_consistency_proof(std::string_view text) {
  Lines lines(text);
  ConsistencyProof proof;
  const auto size_text = lines.next_of("old ");
  const auto size = size_text ? number_of(*size_text) : std::nullopt;
  if (!size) return lines.fault();
  proof.old_size = *size;
  if (Status end = read_end(lines, proof.hashes, proof.checkpoint); !end) return end.error();
  return proof;
}

Result<Checkpoint> verify_consistency_proof(const ConsistencyProof& proof,
                                            std::string_view old_checkpoint, const NoteKey& key) {
  const Result<Checkpoint> old = open_checkpoint(old_checkpoint, key);
  if (!old) {
    return Error(ErrorKind::verification, "The earlier checkpoint: " + old.error().sentence());
  }
  Result<Checkpoint> next = open_checkpoint(proof.checkpoint, key);
  if (!next) {
    return Error(ErrorKind::verification, "The later checkpoint: " + next.error().sentence());
  }
  if (old->size != proof.old_size) {
    return does_not_hold("The proof is about another size than the earlier checkpoint's.");
  }
  if (!verify_consistency(old->size, next->size, old->root, next->root, proof.hashes)) {
    return does_not_hold("The later log does not continue the earlier one.");
  }
  return next;
}

Result<std::vector<std::string>> split_checkpoints(std::string_view text) {
  const Error bad(ErrorKind::malformed, "This is no list of checkpoints.");
  if (text.size() > kMaxCheckpointList) return bad;
  std::vector<std::string> notes;
  while (!text.empty()) {
    // To the end of the first run of signature lines behind an empty line.
    std::size_t at = text.find("\n\n");
    if (at == std::string_view::npos) return bad;
    at += 2;
    while (text.substr(at).starts_with(kSignaturePrefix)) {
      const std::size_t end = text.find('\n', at);
      if (end == std::string_view::npos) return bad;
      at = end + 1;
    }
    if (notes.size() == kMostCheckpoints) return bad;
    notes.emplace_back(text.substr(0, at));
    if (!parse_signed_note(notes.back())) return bad;
    text.remove_prefix(at);
  }
  if (notes.empty()) return bad;
  return notes;
}

}  // namespace paravent::crypto::audit
