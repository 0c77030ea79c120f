#include "crypto/vectors/acvp_pair.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <vector>

#include "crypto/vectors/json_file.h"
#include "crypto/vectors/vector_case.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kMaxBeside = 64;

const boost::json::value* member(const boost::json::value& value, std::string_view name) noexcept {
  const auto* object = value.if_object();
  return object == nullptr ? nullptr : object->if_contains(name);
}

bool same_member(const boost::json::value& a, const boost::json::value& b,
                 std::string_view name) noexcept {
  const auto* of_a = member(a, name);
  const auto* of_b = member(b, name);
  return of_a != nullptr && of_b != nullptr && *of_a == *of_b;
}

// The entry of `list` that has the same `id` as `entry`.
const boost::json::value* matching(const boost::json::array& list, const boost::json::value& entry,
                                   std::string_view id) noexcept {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const auto& other) { return same_member(entry, other, id); });
  return found == list.end() ? nullptr : &*found;
}

void add_members(boost::json::object& to, const boost::json::value& from) {
  const auto* object = from.if_object();
  if (object == nullptr) return;
  for (const auto& [name, value] : *object) {
    if (!to.contains(name)) to.emplace(name, value);
  }
}

std::vector<std::filesystem::path> beside(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> found;
  std::error_code failure;
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  for (std::filesystem::directory_iterator at(folder, failure), end; !failure && at != end;
       at.increment(failure)) {
    std::error_code ignored;
    if (at->path().extension() == ".json" && at->is_regular_file(ignored)) {
      found.push_back(at->path());
    }
  }
  std::sort(found.begin(), found.end());
  if (found.size() > kMaxBeside) found.resize(kMaxBeside);
  return found;
}

}  // namespace

const boost::json::value* acvp_body(const boost::json::value& document) noexcept {
  const boost::json::value* body = &document;
  if (const auto* list = document.if_array()) {
    if (list->size() != 2 || member(list->front(), "acvVersion") == nullptr) return nullptr;
    body = &list->back();
  }
  const bool named = string_member(*body, "algorithm").starts_with("ACVP-");
  return named && member(*body, "testGroups") != nullptr ? body : nullptr;
}

AcvpPart acvp_part(const boost::json::value& document) noexcept {
  const auto* body = acvp_body(document);
  if (body == nullptr) return AcvpPart::none;
  bool keys = false;
  bool inputs = false;
  bool outputs = false;
  for (const auto& group : array_member(*body, "testGroups")) {
    for (const auto& test : array_member(group, "tests")) {
      keys = keys || member(test, "key") != nullptr;
      inputs = inputs || member(test, "pt") != nullptr;
      outputs = outputs || member(test, "ct") != nullptr;
      if (keys && member(test, "pt") != nullptr && member(test, "ct") != nullptr) {
        return AcvpPart::whole;
      }
    }
  }
  if (!inputs && !outputs) return AcvpPart::none;
  return keys ? AcvpPart::prompt : AcvpPart::results;
}

bool is_acvp_pair(const boost::json::value& a, const boost::json::value& b) noexcept {
  const AcvpPart part_of_a = acvp_part(a);
  const AcvpPart part_of_b = acvp_part(b);
  const bool complementary = (part_of_a == AcvpPart::prompt && part_of_b == AcvpPart::results) ||
                             (part_of_a == AcvpPart::results && part_of_b == AcvpPart::prompt);
  if (!complementary) return false;
  const auto& body_a = *acvp_body(a);
  const auto& body_b = *acvp_body(b);
  const bool has_ids = member(body_a, "vsId") != nullptr && member(body_b, "vsId") != nullptr;
  return same_member(body_a, body_b, "algorithm") &&
         (!has_ids || same_member(body_a, body_b, "vsId"));
}

boost::json::value join_acvp(const boost::json::value& a, const boost::json::value& b) {
  const bool a_is_prompt = acvp_part(a) == AcvpPart::prompt;
  boost::json::value joined = *acvp_body(a_is_prompt ? a : b);
  const auto& answers = array_member(*acvp_body(a_is_prompt ? b : a), "testGroups");
  for (auto& group : joined.as_object()["testGroups"].as_array()) {
    const auto* answer_group = matching(answers, group, "tgId");
    auto* group_object = group.if_object();
    auto* tests = group_object == nullptr ? nullptr : group_object->if_contains("tests");
    if (answer_group == nullptr || tests == nullptr || !tests->is_array()) continue;
    const auto& answer_tests = array_member(*answer_group, "tests");
    for (auto& test : tests->get_array()) {
      const auto* answer = matching(answer_tests, test, "tcId");
      if (answer != nullptr && test.is_object()) add_members(test.get_object(), *answer);
    }
  }
  return joined;
}

std::optional<AcvpPartner> find_acvp_partner(const std::filesystem::path& path,
                                             const boost::json::value& document,
                                             std::span<const std::filesystem::path> given) {
  std::vector<std::filesystem::path> candidates(given.begin(), given.end());
  const auto neighbours = beside(path);
  candidates.insert(candidates.end(), neighbours.begin(), neighbours.end());
  for (const auto& candidate : candidates) {
    auto read = read_json_file(candidate);
    if (read && is_acvp_pair(document, *read)) return AcvpPartner{candidate, std::move(*read)};
  }
  return std::nullopt;
}

}  // namespace paravent::crypto
