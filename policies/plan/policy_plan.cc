#include "policies/plan/policy_plan.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

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

bool PolicyPlan::Index::Entry::takes_method(std::string_view method) const noexcept {
  return methods.empty() || holds(methods, method);
}

PolicyPlan::Index::Index(std::vector<Entry> entries, Elsewhere elsewhere)
    : entries_(std::move(entries)), elsewhere_(std::move(elsewhere)) {
  // The tables borrow what lies in them.
  aliases_.reserve(entries_.size());
  for (const Entry& entry : entries_) add_alias(entry);
  std::map<std::string_view, std::size_t> numbers;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    const Alias& alias = aliases_[i];
    const auto add_to = [&](Scope& scope) {
      scope.paths.add(entry.path, i);
      if (alias.is_path) scope.aliases.add(alias.path, i);
    };
    if (entry.hosts.empty()) add_to(of_every_host_);
    for (const std::string& host : entry.hosts) {
      const auto [known, is_new] = numbers.try_emplace(host, of_host_.size());
      if (is_new) {
        hosts_.add(host, static_cast<std::uint32_t>(of_host_.size()));
        of_host_.emplace_back();
      }
      add_to(of_host_[known->second]);
    }
    if (!entry.hosts.empty() && alias.is_path && elsewhere_.route != nullptr &&
        entry.route->upstream == elsewhere_.route->upstream) {
      beside_elsewhere_.add(alias.path, i);
    }
  }
}

void PolicyPlan::Index::add_alias(const Entry& entry) {
  Alias& alias = aliases_.emplace_back();
  std::string folded(entry.path.text().size() + 1, '/');
  folded.resize(fold_path(entry.path.text(), folded.data()));
  auto parsed = PathPattern::parse(folded);
  auto* const path = std::get_if<PathPattern>(&parsed);
  if (path == nullptr) return;
  alias.path = std::move(*path);
  alias.is_path = true;
  alias.is_script = alias.path.is_exact() && entry.path.is_exact() && names_a_script(folded);
  if (alias.is_script) longest_script_ = std::max(longest_script_, folded.size());
}

const PolicyPlan::Index::Scope* PolicyPlan::Index::scope_of(std::string_view host) const noexcept {
  const Scope* found = nullptr;
  if (hosts_.empty()) return found;
  hosts_.for_equal(host, TextTable::hash_of(host),
                   [&](std::uint32_t number) { found = &of_host_[number]; });
  return found;
}

template <typename Visit>
void PolicyPlan::Index::for_path(std::string_view host, std::string_view path,
                                 const Visit& visit) const {
  const std::uint32_t hash = TextTable::hash_of(path);
  const auto of_number = [&](std::uint32_t number) { visit(entries_[number]); };
  of_every_host_.paths.for_path(path, hash, of_number);
  if (const Scope* scope = scope_of(host)) scope->paths.for_path(path, hash, of_number);
}

// `folded`: a path as fold_path() writes it. A server hands a script what follows it in a path.
template <typename Visit>
void PolicyPlan::Index::for_alias_in(const PathTable& table, std::string_view folded,
                                     const Visit& visit) const {
  table.for_path(folded, TextTable::hash_of(folded), visit);
  for (std::size_t end = folded.find('/', 1); end <= longest_script_;
       end = folded.find('/', end + 1)) {
    table.for_exact(folded.substr(0, end), [&](std::uint32_t number) {
      if (aliases_[number].is_script) visit(number);
    });
  }
}

template <typename Visit>
void PolicyPlan::Index::for_alias(std::string_view host, std::string_view path,
                                  const Visit& visit) const {
  const FoldedPath folded(path);
  const auto of_number = [&](std::uint32_t number) { visit(entries_[number]); };
  for_alias_in(of_every_host_.aliases, folded.text(), of_number);
  for_alias_in(beside_elsewhere_, folded.text(), of_number);
  if (const Scope* scope = scope_of(host)) for_alias_in(scope->aliases, folded.text(), of_number);
}

bool PolicyPlan::Index::Alias::covers(const PathPattern& folded) const {
  return path.covers(folded) || (is_script && folded.text().starts_with(path.text() + '/'));
}

bool PolicyPlan::Index::is_alias_of_earlier(const Entry& taken, std::string_view method,
                                            std::string_view host, std::string_view path) const {
  const std::uint32_t id = taken.route->id;
  if (entries_.front().route->id == id) return false;
  const Alias& own = aliases_[static_cast<std::size_t>(&taken - entries_.data())];
  const FoldedPath folded(path);
  bool found = false;
  const auto look = [&](std::uint32_t number) {
    const Entry& entry = entries_[number];
    if (found || entry.route->id >= id || !entry.takes_method(method)) return;
    found = !own.is_path || !aliases_[number].covers(own.path);
  };
  for_alias_in(of_every_host_.aliases, folded.text(), look);
  if (const Scope* scope = scope_of(host)) for_alias_in(scope->aliases, folded.text(), look);
  return found;
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
  if (index_->elsewhere().route == nullptr || !holds(index_->elsewhere().methods, method)) {
    return {nullptr, nullptr, same_path != nullptr};
  }
  index_->for_alias(host, path, [&](const Index::Entry& entry) {
    if (same_path == nullptr || entry.route->id < same_path->id) same_path = entry.route;
  });
  const bool is_protected = same_path != nullptr;
  if (is_protected && method != "GET" && method != "HEAD") return {nullptr, nullptr, true};
  return {index_->elsewhere().route, same_path, is_protected};
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
  for (const std::string& method : index_->elsewhere().methods) {
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
