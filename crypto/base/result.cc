#include "crypto/base/result.h"

#include <cstdlib>

namespace paravent::crypto {

void throw_exception_from_error(const Error&, const boost::source_location&) { std::abort(); }

}  // namespace paravent::crypto
