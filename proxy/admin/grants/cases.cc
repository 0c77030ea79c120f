#include "proxy/admin/grants/cases.h"

#include <utility>

#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::proxy::admin {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

namespace {

constexpr std::size_t kMaxFileBytes = 32 * 1024 * 1024;
constexpr std::string_view kPrefix = "case-";

std::string file_name(const crypto::vault::Id& id) {
  return std::string(kPrefix) + crypto::vault::id_hex(id);
}

}  // namespace

Result<std::unique_ptr<Cases>> Cases::open(const std::filesystem::path& folder) {
  auto made = std::unique_ptr<Cases>(new Cases(folder));
  std::error_code failed;
  if (folder.empty() || !std::filesystem::exists(folder, failed)) return made;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    const std::filesystem::path& file = entry.path();
    const std::string name = file.filename().string();
    // Neither what else lies there nor what a crash left of a write that was not finished.
    if (!name.starts_with(kPrefix) || name.size() != kPrefix.size() + 32) continue;
    if (auto status = crypto::vault::check_private(file); !status) return status.error();
    auto bytes = crypto::vault::read_file(file, kMaxFileBytes);
    if (!bytes) return bytes.error();
    auto one = parse_case(crypto::as_text(bytes->bytes()));
    if (!one || file_name(one->id) != name) {
      return Error(ErrorKind::data, "The case " + file.string() +
                                        " is altered or truncated; restore it from a backup.");
    }
    made->cases_.emplace(one->id, std::move(*one));
  }
  if (failed) {
    return Error(ErrorKind::data, "The folder " + folder.string() + " cannot be read.");
  }
  return made;
}

const Case* Cases::Use::find(const crypto::vault::Id& id) const {
  const auto found = cases_.cases_.find(id);
  return found == cases_.cases_.end() ? nullptr : &found->second;
}

std::vector<const Case*> Cases::Use::all() const {
  std::vector<const Case*> list;
  for (const auto& [id, one] : cases_.cases_) list.push_back(&one);
  return list;
}

Status Cases::Use::keep(Case changed) {
  const std::filesystem::path& folder = cases_.folder_;
  if (!folder.empty()) {
    const std::string text = case_text(changed);
    if (parse_case(text) != changed) {
      return Error(ErrorKind::usage, "This case cannot be written so that it could be read again.");
    }
    if (auto status = crypto::vault::write_file_durably(folder / file_name(changed.id),
                                                        crypto::as_bytes(text));
        !status) {
      return status;
    }
  }
  cases_.cases_[changed.id] = std::move(changed);
  return {};
}

}  // namespace paravent::proxy::admin
