// With SoftHSM2, which the tests initialise themselves in a folder of their own. One program, one
// configuration of the module: it is read once per process.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <p11-kit/pkcs11.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/vault/unseal/pkcs11_provider.h"
#include "tests/crypto/vault/unseal/unseal_testing.h"

namespace paravent::crypto::vault {
namespace {

constexpr const char* kModule = "/usr/lib/softhsm/libsofthsm2.so";
constexpr const char* kPin = "483921";

int run_quietly(const std::vector<std::string>& arguments) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    if (std::freopen("/dev/null", "w", stdout) == nullptr) ::_exit(126);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

template <typename T>
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, T& value) {
  return {type, &value, sizeof value};
}

// The attributes of the one AES key of this label in a token, made first where `make` says how;
// through the module itself, beside whoever has it open.
struct KeyFacts {
  CK_BBOOL sensitive = CK_FALSE;
  CK_BBOOL extractable = CK_TRUE;
};

KeyFacts key_facts(const std::string& token, std::string label,
                   const std::optional<KeyFacts>& make = std::nullopt) {
  void* module = ::dlopen(kModule, RTLD_NOW | RTLD_LOCAL);
  const auto list =
      reinterpret_cast<CK_RV (*)(CK_FUNCTION_LIST**)>(::dlsym(module, "C_GetFunctionList"));
  CK_FUNCTION_LIST* calls = nullptr;
  EXPECT_EQ(list(&calls), CKR_OK);
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  (void)calls->C_Initialize(&arguments);  // it may be so already
  std::array<CK_SLOT_ID, 64> slots{};
  CK_ULONG count = slots.size();
  EXPECT_EQ(calls->C_GetSlotList(CK_TRUE, slots.data(), &count), CKR_OK);
  KeyFacts facts;
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_TOKEN_INFO info{};
    if (calls->C_GetTokenInfo(slots[i], &info) != CKR_OK) continue;
    if (!as_text(ByteView(info.label, sizeof info.label)).starts_with(token + " ")) continue;
    CK_SESSION_HANDLE session = 0;
    EXPECT_EQ(calls->C_OpenSession(slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr,
                                   &session),
              CKR_OK);
    std::string pin = kPin;
    (void)calls->C_Login(session, CKU_USER, reinterpret_cast<CK_UTF8CHAR*>(pin.data()), pin.size());
    CK_ATTRIBUTE name{CKA_LABEL, label.data(), label.size()};
    CK_OBJECT_HANDLE key = 0;
    if (make) {
      CK_BBOOL yes = CK_TRUE;
      CK_ULONG size = 32;
      KeyFacts wanted = *make;
      std::array<CK_ATTRIBUTE, 8> wish{attribute(CKA_TOKEN, yes),
                                       attribute(CKA_PRIVATE, yes),
                                       attribute(CKA_WRAP, yes),
                                       attribute(CKA_UNWRAP, yes),
                                       attribute(CKA_VALUE_LEN, size),
                                       attribute(CKA_SENSITIVE, wanted.sensitive),
                                       attribute(CKA_EXTRACTABLE, wanted.extractable),
                                       name};
      CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
      EXPECT_EQ(calls->C_GenerateKey(session, &mechanism, wish.data(), wish.size(), &key), CKR_OK);
    } else {
      CK_ULONG found = 0;
      EXPECT_EQ(calls->C_FindObjectsInit(session, &name, 1), CKR_OK);
      EXPECT_EQ(calls->C_FindObjects(session, &key, 1, &found), CKR_OK);
      EXPECT_EQ(found, 1U);
      calls->C_FindObjectsFinal(session);
    }
    std::array<CK_ATTRIBUTE, 2> asked{attribute(CKA_SENSITIVE, facts.sensitive),
                                      attribute(CKA_EXTRACTABLE, facts.extractable)};
    EXPECT_EQ(calls->C_GetAttributeValue(session, key, asked.data(), asked.size()), CKR_OK);
    calls->C_CloseSession(session);
    return facts;
  }
  ADD_FAILURE() << "no token " << token;
  return facts;
}

