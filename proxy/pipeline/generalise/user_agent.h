// User agents to what audience statistics and bot filters need, too little to single a browser out.
//
// A browser is its family and major version: Chrome, Edg (Edge), Firefox, OPR (Opera),
// SamsungBrowser, Safari, Vivaldi. A browser that is built on one of these and is not listed, a web
// view inside an app and a browser on iOS under another name count as what they are built on;
// WebKit inside an app of iOS has the version of the system. Crawlers, monitors and scripts are
// "bot". All else is unknown: small families would be a fingerprint.
//
// Pure; one pass, no heap once `out` has room; any thread. Any bytes; idempotent.

#pragma once

#include <string>
#include <string_view>

namespace paravent::proxy {

// In the form of a user agent, for software that reads one: "Mozilla/5.0 Firefox/128.0",
// "Mozilla/5.0 (bot)", "Mozilla/5.0" for the unknown.
void append_browser_family(std::string_view user_agent, std::string& out);

// In the form of a report: "Firefox/128", "bot", "other".
void append_browser_version(std::string_view user_agent, std::string& out);

}  // namespace paravent::proxy
