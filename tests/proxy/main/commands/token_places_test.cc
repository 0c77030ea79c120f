// Tokens in a text and values in their place: nothing else of the text moves.

#include "proxy/main/commands/token_places.h"

#include <gtest/gtest.h>

#include <array>

#include "crypto/tokens/token_text.h"

namespace paravent::proxy::main {
namespace {

std::string token(std::uint8_t number) {
  const std::array<std::uint8_t, 16> id{number};
  std::string text;
  crypto::write_vault_token(7, id, text);
  return text;
}

TEST(TokenPlaces, StandWhereTheyAre) {
  const std::string one = token(1);
  const std::string two = token(2);
  const std::string text = "<" + one + "> and " + two + "@paravent.invalid. x" + one;
  const auto places = find_token_places(text);
  ASSERT_EQ(places.size(), 2U);
  EXPECT_EQ(text.substr(places[0].begin, places[0].end - places[0].begin), one);
  EXPECT_EQ(text.substr(places[1].begin, places[1].end - places[1].begin),
            two + "@paravent.invalid");
  EXPECT_EQ(places[1].token, two);
}

TEST(TokenPlaces, OnlyWhatHasAValueIsReplaced) {
  const std::string one = token(1);
  const std::string two = token(2);
  const std::string text = "a\r\n" + one + "\t" + two + "@x.fr," + one;
  const auto places = find_token_places(text);
  ASSERT_EQ(places.size(), 3U);
  const auto replaced =
      replace_tokens(text, places, [&](const TokenPlace& place) -> std::optional<std::string> {
        if (place.token == one) return "ONE";
        return std::nullopt;
      });
  EXPECT_EQ(replaced.text, "a\r\nONE\t" + two + "@x.fr,ONE");
  EXPECT_EQ(replaced.kept, 1U);
  EXPECT_EQ(replace_tokens("no token", {}, nullptr).text, "no token");
}

}  // namespace
}  // namespace paravent::proxy::main
