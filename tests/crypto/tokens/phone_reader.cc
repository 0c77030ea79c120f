// Our side of phone_oracle.py: reads "REGION<TAB>NUMBER" lines and answers each with the normal
// form, or "-" for a refusal.

#include <iostream>
#include <string>

#include "crypto/tokens/normaliser.h"

namespace pc = paravent::crypto;

int main() {
  std::string line;
  std::string out;
  while (std::getline(std::cin, line)) {
    const std::size_t tab = line.find('\t');
    if (tab == std::string::npos) return 2;
    const pc::NormaliserOptions options{std::string_view(line).substr(0, tab)};
    out.clear();
    const pc::Status status =
        pc::normalise(pc::Kind::phone, std::string_view(line).substr(tab + 1), options, out);
    if (!status && status.error().kind() != pc::ErrorKind::malformed) return 2;
    std::cout << (status ? out : "-") << '\n';
  }
  return 0;
}
