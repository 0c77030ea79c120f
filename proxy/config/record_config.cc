#include "proxy/config/record_config.h"

#include "crypto/audit/cosignature.h"
#include "policies/model/upstream_address.h"
#include "policies/model/yaml_reader.h"

namespace paravent::proxy::config {
namespace {

using policies::Diagnostics;
using policies::MapReader;
using policies::YamlNode;

constexpr std::uint32_t kLeastMonths = 1;
constexpr std::uint32_t kMostMonths = 120;

// http:// or https://, a host, and perhaps a path without query.
bool is_url(const std::string& text) {
  if (!text.starts_with("http://") && !text.starts_with("https://")) return false;
  const std::size_t slash = text.find('/', text.find("://") + 3);
  const auto parsed = policies::parse_upstream(text.substr(0, slash));
  if (!std::holds_alternative<policies::UpstreamAddress>(parsed)) return false;
  for (const char c : text) {
    if (c <= ' ' || c >= 0x7F || c == '#' || c == '?') return false;
  }
  return text.size() <= 1024;
}

void read_url(MapReader& map, std::string& out) {
  const auto url = map.text("url");
  if (!url) return;
  if (is_url(url->value)) {
    out = url->value;
  } else {
    map.diagnostics().error(url->at, map.key("url"), "not a URL to send checkpoints to",
                            "Write for example https://witness.example.org/log");
  }
}

void read_witness(const YamlNode& node, std::size_t number, AnchorConfig& config,
                  Diagnostics& out) {
  MapReader map(node, "anchor.witnesses[" + std::to_string(number) + "]", out);
  WitnessConfig witness;
  map.require("url", "Where its add-checkpoint is");
  read_url(map, witness.url);
  map.require("key", "NAME+ID+KEY, as the witness publishes it");
  if (const auto key = map.text("key")) {
    if (crypto::audit::parse_witness_key(key->value)) {
      witness.key = key->value;
    } else {
      out.error(key->at, map.key("key"), "not the key of a witness",
                "NAME+ID+KEY with an Ed25519 co-signature key (C2SP tlog-cosignature)");
    }
  }
  map.finish();
  config.witnesses.push_back(std::move(witness));
}

}  // namespace

void RecordConfig::take_paths_from(const std::filesystem::path& folder) {
  const bool is_folder = anchor.file.ends_with('/');
  for (std::string* file : {&anchor.file, &anchor.ca, &alarm_command}) {
    if (!file->empty()) *file = (folder / *file).lexically_normal();
  }
  if (is_folder && !anchor.file.ends_with('/')) anchor.file.push_back('/');
}

void read_anchor(const YamlNode& node, AnchorConfig& config, Diagnostics& out) {
  MapReader map(node, "anchor", out);
  if (const auto file = map.text("file")) config.file = file->value;
  read_url(map, config.url);
  if (const auto ca = map.text("ca")) config.ca = ca->value;
  if (const YamlNode* witnesses = map.find("witnesses")) {
    if (!witnesses->is_sequence()) {
      out.error(witnesses->at, "anchor.witnesses", "expected a list of witnesses",
                "Write for example [{ url: https://witness.example.org, key: NAME+ID+KEY }]");
    } else {
      for (std::size_t i = 0; i < witnesses->items.size(); ++i) {
        read_witness(witnesses->items[i], i, config, out);
      }
    }
  }
  if (const auto seconds = map.integer("seconds", 1, 3600)) config.seconds = seconds->value;
  if (map.is_map() && !config.enabled()) {
    out.error(node.at, "anchor", "an anchor needs a file, a url or witnesses",
              "Write for example anchor: { file: /mnt/elsewhere/checkpoints }");
  }
  if (!config.witnesses.empty() && config.file.empty() && config.url.empty()) {
    out.error(node.at, "anchor.witnesses", "what the witnesses sign has to be kept somewhere",
              "Add file or url");
  }
  map.finish();
}

void read_audit(const YamlNode& node, RecordConfig& config, Diagnostics& out) {
  MapReader map(node, "audit", out);
  if (const auto text = map.text("retention")) {
    const auto period = policies::parse_period(text->value);
    const std::uint32_t months = period ? period->months : 0;
    if (!period || period->days != 0 || months < kLeastMonths || months > kMostMonths) {
      out.error(text->at, "audit.retention", "expected whole months, from P1M to P10Y",
                "Write for example P1Y");
    } else {
      config.retention = *period;
    }
  }
  map.finish();
}

void read_alarm(const YamlNode& node, RecordConfig& config, Diagnostics& out) {
  MapReader map(node, "alarm", out);
  map.require("command", "A program that is run at each alarm");
  if (const auto command = map.text("command")) config.alarm_command = command->value;
  map.finish();
}

}  // namespace paravent::proxy::config
