// RecordConfig: what the gateway file says about the record: where its checkpoints go, how long its
// details stay, and what happens at an alarm. Plain data; files are only named here.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "policies/model/diagnostics.h"
#include "policies/model/period.h"
#include "policies/model/yaml_document.h"

namespace paravent::proxy::config {

struct WitnessConfig {
  std::string url;  // prefix of its add-checkpoint
  std::string key;  // checked: a witness's key
  bool operator==(const WitnessConfig&) const = default;
};

struct AnchorConfig {
  std::string file;  // a file, or a folder that exists; empty: none
  std::string url;   // POST; empty: none
  std::string ca;    // of url and witnesses; empty: the system's
  std::vector<WitnessConfig> witnesses;
  std::uint32_t seconds = 60;

  bool operator==(const AnchorConfig&) const = default;
  bool enabled() const { return !file.empty() || !url.empty() || !witnesses.empty(); }
};

struct RecordConfig {
  AnchorConfig anchor;
  // How long the details of a month stay after its end.
  policies::Period retention{12, 0};
  std::string alarm_command;  // run at an alarm; empty: none

  void take_paths_from(const std::filesystem::path& folder);
};

// anchor: { file, url, ca, witnesses: [{ url, key }], seconds }
void read_anchor(const policies::YamlNode& node, AnchorConfig& config, policies::Diagnostics& out);
// audit: { retention: P1Y }
void read_audit(const policies::YamlNode& node, RecordConfig& config, policies::Diagnostics& out);
// alarm: { command: FILE }
void read_alarm(const policies::YamlNode& node, RecordConfig& config, policies::Diagnostics& out);

}  // namespace paravent::proxy::config
