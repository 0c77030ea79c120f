// What `paravent restore` says when it is done: what came back, as of when, what holds from now on,
// and what was undone or lost because somebody said so. Pure functions; no value, no reason of
// anybody's.

#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <string>

#include "proxy/main/installation/restorer.h"

namespace paravent::proxy::main {

boost::json::object restore_json(const Restored& restored, const std::filesystem::path& data,
                                 crypto::WallTime now);
std::string restore_text(const Restored& restored, const std::filesystem::path& data,
                         crypto::WallTime now);

}  // namespace paravent::proxy::main
