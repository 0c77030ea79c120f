// Any bytes as what a data backup says was settled about keys and people: what is accepted has one
// spelling, and undoes nothing of itself.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/main/installation/key_facts_file.h"
#include "proxy/main/installation/undone_facts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto facts = proxy::main::parse_key_facts(text);
  if (!facts) {
    if (facts.error().kind() != crypto::ErrorKind::malformed) std::abort();
    return 0;
  }
  if (proxy::main::key_facts_text(*facts) != text) std::abort();
  const auto undone = proxy::main::undone_facts(*facts, *facts, crypto::WallTime());
  if (!undone.clauses.empty() || !undone.people.empty()) std::abort();
  // All of it is undone by keys that know nothing.
  const auto all = proxy::main::undone_facts(*facts, {}, crypto::WallTime());
  if (all.people.size() != facts->marks.size()) std::abort();
  return 0;
}
