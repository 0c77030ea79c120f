#include "policies/plan/policy_plan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <utility>

#include "policies/plan/name_hash.h"
#include "policies/plan/path_alias.h"
#include "policies/plan/route_index.h"

namespace paravent::policies {
namespace {

bool holds(const std::vector<std::string>& words, std::string_view word) noexcept {
  return std::any_of(words.begin(), words.end(),
                     [word](const std::string& known) { return known == word; });
}

// A path as fold_path() writes it.
class FoldedPath {
 public:
  explicit FoldedPath(std::string_view path) {
    char* buffer = small_.data();
    if (path.size() > small_.size()) {
      large_.resize(path.size());
      buffer = large_.data();
    }
    text_ = std::string_view(buffer, fold_path(path, buffer));
  }
  FoldedPath(const FoldedPath&) = delete;
  FoldedPath& operator=(const FoldedPath&) = delete;

  std::string_view text() const noexcept { return text_; }

 private:
  std::array<char, 1024> small_;  // of protected paths none is longer
  std::string large_;
  std::string_view text_;
};

// Whether one of the segments that the pattern names has a rule that does not keep it.
bool holds_fields(const RoutePlan& route, const PathPattern& path) {
  return std::any_of(path.parameters().begin(), path.parameters().end(),
                     [&route](const PathParameter& parameter) {
                       const FieldAction* rule = route.find(Carrier::path, parameter.name);
                       return rule != nullptr && !always_keeps(*rule);
                     });
}

}  // namespace

bool PolicyPlan::Index::Entry::takes_host(std::string_view host) const noexcept {
  return hosts.empty() || holds(hosts, host);
}

bool PolicyPlan::Index::Entry::takes_method(std::string_view method) const noexcept {
  return methods.empty() || holds(methods, method);
}

PolicyPlan::Index::Index(std::vector<Entry> entries) {
  if (!entries.empty()) first_route = entries.front().route->id;
  for (Entry& entry : entries) {
    (entry.path.is_exact() ? exact : patterns).push_back(std::move(entry));
  }
  const auto hash_of = [](const Entry& entry) { return name_hash<false>(entry.path.text()); };
  std::stable_sort(exact.begin(), exact.end(),
                   [&](const Entry& a, const Entry& b) { return hash_of(a) < hash_of(b); });
  slots.resize(std::bit_ceil(std::max<std::size_t>(4, exact.size() * 2)));
  mask = static_cast<std::uint32_t>(slots.size() - 1);
  for (std::size_t i = 0; i < exact.size();) {
    const std::uint32_t hash = hash_of(exact[i]);
    std::size_t end = i;
    while (end < exact.size() && hash_of(exact[end]) == hash) ++end;
    std::uint32_t at = hash & mask;
    while (slots[at].last != 0) at = (at + 1) & mask;
    slots[at] = {hash, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(end)};
    i = end;
  }
  for (const auto* table : {&exact, &patterns}) {
    for (const Entry& entry : *table) {
      std::string folded(entry.path.text().size() + 1, '/');
      folded.resize(fold_path(entry.path.text(), folded.data()));
      auto parsed = PathPattern::parse(folded);
      if (auto* const path = std::get_if<PathPattern>(&parsed)) {
        const bool is_script = entry.path.is_exact() && names_a_script(folded);
        aliases.push_back({&entry, std::move(*path), is_script});
      }
    }
  }
}

bool PolicyPlan::Index::Alias::matches(std::string_view folded) const noexcept {
  if (path.matches(folded)) return true;
  const std::string& script = path.text();
  return is_script && folded.size() > script.size() && folded[script.size()] == '/' &&
         folded.starts_with(script);
}

template <typename Visit>
void PolicyPlan::Index::for_alias(std::string_view host, std::string_view path,
                                  const Visit& visit) const {
  const FoldedPath folded(path);
  for (const Alias& alias : aliases) {
    const bool same_place =
        alias.entry->takes_host(host) ||
        (elsewhere != nullptr && alias.entry->route->upstream == elsewhere->upstream);
    if (same_place && alias.matches(folded.text())) visit(*alias.entry);
  }
}

bool PolicyPlan::Index::Alias::covers(const PathPattern& folded) const {
  return path.covers(folded) || (is_script && folded.text().starts_with(path.text() + '/'));
}

bool PolicyPlan::Index::is_alias_of_earlier(const Entry& taken, std::string_view method,
                                            std::string_view host, std::string_view path) const {
  const std::uint32_t id = taken.route->id;
  if (id == first_route) return false;
  const FoldedPath folded(path);
  const auto own = [&] {
    return std::find_if(aliases.begin(), aliases.end(),
                        [&](const Alias& alias) { return alias.entry == &taken; });
  };
  return std::any_of(aliases.begin(), aliases.end(), [&](const Alias& alias) {
    const Entry& entry = *alias.entry;
    if (entry.route->id >= id || !alias.matches(folded.text())) return false;
    if (!entry.takes_method(method) || !entry.takes_host(host)) return false;
    const auto pattern = own();
    return pattern == aliases.end() || !alias.covers(pattern->path);
  });
}

template <typename Visit>
void PolicyPlan::Index::for_path(std::string_view host, std::string_view path,
                                 const Visit& visit) const {
  const std::uint32_t hash = name_hash<false>(path);
  for (std::uint32_t at = hash & mask; slots[at].last != 0; at = (at + 1) & mask) {
    if (slots[at].hash != hash) continue;
    for (std::uint32_t i = slots[at].first; i < slots[at].last; ++i) {
      if (exact[i].path.text() == path && exact[i].takes_host(host)) visit(exact[i]);
    }
  }
  for (const Entry& entry : patterns) {
    if (entry.takes_host(host) && entry.path.matches(path)) visit(entry);
  }
}

PolicyPlan::PolicyPlan() = default;
PolicyPlan::~PolicyPlan() = default;

RouteMatch PolicyPlan::route_for(std::string_view method, std::string_view host,
                                 std::string_view path) const {
  const Index::Entry* taken = nullptr;
  index_->for_path(host, path, [&](const Index::Entry& entry) {
    if (!entry.takes_method(method)) return;
    if (taken == nullptr || entry.route->id < taken->route->id) taken = &entry;
  });
  if (taken != nullptr) {
    // A wide path was not written with this one in mind; an exact one was.
    if (!taken->path.is_exact() && index_->is_alias_of_earlier(*taken, method, host, path)) {
      return {};
    }
    return {taken->route, nullptr, true};
  }
  return without_route(method, host, path);
}

const RoutePlan* PolicyPlan::route_after(const RoutePlan& route, std::string_view method,
                                         std::string_view host, std::string_view path) const {
  const RoutePlan* next = nullptr;
  index_->for_path(host, path, [&](const Index::Entry& entry) {
    if (entry.route->id <= route.id || !entry.takes_method(method)) return;
    if (next == nullptr || entry.route->id < next->id) next = entry.route;
  });
  return next;
}

RouteMatch PolicyPlan::without_route(std::string_view method, std::string_view host,
                                     std::string_view path) const {
  const RoutePlan* same_path = nullptr;
  index_->for_path(host, path, [&](const Index::Entry& entry) {
    if (same_path == nullptr || entry.route->id < same_path->id) same_path = entry.route;
  });
  if (index_->elsewhere == nullptr || !holds(index_->elsewhere_methods, method)) {
    return {nullptr, nullptr, same_path != nullptr};
  }
  index_->for_alias(host, path, [&](const Index::Entry& entry) {
    if (same_path == nullptr || entry.route->id < same_path->id) same_path = entry.route;
  });
  const bool is_protected = same_path != nullptr;
  if (is_protected && method != "GET" && method != "HEAD") return {nullptr, nullptr, true};
  return {index_->elsewhere, same_path, is_protected};
}

bool PolicyPlan::is_listed(std::string_view host, std::string_view path,
                           std::string_view name) const {
  bool listed = false;
  const auto look = [&](const Index::Entry& entry) { listed = listed || entry.route->lists(name); };
  index_->for_path(host, path, look);
  index_->for_alias(host, path, look);
  return listed;
}

bool PolicyPlan::holds_fields(std::string_view host, std::string_view path) const {
  bool held = false;
  const auto look = [&](const Index::Entry& entry) {
    held = held || policies::holds_fields(*entry.route, entry.path);
  };
  index_->for_path(host, path, look);
  index_->for_alias(host, path, look);
  return held;
}

std::string PolicyPlan::methods_for(std::string_view host, std::string_view path) const {
  std::set<std::string_view> methods;
  bool is_protected = false;
  index_->for_path(host, path, [&](const Index::Entry& entry) {
    is_protected = true;
    methods.insert(entry.methods.begin(), entry.methods.end());
  });
  index_->for_alias(host, path, [&](const Index::Entry&) { is_protected = true; });
  for (const std::string& method : index_->elsewhere_methods) {
    const bool reads = method == "GET" || method == "HEAD";
    if (!is_protected || (reads && !holds_fields(host, path))) methods.insert(method);
  }
  std::string text;
  for (const std::string_view method : methods) {
    text.append(text.empty() ? "" : ", ").append(method);
  }
  return text;
}

}  // namespace paravent::policies
