// ElementFilters: which [k=v] the elements of a JSON text satisfy, before the scanner has read
// them: `fields[name=email].value` may have its value in front of its name.
//
// Reads an element once, with all that lies inside of it and for all filters at a time, when the
// scanner comes to it; the elements inside are answered from what was found then. So a text is read
// once more than without filters, however many there are and however deep they lie. What is
// malformed or beyond the scanner's limits ends the reading, because it will end the scan.
//
// Memory: an entry for each element that some filter holds for, at most one a key; kept from text
// to text. One thread. Values that are looked at are wiped.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/plan/json_matcher.h"
#include "proxy/body/json.h"

namespace paravent::proxy::body {

class ElementFilters {
 public:
  void begin_text() noexcept;
  // What holds for the element that begins at the first byte, its brace. `object` goes on to the
  // end of its text. REQUIRES: of one text, asked in the order of the bytes, and always with the
  // same filters, at most 64, whose bits follow their order.
  FilterBits of(std::string_view object, std::span<const policies::JsonMatcher::Filter> filters);

 private:
  struct Element {
    const char* at;
    FilterBits bits;
  };
  struct Container {
    const char* at;
    bool is_array;
    bool is_element;
    FilterBits bits;
  };

  const char* read(std::string_view object, std::span<const policies::JsonMatcher::Filter> filters);
  void open(const char* p);
  void close();
  // Of a string with its quotes cut off.
  std::string_view decode(std::string_view inside, bool escaped);

  std::vector<Element> elements_;  // of the outermost element under way, in the order of the bytes
  std::size_t next_ = 0;           // of elements_
  const char* read_to_ = nullptr;
  std::vector<Container> open_;
  std::string decoded_;
};

}  // namespace paravent::proxy::body
