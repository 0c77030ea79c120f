// paravent operators, grants, protect, login and enrol: clients of the admin API. What each option
// is for stands in access_commands.cc, where CLI11 is told.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace paravent::proxy::main {

struct AccessOptions {
  std::string command;  // operators, grants, protect, login, enrol; empty: another one
  std::string action;
  std::string name;  // an operator's
  std::string id;    // a grant's or a credential's
  std::string role;
  std::string type = "program";
  std::string tenant;
  std::string expires;
  std::vector<std::string> purposes;
  std::vector<std::string> paths;
  std::string reason;
  std::string purpose;
  std::string basis;
  std::vector<std::string> fields;
  std::vector<std::string> tokens;
  std::uint64_t subjects = 0;
  std::uint64_t values = 0;
  std::uint64_t hours = 8;
  std::string route;
  std::string grant;                     // that approved an operator change
  std::vector<std::string> assignments;  // FIELD=VALUE
  std::string out;
  bool html = false;
  std::string admin = "http://127.0.0.1:8081";
  std::string ca;
  std::string credential_file;
  bool json = false;
};

void add_access_commands(CLI::App& app, AccessOptions& options);
// REQUIRES: options.command is not empty.
int run_access(const AccessOptions& options);

}  // namespace paravent::proxy::main
