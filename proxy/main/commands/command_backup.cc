#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>

#include "proxy/main/commands/admin_client.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/progress_line.h"
#include "proxy/main/installation/backup_maker.h"
#include "proxy/main/installation/installation.h"
#include "proxy/main/installation/move_backup.h"

namespace paravent::proxy::main {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::vault::BackupKind;

constexpr auto kPoll = std::chrono::milliseconds(100);

int done(const BackupOptions& options, json::object made) {
  if (options.json) {
    made["file"] = options.out;
    made.erase("state");
    std::printf("%s\n", json::serialize(made).c_str());
  } else if (options.keys) {
    std::printf(
        "Keys backed up into %s. It opens everything together with the root key: keep it "
        "apart from the data and from that key, and delete it within %u days.\n",
        options.out.c_str(), options.days);
  } else {
    std::printf("Data backed up into %s. It holds no keys: back those up apart, with --keys.\n",
                options.out.c_str());
  }
  return static_cast<int>(ExitCode::done);
}

Result<json::object> parse_state(const AdminAnswer& answer) {
  boost::system::error_code error;
  const json::value document = json::parse(answer.body, error);
  if (error || !document.is_object()) {
    return Error(ErrorKind::unreachable, "What answered is not the admin API of a gateway.");
  }
  if (answer.status == 401 || answer.status == 403) {
    return Error(ErrorKind::refused, "Making a backup needs a credential of the role admin.");
  }
  if (answer.status == 409) {
    return Error(ErrorKind::busy, "A backup is being made already; wait for its end.");
  }
  if (answer.status != 200 && answer.status != 202) {
    return Error(ErrorKind::unreachable,
                 "The gateway makes no backup: it answered " + std::to_string(answer.status) + ".");
  }
  return document.as_object();
}

std::string text_of(const json::object& state, std::string_view name) {
  const auto* value = state.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// What the gateway says when this backup does not run any more.
Result<json::object> wait_for_end(const BackupOptions& options,
                                  const crypto::SecretBytes& credential, json::object state,
                                  const std::string& id) {
  ProgressLine line;
  const auto begun = std::chrono::steady_clock::now();
  while (text_of(state, "state") == "running" && text_of(state, "id") == id) {
    const auto waited =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begun);
    line.say("the gateway makes the backup: " + std::to_string(waited.count()) + " s");
    std::this_thread::sleep_for(kPoll);
    const auto answer = admin_get({options.admin, options.ca}, "/v1/backup", credential);
    if (!answer) return answer.error();
    auto next = parse_state(*answer);
    if (!next) return next.error();
    state = std::move(*next);
  }
  return state;
}

// Links followed as far as there is something.
bool lies_below(const fs::path& file, const fs::path& folder) {
  std::error_code error;
  const fs::path inner = fs::weakly_canonical(fs::absolute(file), error);
  if (error) return false;
  const fs::path outer = fs::canonical(folder, error);
  if (error) return false;
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

int through_gateway(const BackupOptions& options, const fs::path& data) {
  const auto credential = read_credential(options.credential_file, CredentialOf::admin);
  if (!credential) return fail(credential.error());
  json::object request = {{"kind", options.keys ? "keys" : "data"}};
  if (options.keys) request["days"] = options.days;
  auto answer =
      admin_post({options.admin, options.ca}, "/v1/backup", *credential, json::serialize(request));
  if (!answer) return fail(answer.error());
  auto state = parse_state(*answer);
  if (!state) return fail(state.error());
  const std::string id = text_of(*state, "id");
  state = wait_for_end(options, *credential, std::move(*state), id);
  if (!state) return fail(state.error());
  if (text_of(*state, "state") != "done" || text_of(*state, "id") != id) {
    const std::string why = text_of(*state, "error");
    return fail(ExitCode::data, why.empty() ? "The gateway could not make the backup." : why);
  }
  if (auto s = move_backup(data / text_of(*state, "file"), options.out); !s) return fail(s.error());
  return done(options, *state);
}

}  // namespace

int run_backup(const BackupOptions& options) {
  if (options.days < 1 || options.days > 3650) {
    return fail(ExitCode::usage, "--days takes 1 to 3650.");
  }
  const crypto::SystemClock clock;
  const auto found =
      offline_paths(options.config, options.data, options.root_key, DataFrom::argument);
  if (!found) return fail(found.error());
  const InstallationPaths& paths = *found;
  std::error_code ignored;
  if (fs::exists(options.out, ignored)) {
    return fail(ExitCode::data, options.out + " exists already and is not overwritten.");
  }
  // It would be lost with what it is a backup of, and go into the next one.
  if (lies_below(options.out, paths.data)) {
    return fail(ExitCode::usage, options.out + " lies in the data directory " +
                                     paths.data.string() + "; write the backup elsewhere.");
  }
  auto installation = Installation::open(paths, clock);
  if (!installation && installation.error().kind() == ErrorKind::busy) {
    if (options.credential_file.empty()) {
      return fail(ExitCode::data, "A gateway runs on " + paths.data.string() +
                                      "; give the credential of an admin with --credential-file, "
                                      "or stop it first.");
    }
    return through_gateway(options, paths.data);
  }
  if (!installation) return fail(installation.error());
  const BackupWish wish{
      options.keys ? BackupKind::keys : BackupKind::data, options.days, {}, {}, {}};
  const auto info = record_backup(**installation, wish, clock);
  if (!info) return fail(info.error());
  const auto made = make_backup(**installation, *info, options.out);
  if (!made) return fail(made.error());
  json::object out = {{"kind", options.keys ? "keys" : "data"},
                      {"id", crypto::vault::id_hex(made->info.id)},
                      {"made", made->info.made.time_since_epoch().count()},
                      {"records", made->records}};
  if (made->info.can_expire()) out["expires"] = made->info.expires.time_since_epoch().count();
  return done(options, std::move(out));
}

}  // namespace paravent::proxy::main
