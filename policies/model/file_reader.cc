#include <array>

#include "policies/model/rule_parts.h"

namespace paravent::policies {
namespace {

constexpr std::array<Word<FileAction>, 3> kFileWords = {
    {{"refuse", FileAction::refuse}, {"drop", FileAction::drop}, {"pass", FileAction::pass}}};
constexpr std::array<Word<bool>, 2> kMetadataWords = {{{"strip", true}, {"keep", false}}};
constexpr std::array<Word<bool>, 2> kUnreadableWords = {{{"pass", true}, {"refuse", false}}};

}  // namespace

bool read_file(MapReader& map, Rule& rule) {
  const bool present = map.find("file") != nullptr;
  const auto word = map.word<FileAction>("file", kFileWords, {"encrypt"});
  const auto metadata = map.word<bool>("metadata", kMetadataWords);
  const auto unreadable = map.word<bool>("unreadable", kUnreadableWords);
  if (word) rule.file.emplace().action = *word;
  const bool passes = rule.file && rule.file->action.value == FileAction::pass;
  if (word || !present) belongs_to(map, "metadata", passes, "file: pass");
  if (metadata && passes) rule.file->strip_metadata = metadata->value;
  const bool strips = passes && rule.file->strip_metadata;
  if (word || !present) belongs_to(map, "unreadable", strips, "metadata: strip");
  if (unreadable && strips) rule.file->pass_unreadable = unreadable->value;
  return present;
}

}  // namespace paravent::policies
