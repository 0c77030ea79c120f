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

TEST(TokenPlaces, DamagedOnesAreCounted) {
  const std::string one = token(1);
  const auto damaged = [](const std::string& text, std::string_view one_class = {}) {
    return count_damaged_tokens(text, find_token_places(text), one_class);
  };
  EXPECT_EQ(damaged(""), 0U);
  EXPECT_EQ(damaged(one + " and <" + one + "@paravent.invalid>"), 0U);
  std::string typed = one;
  typed.back() = typed.back() == 'q' ? 'p' : 'q';
  EXPECT_EQ(damaged(one + "," + typed + "@paravent.invalid, " + typed), 2U);
  // As quoted-printable breaks a line: the beginning is long enough to be known.
  EXPECT_EQ(damaged("x " + one.substr(0, 30) + "=\r\n" + one.substr(30)), 1U);
  EXPECT_EQ(damaged("pve_AQteg6jVTFwp7WpTyiHsaj4H"), 1U);
  EXPECT_EQ(damaged("pve_AQteg6jVTFwp7WpTyiHsaj4H pvs_AQteg6jVTFwp7WpTyiHsaj4H", "pvs_"), 1U);
  // What only speaks of tokens, and words that hold the letters.
  EXPECT_EQ(damaged("pvv1, pve_... and pvv1qqqqqqqqqqq; xpvv1qqqqqqqqqqqqqqqqqqqqqq"), 0U);
}

}  // namespace
}  // namespace paravent::proxy::main
