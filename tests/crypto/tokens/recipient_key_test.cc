#include "crypto/tokens/recipient_key.h"

#include <gtest/gtest.h>

#include "crypto/base/encoding.h"

namespace paravent::crypto {
namespace {

TEST(RecipientKey, OneSpelling) {
  const Bytes key(kRecipientKeySize, 0xA5);
  std::string public_text;
  append_public_key(key, public_text);
  std::string private_text;
  append_private_key(key, private_text);
  EXPECT_TRUE(public_text.starts_with("pvpub1"));
  EXPECT_TRUE(private_text.starts_with("pvpriv1"));
  EXPECT_EQ(public_text.size(), 64U);
  EXPECT_EQ(private_text.size(), 65U);
  const auto public_key = parse_public_key(public_text);
  ASSERT_TRUE(public_key);
  EXPECT_EQ(to_hex(*public_key), to_hex(key));
  const auto private_key = parse_private_key(private_text);
  ASSERT_TRUE(private_key);
  EXPECT_EQ(to_hex(private_key->bytes()), to_hex(key));

  EXPECT_FALSE(parse_public_key(private_text)) << "a private key is not taken for a public one";
  EXPECT_FALSE(parse_private_key(public_text));
  std::string upper = public_text;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_FALSE(parse_public_key(upper));
  EXPECT_FALSE(parse_public_key(public_text + " "));
  EXPECT_FALSE(parse_public_key(" " + public_text));
  EXPECT_FALSE(parse_public_key(public_text.substr(0, 63)));
  EXPECT_FALSE(parse_public_key(""));
  for (std::size_t i = 0; i < public_text.size(); ++i) {
    std::string edited = public_text;
    edited[i] = edited[i] == 'q' ? 'p' : 'q';
    const auto parsed = parse_public_key(edited);
    ASSERT_FALSE(parsed) << i;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::malformed);
    EXPECT_TRUE(parsed.error().sentence().empty());
  }
  std::string out;
  EXPECT_DEATH(append_public_key(Bytes(31, 1), out), "");
}

// RFC 7748 6.1, and the points of order 1, 2, 4 and 8 that every list of them names.
TEST(RecipientKey, PointsOfLowOrderAreNobodysKey) {
  for (const char* hex : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                          "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    std::string text;
    append_public_key(from_hex(hex).value(), text);
    EXPECT_FALSE(parse_public_key(text)) << hex;
  }
}

TEST(RecipientKey, LabelsAreApart) {
  const Bytes key(kRecipientKeySize, 1);
  EXPECT_NE(to_hex(recipient_key_id(key)), to_hex(recipient_key_id(Bytes(kRecipientKeySize, 2))));
  EXPECT_TRUE(content_key_info(key).starts_with("paravent/v1/seal-key"));
  EXPECT_EQ(content_key_info(key).size(), 20U + 2 + 16);
  EXPECT_EQ(sealed_value_info("ctx"), "paravent/v1/sealctx");
}

}  // namespace
}  // namespace paravent::crypto
