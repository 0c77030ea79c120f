// A self-test fails where a library, or the kernel's generator, is not right; this program stands
// in front of both. What a command then does is in proxy/main/main.cc: it ends before anything
// else.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/random.h>

#include <atomic>
#include <cstring>

#include "crypto/primitives/self_test.h"

namespace {

std::atomic<bool> accepts_everything{false};
std::atomic<bool> repeats_itself{false};

template <typename Function>
Function next_of(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int crypto_sign_ed25519_verify_detached(const unsigned char* signature,
                                                   const unsigned char* message,
                                                   unsigned long long size,
                                                   const unsigned char* key) {
  if (accepts_everything) return 0;
  using Verify =
      int (*)(const unsigned char*, const unsigned char*, unsigned long long, const unsigned char*);
  return next_of<Verify>("crypto_sign_ed25519_verify_detached")(signature, message, size, key);
}

extern "C" ssize_t getrandom(void* into, std::size_t size, unsigned flags) {
  if (repeats_itself) {
    std::memset(into, 7, size);
    return static_cast<ssize_t>(size);
  }
  using Draw = ssize_t (*)(void*, std::size_t, unsigned);
  return next_of<Draw>("getrandom")(into, size, flags);
}

namespace paravent::crypto {
namespace {

void expect_failure(const std::string& part) {
  const Status status = run_self_tests();
  ASSERT_FALSE(status.has_value()) << part;
  EXPECT_EQ(status.error().kind(), ErrorKind::verification);
  EXPECT_NE(status.error().sentence().find("self-test of " + part + " failed"), std::string::npos)
      << status.error().sentence();
}

TEST(SelfTestBroken, ALibraryThatAcceptsEverySignature) {
  ASSERT_TRUE(run_self_tests().has_value());
  accepts_everything = true;
  expect_failure("Ed25519");
  accepts_everything = false;
  EXPECT_TRUE(run_self_tests().has_value());
}

TEST(SelfTestBroken, AGeneratorThatRepeatsItself) {
  repeats_itself = true;
  expect_failure("the kernel's random generator");
  repeats_itself = false;
  EXPECT_TRUE(run_self_tests().has_value());
}

}  // namespace
}  // namespace paravent::crypto