class Softhsm : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!std::filesystem::exists(kModule)) return;
    folder_ = new TempDir();
    std::filesystem::create_directory(tokens());
    write_text(folder_->path() / "softhsm2.conf",
               "directories.tokendir = " + tokens().string() +
                   "\nobjectstore.backend = file\nlog.level = ERROR\n");
    ::setenv("SOFTHSM2_CONF", (folder_->path() / "softhsm2.conf").c_str(), 1);
    for (const char* label :
         {"round-trip", "faults", "first", "second", "asked", "tries", "readable"})
      make_token(label);
    pulled_ = make_token("pulled");
  }
  static void TearDownTestSuite() {
    delete folder_;
    folder_ = nullptr;
  }
  void SetUp() override {
    if (folder_ == nullptr)
      GTEST_SKIP() << "SoftHSM2 is not installed (deploy/packages.txt, [test])";
  }

  static std::filesystem::path tokens() { return folder_->path() / "tokens"; }

  // The folder of a new token. Before the module is loaded: it looks for tokens once.
  static std::filesystem::path make_token(const std::string& label) {
    std::vector<std::filesystem::path> before;
    for (const auto& entry : std::filesystem::directory_iterator(tokens())) {
      before.push_back(entry.path());
    }
    EXPECT_EQ(run_quietly({"softhsm2-util", "--init-token", "--free", "--label", label, "--so-pin",
                           "12345678", "--pin", kPin}),
              0);
    for (const auto& entry : std::filesystem::directory_iterator(tokens())) {
      if (std::find(before.begin(), before.end(), entry.path()) == before.end())
        return entry.path();
    }
    return {};
  }

  static Pkcs11Provider provider(const KeysFolder& keys, const std::string& token,
                                 std::string pin = kPin, const std::string& key = "paravent-root") {
    return {keys.folder, {kModule, token, key}, [pin]() -> Result<SecretBytes> {
              return SecretBytes::copy_of(pin);
            }};
  }

  template <typename Provider>
  static void expect_established(Provider&& provider, const KeysFolder& keys) {
    const auto made = provider.establish(keys.root, keys.check.installation, RecordPlace::current);
    ASSERT_TRUE(made) << made.error().sentence();
  }

  static TempDir* folder_;
  static std::filesystem::path pulled_;
};

TempDir* Softhsm::folder_ = nullptr;
std::filesystem::path Softhsm::pulled_;

TEST_F(Softhsm, ANonExtractableKeyWrapsTheRootKeyAndOpensItAgain) {
  const KeysFolder keys;
  auto making = provider(keys, "round-trip");
  const auto made = making.establish(keys.root, keys.check.installation, RecordPlace::current);
  ASSERT_TRUE(made) << made.error().sentence();
  const KeyFacts facts = key_facts("round-trip", "paravent-root");
  EXPECT_EQ(facts.sensitive, CK_TRUE);
  EXPECT_EQ(facts.extractable, CK_FALSE);
  const auto root = provider(keys, "round-trip").open(keys.check);
  ASSERT_TRUE(root) << root.error().sentence();
  EXPECT_TRUE(opened(root, keys.root));
  // The same by a person's PIN.
  Pkcs11Provider asking(keys.folder, {kModule, "round-trip", "paravent-root"}, nullptr);
  EXPECT_FALSE(*asking.open(keys.check));
  EXPECT_TRUE(opened(asking.give(secret(std::string(kPin) + "\n"), keys.check), keys.root));
  EXPECT_TRUE(asking.present());
  asking.forget();
  EXPECT_FALSE(asking.present());
  // Again with the key that is there: it is used, not made anew.
  expect_established(making, keys);
  EXPECT_TRUE(opened(provider(keys, "round-trip").open(keys.check), keys.root));
}

TEST_F(Softhsm, EachFaultHasItsSentence) {
  const KeysFolder keys;
  expect_established(provider(keys, "faults"), keys);
  expect_sentence(provider(keys, "faults", "000000").open(keys.check).error(), ErrorKind::data,
                  "PIN of the token faults is wrong");
  expect_sentence(provider(keys, "faults", "1").open(keys.check).error(), ErrorKind::data,
                  "PIN of the token faults is wrong");
  expect_sentence(provider(keys, "absent").open(keys.check).error(), ErrorKind::data,
                  "no token labelled absent");
  expect_sentence(provider(keys, "faults", kPin, "other").open(keys.check).error(), ErrorKind::data,
                  "no AES key labelled other");
  Pkcs11Provider asking(keys.folder, {kModule, "faults", "paravent-root"}, nullptr);
  expect_sentence(asking.give(secret("000000"), keys.check).error(), ErrorKind::refused, "wrong");
  for (const char* module : {"/nonexistent/module.so", "libsofthsm2.so", "/etc/passwd", ""}) {
    Pkcs11Provider missing(keys.folder, {module, "faults", "paravent-root"},
                           []() -> Result<SecretBytes> { return SecretBytes::copy_of(kPin); });
    expect_sentence(missing.open(keys.check).error(), ErrorKind::configuration, "cannot be loaded");
  }
}

