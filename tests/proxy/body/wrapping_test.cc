#include "proxy/body/wrapping.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace paravent::proxy::body {
namespace {

std::optional<std::string> base64(std::string_view text, Base64Alphabet alphabet,
                                  bool* padded = nullptr) {
  std::string out = "kept ";
  bool has = false;
  if (!unwrap_base64(text, alphabet, has, out)) {
    EXPECT_EQ(out, "kept ") << text;
    return std::nullopt;
  }
  if (padded != nullptr) *padded = has;
  return out.substr(5);
}

// RFC 4648 section 10.
TEST(Base64, TheVectorsOfTheStandard) {
  const std::string texts[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
  const std::string padded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
  for (std::size_t i = 0; i < 7; ++i) {
    for (const Base64Alphabet alphabet : {Base64Alphabet::standard, Base64Alphabet::url}) {
      EXPECT_EQ(base64(padded[i], alphabet), texts[i]);
      const std::string bare = padded[i].substr(0, padded[i].find('='));
      EXPECT_EQ(base64(bare, alphabet), texts[i]);
      std::string out;
      wrap_base64(texts[i], alphabet, true, out);
      EXPECT_EQ(out, padded[i]);
      out.clear();
      wrap_base64(texts[i], alphabet, false, out);
      EXPECT_EQ(out, bare);
    }
  }
}

TEST(Base64, PaddingIsSpelledAsItCame) {
  bool padded = false;
  base64("Zg==", Base64Alphabet::url, &padded);
  EXPECT_TRUE(padded);
  base64("Zg", Base64Alphabet::standard, &padded);
  EXPECT_FALSE(padded);
  // Where the length needs none, as the alphabet's users do.
  base64("Zm9v", Base64Alphabet::standard, &padded);
  EXPECT_TRUE(padded);
  base64("Zm9v", Base64Alphabet::url, &padded);
  EXPECT_FALSE(padded);
}

TEST(Base64, OneAlphabetAndNothingElse) {
  const std::string bytes("\xFB\xEF\xFF", 3);
  EXPECT_EQ(base64("++//", Base64Alphabet::standard), bytes);
  EXPECT_EQ(base64("--__", Base64Alphabet::url), bytes);
  EXPECT_FALSE(base64("++//", Base64Alphabet::url));
  EXPECT_FALSE(base64("--__", Base64Alphabet::standard));
  for (const char* wrong : {"Z", "Zg=", "Zg===", "=", "==", "Zg==Zg==", "Zm9v=", "Zm 9v", "Zm9v\n",
                            "Zh==", "Zm9=", "Zm-v", "Zm9v====", "\xC3\xA9=="}) {
    EXPECT_FALSE(base64(wrong, Base64Alphabet::standard)) << wrong;
  }
}

TEST(Percent, OneLayer) {
  std::string out;
  EXPECT_TRUE(unwrap_percent("%7B%22a%22%3a1%7d+b", out));
  EXPECT_EQ(out, "{\"a\":1}+b");
  for (const char* wrong : {"%", "%2", "%zz", "a%00", "%%20"}) {
    out = "kept";
    EXPECT_FALSE(unwrap_percent(wrong, out)) << wrong;
    EXPECT_EQ(out, "kept");
  }
  out.clear();
  wrap_percent("{\"a\":1} ~", out);
  EXPECT_EQ(out, "%7B%22a%22%3A1%7D%20~");
}

}  // namespace
}  // namespace paravent::proxy::body
