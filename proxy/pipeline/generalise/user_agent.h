// User agent to browser family and major version: enough for audience statistics and bot filters,
// too little to single a browser out. Idempotent; unknown agents become the bare "Mozilla/5.0".

#pragma once

#include <string>
#include <string_view>

namespace paravent::proxy {

// Appends for example "Mozilla/5.0 Firefox/128.0".
void append_browser_family(std::string_view user_agent, std::string& out);

}  // namespace paravent::proxy
