// A file that a person named: what is read of it is all of it, or an error.

#include "proxy/main/io/text_file.h"

#include <gtest/gtest.h>

#include <string>

namespace paravent::proxy::main {
namespace {

TEST(TextFile, WhatCannotBeReadToItsEndIsAnError) {
  // A folder opens; at the beginning of /proc/self/mem nothing is mapped, so reading answers EIO.
  for (const char* path : {"/no/such/file", "/proc", "/proc/self/mem"}) {
    const auto text = read_text_file(path, 4096);
    ASSERT_FALSE(text) << path;
    EXPECT_EQ(text.error().kind(), crypto::ErrorKind::usage) << path;
    EXPECT_NE(text.error().sentence().find(path), std::string_view::npos) << path;
  }
  EXPECT_FALSE(read_text_file("/dev/zero", 4096));
  EXPECT_EQ(read_text_file("/dev/null", 4096).value(), "");
}

}  // namespace
}  // namespace paravent::proxy::main
