// Where the text of an answer goes.

#pragma once

#include <string>
#include <string_view>

namespace paravent::proxy::main {

// To standard output; or, where `file` is not empty, into a new file, durably, and standard output
// says so and `advice`. The exit code: a file that exists is not overwritten.
int write_answer(const std::string& file, std::string_view text, std::string_view advice = {});

}  // namespace paravent::proxy::main
