// What strength rules ask of a pass-phrase: counted where it lies, without a copy that somebody
// would have to wipe. Pure; any thread.

#pragma once

#include <cstddef>
#include <string_view>

namespace paravent::crypto {

struct PassphraseFacts {
  std::size_t characters = 0;      // code points, as UTF-8 begins them
  std::size_t classes = 0;         // of lower case, upper case, digits, others
  std::size_t distinct = 0;        // different bytes
  std::size_t words = 0;           // of three characters or more, between blanks and "-_.,"
  std::size_t distinct_words = 0;  // ASCII letters alike in both cases; at most 64 are looked at
  bool printable = true;           // no control character
};

PassphraseFacts passphrase_facts(std::string_view passphrase) noexcept;

// Whether it holds the name, ASCII letters alike in both cases. An empty name is nowhere.
bool holds_name(std::string_view passphrase, std::string_view name) noexcept;

}  // namespace paravent::crypto