TEST_F(Softhsm, AnotherTokensKeyAndAnAlteredRecordDoNotOpen) {
  const KeysFolder keys;
  expect_established(provider(keys, "first"), keys);
  const KeysFolder other;
  expect_established(provider(other, "second"), other);
  expect_sentence(provider(keys, "second").open(keys.check).error(), ErrorKind::data,
                  "altered, or was made with another token");
  auto record = **read_unseal_record(keys.folder, RecordPlace::current);
  const UnsealRecord whole = record;
  std::get<Pkcs11Record>(record.body).wrapped[9] ^= 1;
  ASSERT_TRUE(write_unseal_record(keys.folder, RecordPlace::current, record));
  expect_sentence(provider(keys, "first").open(keys.check).error(), ErrorKind::data, "altered");
  // The set id lies inside the wrap: a wrap that was moved under another one does not open.
  record = whole;
  record.set[0] ^= 1;
  ASSERT_TRUE(write_unseal_record(keys.folder, RecordPlace::current, record));
  expect_sentence(provider(keys, "first").open(keys.check).error(), ErrorKind::data, "altered");
  // A whole record of another installation, by the same token.
  expect_established(provider(other, "first"), other);
  ASSERT_TRUE(write_unseal_record(keys.folder, RecordPlace::current,
                                  **read_unseal_record(other.folder, RecordPlace::current)));
  expect_sentence(provider(keys, "first").open(keys.check).error(), ErrorKind::data,
                  "another root key");
}

TEST_F(Softhsm, AKeyThatCouldBeReadOutIsNotTaken) {
  const KeysFolder keys;
  for (const auto& [label, facts] : {std::pair("extractable", KeyFacts{CK_TRUE, CK_TRUE}),
                                     std::pair("in-the-clear", KeyFacts{CK_FALSE, CK_FALSE})}) {
    key_facts("readable", label, facts);
    const auto made = provider(keys, "readable", kPin, label)
                          .establish(keys.root, keys.check.installation, RecordPlace::current);
    ASSERT_FALSE(made) << label;
    expect_sentence(made.error(), ErrorKind::data, "could be read out of the token");
    EXPECT_FALSE(*read_unseal_record(keys.folder, RecordPlace::current)) << "a record was written";
  }
}

TEST_F(Softhsm, ATokenThatIsPulledOutIsNoticed) {
  const KeysFolder keys;
  auto working = provider(keys, "pulled");
  expect_established(working, keys);
  ASSERT_TRUE(opened(working.open(keys.check), keys.root));
  EXPECT_TRUE(working.present());
  const auto elsewhere = folder_->path() / "pulled-out";
  std::filesystem::rename(pulled_, elsewhere);
  EXPECT_FALSE(working.present());
  EXPECT_FALSE(working.come_back(keys.check));
  std::filesystem::rename(elsewhere, pulled_);
  EXPECT_TRUE(working.come_back(keys.check));
  EXPECT_TRUE(working.present());
}

TEST_F(Softhsm, ATokenThatComesBackIsOpenedByAPersonsPinOnly) {
  const KeysFolder keys;
  expect_established(provider(keys, "asked"), keys);
  Pkcs11Provider asking(keys.folder, {kModule, "asked", "paravent-root"}, nullptr);
  ASSERT_TRUE(opened(asking.give(secret(kPin), keys.check), keys.root));
  asking.forget();
  EXPECT_FALSE(asking.come_back(keys.check));
  ASSERT_TRUE(opened(asking.give(secret(kPin), keys.check), keys.root));
  EXPECT_TRUE(asking.come_back(keys.check));
}

TEST_F(Softhsm, AWrongPinInAFileIsNotTriedAgainByItself) {
  const KeysFolder keys;
  expect_established(provider(keys, "tries"), keys);
  unsigned tries = 0;
  Pkcs11Provider working(keys.folder, {kModule, "tries", "paravent-root"},
                         [&tries]() -> Result<SecretBytes> {
                           ++tries;
                           return SecretBytes::copy_of("000000");
                         });
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(working.come_back(keys.check));
  EXPECT_EQ(tries, 1U);
}

}  // namespace
}  // namespace paravent::crypto::vault
