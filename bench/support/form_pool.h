// The contact forms that the load generator sends: five fields, about 260 bytes, as a browser would
// encode them. The values are made from a seed, so that a run can be repeated, and there are many
// of them, so that no cache answers in the place of the work. The responder makes the same pool to
// know the clear values that must not reach it.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace paravent::bench {

inline constexpr std::size_t kFieldCount = 5;
inline constexpr std::array<std::string_view, kFieldCount> kFieldNames = {"name", "email", "phone",
                                                                          "city", "message"};

inline constexpr std::uint64_t kDefaultSeed = 20260101;
inline constexpr std::size_t kDefaultForms = 2048;

struct Form {
  std::array<std::string, kFieldCount> values;  // clear, UTF-8
  std::string body;                             // application/x-www-form-urlencoded
};

std::vector<Form> make_forms(std::uint64_t seed, std::size_t count);

// A space becomes '+', unreserved bytes stay, everything else becomes %XX, as in the URL standard's
// application/x-www-form-urlencoded serialiser.
std::string form_encode(std::string_view text);

}  // namespace paravent::bench
