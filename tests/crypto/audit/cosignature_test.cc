// Co-signatures of witnesses: what is taken, and what counts when a log is verified.

#include "crypto/audit/cosignature.h"

#include <gtest/gtest.h>

#include "tests/crypto/audit/audit_support.h"

namespace paravent::crypto::audit {
namespace {

const Ed25519Signer& witness_signer(std::uint8_t seed) {
  static std::map<std::uint8_t, Ed25519Signer> signers;
  return signers.try_emplace(seed, *Ed25519Signer::create(test_seed(seed))).first->second;
}

WitnessKey witness(const std::string& name, std::uint8_t seed) {
  return {name, witness_signer(seed).public_key()};
}

TEST(Cosignature, KeyHasOneSpelling) {
  const WitnessKey key = witness("witness.example/w1", 31);
  const auto parsed = parse_witness_key(key.text());
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(*parsed, key);
  // A log's own key is none, and the other way round.
  const NoteKey log{key.name, key.public_key};
  EXPECT_FALSE(parse_witness_key(log.text()).has_value());
  EXPECT_FALSE(parse_note_key(key.text()).has_value());
  for (std::size_t i = 0; i < key.text().size(); ++i) {
    std::string altered = key.text();
    altered[i] = static_cast<char>(altered[i] ^ 1);
    EXPECT_FALSE(parse_witness_key(altered).has_value()) << i;
  }
  EXPECT_FALSE(parse_witness_key(key.text() + "\n").has_value());
  EXPECT_FALSE(parse_witness_key("").has_value());
}

TEST(Cosignature, TheMessageIsTheOneOfTheSpecification) {
  const std::string text = "example.com/log\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
  const std::string line = cosign(text, "witness.example/w1", witness_signer(31), 1679315147);
  const auto note = parse_signed_note(text + "\n" + line);
  ASSERT_TRUE(note.has_value());
  ASSERT_EQ(note->signatures.size(), 1U);
  const Bytes& blob = note->signatures[0].signature;
  ASSERT_EQ(blob.size(), 72U);
  EXPECT_EQ(to_hex(ByteView(blob).first(8)),
            "000000006418"
            "50cb");
  EXPECT_TRUE(ed25519_verify(witness_signer(31).public_key(),
                             as_bytes("cosignature/v1\ntime 1679315147\n" + text),
                             ByteView(blob).subspan(8)));
  EXPECT_EQ(verify_cosignature(*note, witness("witness.example/w1", 31)).value(), 1679315147U);
  EXPECT_FALSE(verify_cosignature(*note, witness("witness.example/w2", 31)).has_value());
  EXPECT_FALSE(verify_cosignature(*note, witness("witness.example/w1", 32)).has_value());
}

TEST(Cosignature, AWrongOneIsRefusedWhateverElseStandsThere) {
  const std::string text = "example.com/log\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
  const std::string good = cosign(text, "w1", witness_signer(31), 5);
  const std::string other = cosign("other\n3\nAA==\n", "w1", witness_signer(31), 5);
  const auto note = parse_signed_note(text + "\n" + good + other);
  ASSERT_TRUE(note.has_value());
  EXPECT_FALSE(verify_cosignature(*note, witness("w1", 31)).has_value());
  // A time that the format does not know, and a plain signature under the witness's key id.
  const std::string beyond = cosign(text, "w1", witness_signer(31), ~std::uint64_t{0} >> 1U);
  EXPECT_TRUE(verify_cosignature(*parse_signed_note(text + "\n" + beyond), witness("w1", 31)));
  const std::string too_late = cosign(text, "w1", witness_signer(31), std::uint64_t{1} << 63U);
  EXPECT_FALSE(verify_cosignature(*parse_signed_note(text + "\n" + too_late), witness("w1", 31)));
  std::string blob(as_text(witness("w1", 31).id()));
  blob.append(64, 'x');
  const auto plain = parse_signed_note(text + "\n" + signature_line("w1", as_bytes(blob)));
  EXPECT_FALSE(verify_cosignature(*plain, witness("w1", 31)).has_value());
}

TEST(Cosignature, OfAnAnswerOnlyWhatIsValidIsTaken) {
  TestLog test;
  auto log = test.open();
  append_some(*log, 3);
  const std::string checkpoint = log->checkpoint_in_files().value();
  const std::string text = parse_signed_note(checkpoint)->text;
  const std::string one = cosign(text, "w1", witness_signer(31), 7);
  const std::string two = cosign(text, "w2", witness_signer(32), 8);
  const std::string forged = cosign(text, "w2", witness_signer(33), 9);
  const std::string stale = cosign("x\n1\nAA==\n", "w1", witness_signer(31), 6);
  const std::vector<WitnessKey> known{witness("w1", 31), witness("w2", 32)};
  EXPECT_EQ(take_cosignatures(checkpoint, one + two, known), one + two);
  EXPECT_EQ(take_cosignatures(checkpoint, stale + forged + two, known), two);
  EXPECT_EQ(take_cosignatures(checkpoint, one, {}), "");
  EXPECT_EQ(take_cosignatures(checkpoint, "", known), "");
  EXPECT_EQ(take_cosignatures(checkpoint, "\n" + one, known), "");
  EXPECT_EQ(take_cosignatures(checkpoint, "lies\n\n" + one, known), "");
  EXPECT_EQ(take_cosignatures("rubbish", one, known), "");
  // What was taken stands behind the checkpoint and verifies there.
  const auto note = parse_signed_note(checkpoint + one + two);
  ASSERT_TRUE(note.has_value());
  EXPECT_EQ(verify_cosignature(*note, known[1]).value(), 8U);
  EXPECT_TRUE(open_checkpoint(checkpoint + one, log->key()).has_value());
}

TEST(Cosignature, TheVerifierCountsWitnesses) {
  TestLog test;
  append_some(*test.open(), 3);
  const std::string checkpoint = test::whole_file(test.path() + "/checkpoint");
  const std::string text = parse_signed_note(checkpoint)->text;
  append_some(*test.open(), 3);
  VerifyOptions options;
  options.witnesses = {witness("w1", 31), witness("w2", 32)};
  options.quorum = 1;
  EXPECT_NE(test.verify(options), "");  // nothing saved was given
  options.checkpoints = {checkpoint};
  EXPECT_NE(test.verify(options), "");  // not co-signed
  const std::string once = checkpoint + cosign(text, "w1", witness_signer(31), 1'790'000'000);
  options.checkpoints = {once};
  EXPECT_EQ(test.verify(options), "");
  const LogReport report = verify_log(test.path(), options);
  EXPECT_NE(report.compared.back().find("co-signed by w1 at 1790000000"), std::string::npos);
  options.quorum = 2;
  EXPECT_NE(test.verify(options), "");
  options.checkpoints = {once + cosign(text, "w2", witness_signer(32), 1)};
  EXPECT_EQ(test.verify(options), "");
  options.checkpoints = {once + cosign(text, "w2", witness_signer(31), 1)};
  EXPECT_NE(test.verify(options), "") << "a witness's line with another key's signature";
}

}  // namespace
}  // namespace paravent::crypto::audit
