// Strings of FF1 vectors as digits: the two ways in which published files write them.

#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paravent::crypto {

using Digits = std::vector<std::uint16_t>;

// The characters of an alphabet, in order: each is one code point.
std::vector<std::string_view> characters_of(std::string_view utf8);

// nullopt: a character that the alphabet lacks.
std::optional<Digits> digits_of_text(std::string_view text, std::string_view alphabet);

// From a JSON list of numbers. nullopt: not a list, or an entry that is no number below 65536.
std::optional<Digits> digits_of_list(const boost::json::value& list);

// True where radix^length is below what Ff1 accepts.
bool is_small_domain(std::uint64_t radix, std::size_t length) noexcept;

}  // namespace paravent::crypto
