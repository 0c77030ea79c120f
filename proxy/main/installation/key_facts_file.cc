#include "proxy/main/installation/key_facts_file.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/encoding.h"
#include "proxy/admin/keys/key_text.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::vault::Id;
using crypto::vault::id_hex;
using crypto::vault::KeyFacts;

constexpr std::string_view kFirstLine = "paravent-key-facts-v1";
constexpr const char* kNone = "-";

std::string name_text(const std::string& name) {
  return name.empty() ? kNone : crypto::to_hex(crypto::as_bytes(name));
}

// Answers false for what is no name of name_text().
bool take_name(std::string_view text, std::string& out) {
  if (text == kNone) return true;
  const auto bytes = crypto::from_hex(text);
  if (!bytes || bytes->empty()) return false;
  out = crypto::as_text(*bytes);
  return true;
}

template <typename Number>
bool take_number(std::string_view text, Number& out) {
  const auto end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, out);
  return read.ec == std::errc() && read.ptr == end;
}

bool take_id(std::string_view text, Id& out) {
  const auto id = admin::id_from_hex(text);
  if (id) out = *id;
  return id.has_value();
}

using Words = std::vector<std::string_view>;

bool take_hold(const Words& words, KeyFacts& out) {
  if (words.size() != 8) return false;
  crypto::vault::HoldInfo hold;
  std::int64_t until = 0;
  if (!take_id(words[1], hold.record.id) || !take_id(words[2], hold.record.tenant) ||
      !take_id(words[3], hold.record.purpose) || !take_number(words[5], until) ||
      !take_name(words[6], hold.tenant) || !take_name(words[7], hold.purpose)) {
    return false;
  }
  if (words[4] != kNone) {
    const auto reference = crypto::from_hex(words[4]);
    if (!reference || reference->size() != std::tuple_size_v<crypto::vault::SubjectReference>) {
      return false;
    }
    std::copy(reference->begin(), reference->end(), hold.record.subject.emplace().begin());
  }
  hold.record.until = crypto::WallTime(std::chrono::milliseconds(until));
  return out.holds.emplace(hold.record.id, std::move(hold)).second;
}

bool take_retention(const Words& words, KeyFacts& out) {
  Id purpose{};
  crypto::vault::RetentionFact fact;
  if (words.size() != 5 || !take_id(words[1], purpose) || !take_name(words[3], fact.tenant) ||
      !take_name(words[4], fact.purpose)) {
    return false;
  }
  const auto bytes = crypto::from_hex(words[2]);
  auto record = bytes ? crypto::vault::decode_retention(*bytes)
                      : Result<crypto::vault::RetentionRecord>(Error(ErrorKind::malformed));
  if (!record) return false;
  fact.record = *record;
  return out.retentions.emplace(purpose, std::move(fact)).second;
}

template <typename Number>
bool take_numbered(const Words& words, std::map<Id, Number>& out) {
  Id id{};
  Number number = 0;
  return words.size() == 3 && take_id(words[1], id) && take_number(words[2], number) &&
         out.emplace(id, number).second;
}

bool take_line(const Words& words, KeyFacts& out) {
  const std::string_view what = words[0];
  if (what == "freezes") return words.size() == 2 && take_number(words[1], out.freezes);
  if (what == "hold") return take_hold(words, out);
  if (what == "retention") return take_retention(words, out);
  if (what == "mark") return take_numbered(words, out.marks);
  if (what == "event") return take_numbered(words, out.events);
  return what == "newest-key" && words.size() == 2 && take_id(words[1], out.newest_key.emplace());
}

bool within_bounds(const KeyFacts& facts) {
  const auto is_mark = [](const auto& mark) { return mark.second >= 1 && mark.second <= 3; };
  const auto is_event = [](const auto& event) { return event.second != 0; };
  return facts.freezes <= 3 && std::all_of(facts.marks.begin(), facts.marks.end(), is_mark) &&
         std::all_of(facts.events.begin(), facts.events.end(), is_event);
}

}  // namespace

std::string key_facts_text(const KeyFacts& facts) {
  std::string out(kFirstLine);
  out += "\nfreezes " + std::to_string(facts.freezes) + '\n';
  for (const auto& [id, hold] : facts.holds) {
    out += "hold " + id_hex(id) + ' ' + id_hex(hold.record.tenant) + ' ' +
           id_hex(hold.record.purpose) + ' ' +
           (hold.record.subject ? crypto::to_hex(*hold.record.subject) : kNone) + ' ' +
           std::to_string(hold.record.until.time_since_epoch().count()) + ' ' +
           name_text(hold.tenant) + ' ' + name_text(hold.purpose) + '\n';
  }
  for (const auto& [id, fact] : facts.retentions) {
    out += "retention " + id_hex(id) + ' ' +
           crypto::to_hex(crypto::vault::encode_retention(fact.record)) + ' ' +
           name_text(fact.tenant) + ' ' + name_text(fact.purpose) + '\n';
  }
  for (const auto& [id, marks] : facts.marks) {
    out += "mark " + id_hex(id) + ' ' + std::to_string(marks) + '\n';
  }
  for (const auto& [id, day] : facts.events) {
    out += "event " + id_hex(id) + ' ' + std::to_string(day) + '\n';
  }
  if (facts.newest_key) out += "newest-key " + id_hex(*facts.newest_key) + '\n';
  return out;
}

Result<KeyFacts> parse_key_facts(std::string_view text) {
  const std::string_view whole = text;
  KeyFacts out;
  for (bool first = true; !text.empty(); first = false) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return Error(ErrorKind::malformed);
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (first) {
      if (line != kFirstLine) return Error(ErrorKind::malformed);
      continue;
    }
    Words words;
    for (std::size_t at = 0; at <= line.size();) {
      const std::size_t space = std::min(line.find(' ', at), line.size());
      words.push_back(line.substr(at, space - at));
      at = space + 1;
    }
    if (!take_line(words, out)) return Error(ErrorKind::malformed);
  }
  // Order and spelling: as this program would write it.
  if (!within_bounds(out) || key_facts_text(out) != whole) return Error(ErrorKind::malformed);
  return out;
}

}  // namespace paravent::proxy::main
