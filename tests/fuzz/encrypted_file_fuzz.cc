// Any bytes as an encrypted file: the head is read within its bounds, and nothing opens.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "crypto/reveal/file_opener.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace reveal = paravent::crypto::reveal;
  std::string_view file(reinterpret_cast<const char*>(data), size);
  const auto head = reveal::read_file_head(file);
  auto opener = reveal::FileOpener::start(std::string(64, 'a'), file);
  if (head.has_value() != opener.has_value()) std::abort();
  if (!head) return 0;
  if (head->size > size || head->token.empty()) std::abort();
  std::string out;
  const bool fed = opener->feed(file.substr(head->size), out).has_value();
  // A file under this key would have to be forged.
  if ((fed && opener->end(out)) || !out.empty()) std::abort();
  return 0;
}
