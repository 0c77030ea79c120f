// The options of every command that is a client of the admin API.

#pragma once

#include <CLI/CLI.hpp>

namespace paravent::proxy::main {

template <typename ClientOptions>
void add_admin_address(CLI::App* command, ClientOptions& options) {
  command->add_option("--admin", options.admin,
                      "Admin API (default http://127.0.0.1:8081; of another machine https)");
  command->add_option("--ca", options.ca,
                      "Authority of the admin API's certificate (default: the system's)");
}

}  // namespace paravent::proxy::main
