// A French postcode to its department.
//
//   75001, "75 001", F-75001, FR-75001 -> 75      the blanks and the sign of the country are
//   ignored 97400 -> 974, 98800 -> 988                    overseas: three digits 20000 to 20199 ->
//   2A, 20200 to 20699 -> 2B    Corsica
// A department's own code is accepted as it is (75, 2A, 974). A postcode says where its post office
// lies, so along some borders it is the neighbour's. Pure; no heap once `out` has room; any thread.

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::proxy {

// `malformed`, and `out` as it was: no French postcode, one of no department (the army's 00, 96,
// 99), or one that lost its leading zero.
crypto::Status department_of(std::string_view postcode, std::string& out);

}  // namespace paravent::proxy
