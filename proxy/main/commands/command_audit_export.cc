// paravent audit export: the entries of a log for a SIEM, page by page through the admin API.

#include <unistd.h>

#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "crypto/vault/engine/base/durable_file.h"
#include "proxy/main/commands/admin_client.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/progress_line.h"
#include "proxy/main/commands/record_commands.h"
#include "proxy/main/io/text_file.h"
#include "proxy/main/keepers/syslog_line.h"

namespace paravent::proxy::main {
namespace {

namespace json = boost::json;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

constexpr int kPage = 1000;

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdout) std::fclose(file);
  }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// Where the last export ended: one number and a newline.
Result<std::uint64_t> read_state(const AuditExportOptions& options) {
  std::error_code ignored;
  if (options.state.empty() || !std::filesystem::exists(options.state, ignored)) {
    return options.from;
  }
  const auto text = read_text_file(options.state, 64);
  if (!text) return text.error();
  std::uint64_t from = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), from);
  if (read.ec != std::errc() || std::string_view(read.ptr) != "\n") {
    return Error(ErrorKind::usage, "The file " + options.state + " is not one of an export.");
  }
  return from;
}

struct Page {
  json::array entries;
  std::uint64_t size = 0;
};

Result<Page> read_page(const AuditExportOptions& options, const crypto::SecretBytes& credential,
                       std::uint64_t from) {
  std::string path =
      "/v1/audit/entries?count=" + std::to_string(kPage) + "&from=" + std::to_string(from);
  if (options.installation) path += "&log=installation";
  const auto answer = admin_get({options.client.admin, options.client.ca}, path, credential);
  if (!answer) return answer.error();
  if (answer->status != 200) return admin_error(*answer);
  const Error stranger(ErrorKind::unreachable, "What answered is not the admin API of a gateway.");
  boost::system::error_code malformed;
  json::value document = json::parse(answer->body, malformed);
  auto* object = malformed ? nullptr : document.if_object();
  auto* entries = object != nullptr ? object->if_contains("entries") : nullptr;
  const auto* size = object != nullptr ? object->if_contains("size") : nullptr;
  if (entries == nullptr || !entries->is_array() || size == nullptr || !size->is_int64()) {
    return stranger;
  }
  Page page;
  page.size = static_cast<std::uint64_t>(size->get_int64());
  page.entries = std::move(entries->get_array());
  for (const json::value& entry : page.entries) {
    if (!entry.is_object()) return stranger;
  }
  return page;
}

bool write(std::FILE* file, const json::object& entry, bool syslog) {
  const std::string line = syslog ? syslog_line(entry) : json::serialize(entry);
  return std::fputs((line + "\n").c_str(), file) >= 0;
}

}  // namespace

int run_audit_export(const AuditExportOptions& options) {
  const auto credential =
      read_credential(options.client.credential_file,
                      options.installation ? CredentialOf::admin : CredentialOf::dpo);
  if (!credential) return fail(credential.error());
  const auto begin = read_state(options);
  if (!begin) return fail(begin.error());
  File out(options.out.empty() ? stdout : std::fopen(options.out.c_str(), "ae"));
  if (!out) return fail(ExitCode::data, "The file " + options.out + " cannot be written.");
  // Not among the entries where those go to the terminal themselves.
  std::optional<ProgressLine> line;
  if (!options.out.empty() || ::isatty(STDOUT_FILENO) == 0) line.emplace();
  const auto failed = [&line](const Error& error) {
    line.reset();
    return fail(error);
  };
  std::uint64_t at = *begin;
  for (std::uint64_t size = at + 1; at < size;) {
    const auto page = read_page(options, *credential, at);
    if (!page) return failed(page.error());
    size = page->size;
    if (page->entries.empty() && at < size) {
      return failed(
          {ErrorKind::unreachable, "The admin API gives no entries where there are some."});
    }
    for (const json::value& entry : page->entries) {
      if (!write(out.get(), entry.get_object(), options.format == "syslog")) {
        return failed({ErrorKind::data, "The export cannot be written whole."});
      }
    }
    at += page->entries.size();
    if (line) line->say(std::to_string(at) + " of " + std::to_string(size) + " entries");
  }
  line.reset();
  if (std::fflush(out.get()) != 0) {
    return fail(ExitCode::data, "The export cannot be written whole.");
  }
  if (!options.state.empty()) {
    const std::string text = std::to_string(at) + "\n";
    if (auto s = crypto::vault::write_file_durably(options.state, crypto::as_bytes(text)); !s) {
      return fail(s.error());
    }
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
