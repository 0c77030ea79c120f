// Credentials and values never go to another machine in the clear.

#include "proxy/main/commands/admin_client.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "proxy/admin/admin_server.h"
#include "proxy/main/commands/exit_code.h"

namespace paravent::proxy::main {
namespace {

class Counting final : public admin::AdminHandler {
 public:
  admin::AdminResponse handle(const admin::AdminRequest&) override {
    ++asked;
    return {200, "application/json", "{}"};
  }
  std::atomic<int> asked{0};
};

TEST(AdminClient, HttpToAnotherMachineIsRefusedBeforeAnythingIsSent) {
  Counting handler;
  admin::AdminServerOptions options;
  options.port = 0;
  options.threads = 1;
  const auto server = admin::AdminServer::start(options, handler);
  ASSERT_TRUE(server);
  const std::string port = ":" + std::to_string((*server)->port());
  const auto credential = crypto::SecretBytes::copy_of("a credential");
  // The first two lead to this machine by names that say nothing of it.
  for (const char* host : {"0.0.0.0", "[::ffff:127.0.0.1]", "192.0.2.1", "[2001:db8::1]",
                           "gateway.example", "127.0.0.1.example", "localhost.example"}) {
    const AdminAddress at{"http://" + std::string(host) + port, {}};
    for (const auto& answer :
         {admin_post(at, "/v1/unseal", credential, "{}"), admin_get(at, "/v1/keys", credential)}) {
      ASSERT_FALSE(answer) << at.url;
      EXPECT_EQ(exit_code(answer.error().kind()), ExitCode::usage) << at.url;
      EXPECT_NE(answer.error().sentence().find("https"), std::string_view::npos);
    }
  }
  EXPECT_EQ(handler.asked, 0);
  EXPECT_TRUE(admin_post({"http://127.0.0.1" + port, {}}, "/v1/unseal", credential, "{}"));
  EXPECT_EQ(handler.asked, 1);
  // Whether somebody answers there is another matter.
  for (const char* url : {"http://127.1.2.3:1", "http://[::1]:1", "http://localhost:1",
                          "https://127.1.2.3:1", "unix:/nowhere/at/all"}) {
    const auto answer = admin_get({url, {}}, "/v1/keys", credential);
    ASSERT_FALSE(answer) << url;
    EXPECT_EQ(exit_code(answer.error().kind()), ExitCode::unreachable) << url;
  }
}

TEST(AdminClient, ACredentialFileHoldsOneCredential) {
  std::string file = (std::filesystem::temp_directory_path() / "paravent-XXXXXX").string();
  const int made = ::mkstemp(file.data());
  ASSERT_GE(made, 0);
  ::close(made);
  const auto read = [&file](std::string_view text) -> std::string {
    std::ofstream(file, std::ios::binary) << text;
    const auto credential = read_credential(file);
    if (!credential) return std::string(credential.error().sentence());
    return std::string(crypto::as_text(credential->bytes()));
  };
  for (const char* text :
       {"pvcred_a-B_9", "pvcred_a-B_9\n", "\xEF\xBB\xBFpvcred_a-B_9\r\n", " \t pvcred_a-B_9 \n\n",
        "\xEF\xBB\xBF{\"credential\":\"pvcred_a-B_9\"}\n"}) {
    EXPECT_EQ(read(text), "pvcred_a-B_9") << text;
  }
  EXPECT_EQ(read("eyJhb.eyJ-._~+/=.x=="), "eyJhb.eyJ-._~+/=.x==");
  for (const char* text : {"pvcred_a\npvcred_b\n", "\"pvcred_a\"", "Bearer pvcred_a",
                           "Authorization: Bearer pvcred_a\n", "pvcred_a # mine"}) {
    const std::string sentence = read(text);
    EXPECT_NE(sentence.find("alone, on one line"), std::string::npos) << text;
    EXPECT_EQ(sentence.find("pvcred"), std::string::npos);
  }
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace paravent::proxy::main
