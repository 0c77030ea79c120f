// Result<T>: a value or an Error. How every fallible function of the house answers.
//
// An Error names a kind (which decides the exit code of a command and the status of an answer) and
// a sentence for the operator. The sentence never contains a field value, a key or a credential.
// Errors are plain values: copyable, owned by whoever holds them, no thread rules. On the data path
// the kinds without a sentence are used, so that refusing costs no allocation.

#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <utility>

namespace paravent::crypto {

enum class ErrorKind : std::uint8_t {
  internal,       // a defect or an exhausted resource of this process
  usage,          // the caller asked for something that makes no sense
  configuration,  // a policy or a gateway file is wrong
  data,           // a key, a store or a file on disk is missing, altered or foreign
  verification,   // a signature, a proof or a test failed
  unreachable,    // a peer or a service could not be reached
  refused,        // not allowed
  malformed,      // bytes from outside that do not have the required form
  busy,           // held by another process, or a port in use
  disk_full,      // nothing more can be written
  sealed,         // the keys are not available
};

class [[nodiscard]] Error {
 public:
  Error() noexcept = default;
  Error(ErrorKind kind) noexcept : kind_(kind) {}  // NOLINT(google-explicit-constructor)
  Error(ErrorKind kind, std::string sentence) : kind_(kind), sentence_(std::move(sentence)) {}

  ErrorKind kind() const noexcept { return kind_; }
  const std::string& sentence() const noexcept { return sentence_; }

 private:
  ErrorKind kind_ = ErrorKind::internal;
  std::string sentence_;
};

// Reached only by calling value() on an error, which is a broken invariant: ends the process.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location&);

template <typename T>
using Result = boost::system::result<T, Error>;

using Status = Result<void>;

}  // namespace paravent::crypto
