#include "proxy/admin/grants/case.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "crypto/base/encoding.h"
#include "proxy/admin/operators/operator_record.h"

namespace paravent::proxy::admin {
namespace {

using crypto::WallTime;

constexpr std::string_view kFirstLine = "paravent-case-v1\n";
constexpr std::array<std::string_view, 2> kTypes{"reveal", "change"};
constexpr std::array<std::string_view, 4> kStates{"open", "approved", "refused", "closed"};
constexpr std::uint64_t kMostMilliseconds = 253'402'300'799'999;  // the end of the year 9999

// Names of policies and operators: no line of them can look like another.
bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= 256 &&
         std::none_of(text.begin(), text.end(), [](char c) { return c >= '\0' && c <= ' '; });
}

// Reads "NAME VALUE" lines in a fixed order. Once one was missing or wrong, good() stays false.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  std::string_view value(std::string_view name) {
    if (!rest_.starts_with(name) || rest_.size() <= name.size() || rest_[name.size()] != ' ') {
      good_ = false;
      return {};
    }
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) {
      good_ = false;
      return {};
    }
    const std::string_view found = rest_.substr(name.size() + 1, end - name.size() - 1);
    rest_.remove_prefix(end + 1);
    if (found.empty()) good_ = false;
    return found;
  }
  bool is_next(std::string_view name) const {
    return good_ && rest_.starts_with(name) && rest_.size() > name.size() &&
           rest_[name.size()] == ' ';
  }

  std::string word(std::string_view name) {
    const std::string_view text = value(name);
    if (!is_word(text)) good_ = false;
    return std::string(text);
  }
  // "-" stands for nothing.
  std::string word_or_none(std::string_view name) {
    const std::string text = word(name);
    return text == "-" ? std::string() : text;
  }
  std::uint64_t number(std::string_view name, std::uint64_t most) {
    return digits(value(name), most);
  }
  WallTime time(std::string_view name) {
    return WallTime(std::chrono::milliseconds(number(name, kMostMilliseconds)));
  }
  template <std::size_t kSize>
  void bytes(std::string_view name, std::array<std::uint8_t, kSize>& out) {
    const auto read = crypto::from_hex(value(name));
    if (!read || read->size() != kSize) {
      good_ = false;
      return;
    }
    std::copy(read->begin(), read->end(), out.begin());
  }
  template <typename Enum, std::size_t kCount>
  Enum choice(std::string_view name, const std::array<std::string_view, kCount>& words) {
    const std::string_view text = value(name);
    const auto found = std::find(words.begin(), words.end(), text);
    if (found == words.end()) {
      good_ = false;
      return Enum{};
    }
    return static_cast<Enum>(found - words.begin());
  }
  LogRange range(std::string_view name) {
    const std::string_view text = value(name);
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos) {
      good_ = false;
      return {};
    }
    return {digits(text.substr(0, space), kMostMilliseconds),
            digits(text.substr(space + 1), 1'000'000)};
  }

  bool good() const { return good_; }
  bool at_end() const { return good_ && rest_ == "end\n"; }
  void refuse() { good_ = false; }

 private:
  std::uint64_t digits(std::string_view text, std::uint64_t most) {
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || number > most ||
        (text.size() > 1 && text.starts_with('0'))) {
      good_ = false;
    }
    return number;
  }

  std::string_view rest_;
  bool good_ = true;
};

template <typename Hash>
void read_hashes(Lines& lines, std::string_view name, std::size_t most, std::vector<Hash>& out) {
  while (lines.is_next(name)) {
    lines.bytes(name, out.emplace_back());
    if (out.size() > most) return lines.refuse();
  }
}

std::string or_none(const std::string& text) { return text.empty() ? "-" : text; }

void line(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(" ").append(value).append("\n");
}

}  // namespace

std::string_view case_state_name(CaseState state) noexcept {
  return kStates.at(static_cast<std::size_t>(state));
}

std::string_view case_type_name(CaseType type) noexcept {
  return kTypes.at(static_cast<std::size_t>(type));
}

std::string case_text(const Case& one) {
  std::string out(kFirstLine);
  const auto time = [](WallTime at) { return std::to_string(at.time_since_epoch().count()); };
  line("id", crypto::vault::id_hex(one.id), out);
  line("tenant", crypto::vault::id_hex(one.tenant), out);
  line("type", case_type_name(one.type), out);
  line("state", case_state_name(one.state), out);
  line("requester", one.requester, out);
  line("requester-role", one.requester_role, out);
  line("approver", or_none(one.approver), out);
  line("approver-role", or_none(one.approver_role), out);
  line("opened", time(one.opened), out);
  line("expires", time(one.expires), out);
  line("purpose", or_none(one.purpose), out);
  line("basis", or_none(one.basis), out);
  line("change", or_none(one.change), out);
  line("most-subjects", std::to_string(one.most_subjects), out);
  line("most-values", std::to_string(one.most_values), out);
  line("values", std::to_string(one.values), out);
  for (const std::string& field : one.fields) line("field", field, out);
  for (const auto& token : one.tokens) line("token", crypto::to_hex(token), out);
  for (const auto& subject : one.subjects) line("subject", crypto::to_hex(subject), out);
  for (const LogRange& range : one.entries) {
    line("entries", std::to_string(range.first) + " " + std::to_string(range.count), out);
  }
  return out.append("end\n");
}

std::optional<Case> parse_case(std::string_view text) {
  if (!text.starts_with(kFirstLine)) return std::nullopt;
  text.remove_prefix(kFirstLine.size());
  Lines lines(text);
  Case one;
  lines.bytes("id", one.id);
  lines.bytes("tenant", one.tenant);
  one.type = lines.choice<CaseType>("type", kTypes);
  one.state = lines.choice<CaseState>("state", kStates);
  one.requester = lines.word("requester");
  one.requester_role = lines.word("requester-role");
  one.approver = lines.word_or_none("approver");
  one.approver_role = lines.word_or_none("approver-role");
  one.opened = lines.time("opened");
  one.expires = lines.time("expires");
  one.purpose = lines.word_or_none("purpose");
  one.basis = lines.word_or_none("basis");
  one.change = lines.value("change");
  if (one.change == "-") one.change.clear();
  one.most_subjects = static_cast<std::uint32_t>(lines.number("most-subjects", kMaxCaseSubjects));
  one.most_values = static_cast<std::uint32_t>(lines.number("most-values", kMaxCaseValues));
  one.values = static_cast<std::uint32_t>(lines.number("values", kMaxCaseValues));
  // A field's name may hold blanks, where it is quoted in the policy.
  while (lines.is_next("field") && one.fields.size() < kMaxCaseFields) {
    one.fields.emplace_back(lines.value("field"));
  }
  read_hashes(lines, "token", kMaxCaseTokens, one.tokens);
  read_hashes(lines, "subject", kMaxCaseSubjects, one.subjects);
  while (lines.is_next("entries")) one.entries.push_back(lines.range("entries"));
  const bool approved_by_another =
      one.state != CaseState::approved || (!one.approver.empty() && one.approver != one.requester);
  if (!lines.at_end() || one.id == crypto::vault::kNoId || !approved_by_another ||
      one.entries.empty()) {
    return std::nullopt;
  }
  return one;
}

}  // namespace paravent::proxy::admin
