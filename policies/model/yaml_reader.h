// MapReader: reads one YAML map strictly. Every key is asked for by name, exactly once; finish()
// reports the keys that nobody asked for. Faults go to the Diagnostics with the key's dotted path;
// the reader goes on, so that all of them are seen in one run.
//
// Borrows the node and the Diagnostics, which must outlive it. Used for policies, the gateway file
// and policy tests.

#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policies/model/diagnostics.h"
#include "policies/model/yaml_document.h"

namespace paravent::policies {

// One accepted word and what it means.
template <typename T>
struct Word {
  std::string_view text;
  T value;
};

std::string join_key(std::string_view parent, std::string_view key);

// Scalars. Each adds a diagnostic and answers nothing when the node is something else.
std::optional<std::string> read_text(const YamlNode& node, std::string_view key, Diagnostics& out);
std::optional<bool> read_bool(const YamlNode& node, std::string_view key, Diagnostics& out);
std::optional<std::uint64_t> read_integer(const YamlNode& node, std::string_view key,
                                          std::uint64_t least, std::uint64_t most,
                                          Diagnostics& out);
// A sequence of texts, or a single text where `or_single`.
std::vector<Located<std::string>> read_texts(const YamlNode& node, std::string_view key,
                                             bool or_single, Diagnostics& out);
// [A-Za-z0-9][A-Za-z0-9._-]{0,63}: what tenants, roles, recipients, purposes, routes, domains and
// spaces may be called; they appear in metrics and in `--rename OLD=NEW`.
bool is_name(std::string_view text) noexcept;
std::optional<std::string> read_name(const YamlNode& node, std::string_view key, Diagnostics& out);
bool check_name(std::string_view text, Position at, std::string_view key, Diagnostics& out);

class MapReader {
 public:
  // A node that is not a map is reported here, and then reads as an empty one.
  MapReader(const YamlNode& node, std::string key, Diagnostics& out);
  MapReader(const MapReader&) = delete;
  MapReader& operator=(const MapReader&) = delete;

  bool is_map() const noexcept { return node_.is_map(); }
  Position at() const noexcept { return node_.at; }
  const std::string& key() const noexcept { return key_; }
  std::string key(std::string_view name) const { return join_key(key_, name); }
  Diagnostics& diagnostics() noexcept { return out_; }

  // nullptr when absent. A key with a null value is reported and counts as absent.
  const YamlNode* find(std::string_view name);
  // As find, and reports an absent key.
  const YamlNode* require(std::string_view name, std::string hint = {});

  std::optional<Located<std::string>> text(std::string_view name);
  std::optional<Located<std::string>> name(std::string_view name);
  std::optional<Located<bool>> boolean(std::string_view name);
  std::optional<Located<std::uint32_t>> integer(std::string_view name, std::uint32_t least,
                                                std::uint32_t most);

  // A word of a closed set. `reserved`: words of a later version, which get their own message.
  template <typename T>
  std::optional<Located<T>> word(std::string_view name,
                                 std::type_identity_t<std::span<const Word<T>>> words,
                                 std::initializer_list<std::string_view> reserved = {});

  // A key of a later version: reported as not yet available when present.
  void reserve(std::string_view name, std::string hint = {});

  // Reports every key that was never asked for, with the nearest known one.
  void finish();

 private:
  std::optional<std::size_t> word_index(std::string_view name,
                                        const std::vector<std::string_view>& words,
                                        std::initializer_list<std::string_view> reserved,
                                        Position& at);
  const YamlNode& node_;
  std::string key_;
  Diagnostics& out_;
  std::vector<std::string> known_;     // asked for
  std::vector<std::string> reserved_;  // of a later version, never suggested
};

template <typename T>
std::optional<Located<T>> MapReader::word(std::string_view name,
                                          std::type_identity_t<std::span<const Word<T>>> words,
                                          std::initializer_list<std::string_view> reserved) {
  std::vector<std::string_view> texts;
  for (const Word<T>& word : words) texts.push_back(word.text);
  Position at;
  const auto index = word_index(name, texts, reserved, at);
  if (!index) return std::nullopt;
  return Located<T>{words[*index].value, at};
}

inline constexpr std::string_view kNotYetAvailable = "not yet available in this version";

}  // namespace paravent::policies
