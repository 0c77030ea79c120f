#include <array>
#include <utility>

#include "policies/model/rule_parts.h"

namespace paravent::policies {
namespace {

constexpr std::array<Word<FileAction>, 4> kFileWords = {{{"refuse", FileAction::refuse},
                                                         {"drop", FileAction::drop},
                                                         {"pass", FileAction::pass},
                                                         {"encrypt", FileAction::encrypt}}};
constexpr std::array<Word<bool>, 2> kMetadataWords = {{{"strip", true}, {"keep", false}}};
constexpr std::array<Word<bool>, 2> kUnreadableWords = {{{"pass", true}, {"refuse", false}}};

}  // namespace

bool read_file(MapReader& map, Rule& rule) {
  const bool present = map.find("file") != nullptr;
  const auto word = map.word<FileAction>("file", kFileWords);
  const auto metadata = map.word<bool>("metadata", kMetadataWords);
  const auto unreadable = map.word<bool>("unreadable", kUnreadableWords);
  if (word) rule.file.emplace().action = *word;
  const bool passes = rule.file && goes_on(rule.file->action.value);
  if (word || !present) belongs_to(map, "metadata", passes, "file: pass and file: encrypt");
  if (metadata && passes) rule.file->strip_metadata = metadata->value;
  const bool strips = passes && rule.file->strip_metadata;
  if (word || !present) belongs_to(map, "unreadable", strips, "metadata: strip");
  if (unreadable && strips) rule.file->pass_unreadable = unreadable->value;
  return present;
}

void add_content_rules(Route& route) {
  const std::size_t written = route.rules.size();
  for (std::size_t i = 0; i < written; ++i) {
    const Rule& rule = route.rules[i];
    if (!rule.has_selector || !rule.file || rule.file->action.value != FileAction::encrypt)
      continue;
    Rule content;
    content.selector.text = rule.selector.text + " > content";
    if (find_rule(route, content.selector.text) != nullptr) continue;
    content.selector.outer = rule.selector.text;
    content.selector.carrier = Carrier::file_content;
    content.selector.root = rule.selector.root;
    content.selector.name = carrier_name(Carrier::file_content);
    content.has_selector = true;
    content.at = rule.at;
    content.key = rule.key;
    content.action = ActionKind::encrypt;
    content.action_at = rule.file->action.at;
    route.rules.push_back(std::move(content));
  }
}

}  // namespace paravent::policies
