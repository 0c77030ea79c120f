#include "proxy/admin/query_members.h"

#include <algorithm>
#include <charconv>

#include "proxy/body/form.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

constexpr std::size_t kMaxValue = 1000;

class Reader final : public body::FlatVisitor {
 public:
  Reader(std::string_view text, std::span<const std::string_view> known,
         std::map<std::string, std::string, std::less<>>& members)
      : text_(text), known_(known), members_(members) {}

  bool on_field(std::string_view name, const body::Field& field) override {
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) return false;
    std::string value;
    body::decode_form_value(field.value.in(text_), value);
    if (value.size() > kMaxValue) return false;
    return members_.emplace(std::string(name), std::move(value)).second;
  }

 private:
  std::string_view text_;
  std::span<const std::string_view> known_;
  std::map<std::string, std::string, std::less<>>& members_;
};

}  // namespace

Result<QueryMembers> QueryMembers::read(std::string_view query,
                                        std::span<const std::string_view> known) {
  QueryMembers out;
  Reader reader(query, known, out.members_);
  std::string scratch;
  if (body::scan_form(query, {}, scratch, reader) == body::ScanStatus::ok) return out;
  std::string sentence = "The query takes ";
  if (known.empty()) sentence = "This path takes no query";
  for (std::size_t i = 0; i < known.size(); ++i) {
    sentence.append(i == 0 ? "" : i + 1 == known.size() ? " and " : ", ").append(known[i]);
  }
  return Error(ErrorKind::malformed, sentence.append(known.empty() ? "." : ", each once."));
}

const std::string& QueryMembers::text(std::string_view name) const {
  static const std::string kNone;
  const auto found = members_.find(name);
  return found == members_.end() ? kNone : found->second;
}

Result<std::uint64_t> QueryMembers::number(std::string_view name, std::uint64_t otherwise) const {
  const auto found = members_.find(name);
  if (found == members_.end()) return otherwise;
  const std::string& text = found->second;
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool good = error == std::errc() && stop == text.data() + text.size() &&
                    (text.size() == 1 || text.front() != '0');
  if (!good) {
    return Error(ErrorKind::malformed, "The query's " + std::string(name) + " is a number from 0.");
  }
  return number;
}

}  // namespace paravent::proxy::admin
