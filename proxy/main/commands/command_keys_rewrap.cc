// paravent keys rewrap: another root key, and where wanted another way to unseal. Of a stopped
// gateway by itself, of a running one through its admin API.

#include <boost/json.hpp>
#include <cstdio>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "proxy/admin/root_desk.h"
#include "proxy/body/json.h"
#include "proxy/main/commands/admin_client.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/waiting_line.h"
#include "proxy/main/commands/way_options.h"
#include "proxy/main/installation/change_root.h"

namespace paravent::proxy::main {
namespace {

using config::UnsealWay;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;
using crypto::Status;

// For people who wait: none of it can be counted.
constexpr const char* kMaking = "the new root key is made";
constexpr const char* kWrapping = "the keys are wrapped under it";
constexpr const char* kAtTheGateway = "the gateway works on the new root key";

Result<SecretBytes> ask(const KeysRewrapOptions& options, const std::string& question) {
  return options.secret_fd >= 0 ? read_secret_from(options.secret_fd) : ask_secret(question);
}

// The new pass-phrase or the PIN of the new token; nothing where the way needs none.
Result<SecretBytes> ask_new(const KeysRewrapOptions& options, const RootKeySettings& next) {
  if (next.unseal.way == UnsealWay::passphrase) {
    return options.secret_fd >= 0 ? read_secret_from(options.secret_fd) : ask_new_passphrase();
  }
  if (next.unseal.way == UnsealWay::pkcs11) return ask(options, "PIN of the new token");
  return SecretBytes();
}

// Straight from the locked page to standard output: stdio would keep a copy in its buffer.
Status print_shares(const std::vector<SecretBytes>& shares, bool json) {
  const Error failed(ErrorKind::internal,
                     "Standard output could not be written; nothing was changed.");
  const auto put = [](std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  };
  if (shares.empty()) return {};
  bool good = put(json ? "{\"shares\":["
                       : "The shares of the new root key, shown once; give each to another "
                         "person:\n");
  for (std::size_t i = 0; i < shares.size() && good; ++i) {
    if (json) good = put(i == 0 ? "\"" : ",\"");
    good = good && put(crypto::as_text(shares[i].bytes())) && put(json ? "\"" : "\n");
  }
  if (json) good = good && put("]}\n");
  if (!good) return failed;
  return {};
}

int done(const KeysRewrapOptions& options, const RootKeySettings& next, bool runs) {
  if (options.json) {
    const boost::json::object told = {{"unseal", way_text(next)}};
    std::printf("%s\n", boost::json::serialize(told).c_str());
    return static_cast<int>(ExitCode::done);
  }
  std::printf(
      "The keys are wrapped under a new root key; the old one opens nothing here any more.\n"
      "Write into the gateway file, %s:\n    vault: { unseal: %s }\n",
      runs ? "before the gateway starts the next time" : "before you start the gateway",
      way_text(next).c_str());
  if (next.unseal.way == UnsealWay::key_file) {
    std::printf("Keep a copy of %s where the data is not.\n", next.key_file.c_str());
  }
  std::printf(
      "Make both backups now, of the data and of the keys: those from before restore with each "
      "other and the old root key only. As long as one of them is to be of use, keep the old "
      "secret for it.\n");
  return static_cast<int>(ExitCode::done);
}

// Interrupted after the keys were wrapped anew, or run twice: the next key opens them already.
bool is_done_already(const InstallationPaths& paths, const RootKeySettings& next,
                     const crypto::Clock& clock) {
  std::error_code ignored;
  if (next.unseal.way != UnsealWay::key_file || !std::filesystem::exists(next.key_file, ignored)) {
    return false;
  }
  InstallationPaths then = paths;
  then.root = next;
  return Installation::open(then, clock).has_value();
}

int offline(const KeysRewrapOptions& options, Installation& installation, RootKeySettings next) {
  const auto secret = ask_new(options, next);
  if (!secret) return fail(secret.error());
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::key_operation;
  entry.detail.reason = options.reason;
  entry.detail.object = "root key";
  entry.detail.remark = "re-wrap under another root key, offline; unsealed by " + way_text(next);
  if (auto receipt = installation.audit().installation().append(entry); !receipt) {
    return fail(receipt.error());
  }
  const auto failed = [&](const Error& error) {
    entry.outcome = crypto::audit::Outcome::failed;
    std::ignore = installation.audit().installation().append(entry);
    return fail(error);
  };
  auto pending = [&] {
    const WaitingLine line(kMaking);
    return prepare_root(installation, next, *secret);
  }();
  if (!pending) return failed(pending.error());
  if (auto s = print_shares(pending->change.handouts(), options.json); !s) return failed(s.error());
  const auto decided = [&] {
    const WaitingLine line(kWrapping);
    return decide_root(installation, std::move(*pending));
  }();
  if (!decided) return failed(decided.error());
  return done(options, next, false);
}

// A JSON object whose secrets lie in one buffer that is wiped.
class Request {
 public:
  explicit Request(std::size_t room) { text_.reserve(room); }
  ~Request() { crypto::wipe(text_); }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  Request& raw(std::string_view text) {
    text_.append(text);
    return *this;
  }
  Request& string(std::string_view text) {
    body::encode_json_string(text, text_);
    return *this;
  }
  std::string_view text() const { return text_; }

 private:
  std::string text_;
};

void append_way(Request& out, const RootKeySettings& next, const SecretBytes& secret) {
  const std::string_view word = crypto::as_text(secret.bytes());
  switch (next.unseal.way) {
    case UnsealWay::key_file:
      out.raw(",\"root_key_file\":").string(next.key_file.string());
      return;
    case UnsealWay::systemd_credential:
      out.raw(",\"systemd_credential\":").string(next.unseal.credential);
      return;
    case UnsealWay::passphrase:
      out.raw(",\"passphrase\":").string(word);
      return;
    case UnsealWay::pkcs11:
      out.raw(",\"pkcs11\":{\"module\":").string(next.unseal.module);
      out.raw(",\"token\":").string(next.unseal.token);
      out.raw(",\"key\":").string(next.unseal.key);
      out.raw(",\"pin\":").string(word).raw("}");
      return;
    case UnsealWay::shares:
      out.raw(",\"shares\":")
          .string(std::to_string(next.unseal.shares) + "/" + std::to_string(next.shares_made));
      return;
  }
}

// What people hold of the present root key.
Result<std::vector<SecretBytes>> ask_present(const KeysRewrapOptions& options,
                                             const RootKeySettings& present) {
  std::vector<SecretBytes> given;
  if (!people_hold(present)) return given;
  const bool shares = present.unseal.way == UnsealWay::shares;
  const std::uint32_t wanted = shares ? present.unseal.shares : 1;
  for (std::uint32_t i = 1; i <= wanted; ++i) {
    auto secret =
        ask(options, shares ? "Present share " + std::to_string(i) + " of " + std::to_string(wanted)
                            : "Present pass-phrase");
    if (!secret) return secret.error();
    if (secret->empty()) {
      return Error(ErrorKind::usage,
                   "The present root key is in people's hands; without them it is not changed.");
    }
    given.push_back(std::move(*secret));
  }
  return given;
}

// What prepare answered: the shares, if there are any, and what confirms them.
struct Offer {
  std::vector<SecretBytes> shares;
  std::string confirm;
};

Result<Offer> read_offer(std::string_view body) {
  boost::system::error_code wrong;
  SecretBytes room(std::size_t{64} << 10U);
  boost::json::monotonic_resource memory(room.mutable_bytes().data(), room.size());
  const auto document =
      boost::json::parse(boost::json::string_view(body.data(), body.size()), wrong, &memory);
  const auto* object = wrong ? nullptr : document.if_object();
  if (object == nullptr) {
    return Error(ErrorKind::unreachable, "What answered is not the admin API of a gateway.");
  }
  Offer offer;
  if (const auto* confirm = object->if_contains("confirm"); confirm && confirm->is_string()) {
    offer.confirm = confirm->get_string();
  }
  if (const auto* list = object->if_contains("shares"); list && list->is_array()) {
    for (const auto& one : list->get_array()) {
      if (!one.is_string()) continue;
      const auto& text = one.get_string();
      offer.shares.push_back(SecretBytes::copy_of(std::string_view(text.data(), text.size())));
    }
  }
  return offer;
}

// A wrong secret, a foreign token, a token that is missing: all are about data and keys.
Error api_error(const AdminAnswer& answer) {
  Error error = admin_error(answer);
  const bool of_the_vault =
      answer.status == 409 || answer.body.find("unseal-refused") != std::string::npos;
  return of_the_vault ? Error(ErrorKind::data, error.sentence()) : error;
}

int through_gateway(const KeysRewrapOptions& options, const RootKeySettings& present,
                    const RootKeySettings& next) {
  if (options.reason.empty())
    return fail(ExitCode::usage, "--reason says why; it goes on the record.");
  const auto credential = read_credential(options.credential_file, CredentialOf::admin);
  if (!credential) return fail(credential.error());
  const auto given = ask_present(options, present);
  if (!given) return fail(given.error());
  const auto secret = ask_new(options, next);
  if (!secret) return fail(secret.error());
  Request request(std::size_t{64} << 10U);  // growing would leave copies behind
  request.raw("{\"reason\":").string(options.reason).raw(",\"present\":[");
  for (std::size_t i = 0; i < given->size(); ++i) {
    if (i > 0) request.raw(",");
    request.string(crypto::as_text((*given)[i].bytes()));
  }
  request.raw("]");
  append_way(request, next, *secret);
  request.raw("}");
  const AdminAddress at{options.admin, options.ca};
  const auto rewrap = [&](std::string_view wish) {
    const WaitingLine line(kAtTheGateway);
    return admin_post(at, "/v1/rewrap", *credential, wish);
  };
  auto answer = rewrap(request.text());
  if (!answer) return fail(answer.error());
  if (answer->status != 200) return fail(api_error(*answer));
  const auto offer = read_offer(answer->body);
  crypto::wipe(answer->body);
  if (!offer) return fail(offer.error());
  if (!offer->shares.empty()) {
    // In force only once they are out of here.
    if (auto s = print_shares(offer->shares, options.json); !s) return fail(s.error());
    const boost::json::object confirm = {{"reason", options.reason}, {"confirm", offer->confirm}};
    answer = rewrap(boost::json::serialize(confirm));
    if (!answer) return fail(answer.error());
    if (answer->status != 200) return fail(api_error(*answer));
  }
  return done(options, next, true);
}

}  // namespace

int run_keys_rewrap(const KeysRewrapOptions& options) {
  const WayOptions way{options.new_root_key,      options.new_systemd_credential,
                       options.new_passphrase,    options.new_shares,
                       options.new_pkcs11_module, options.new_pkcs11_token,
                       options.new_pkcs11_key};
  if (!names_a_way(way)) {
    return fail(ExitCode::usage,
                "Name the new way: --new-root-key, --new-passphrase, --new-shares, "
                "--new-pkcs11-module or --new-systemd-credential.");
  }
  RootKeySettings next;
  if (auto s = choose_way(way, "--new-", next); !s) return fail(s.error());
  const crypto::SystemClock clock;
  auto paths = offline_paths(options.config, options.data, options.root_key);
  if (!paths) return fail(paths.error());
  if (options.secret_fd >= 0) {
    paths->root.secret = [fd = options.secret_fd] { return read_secret_from(fd); };
  }
  std::setvbuf(stdout, nullptr, _IONBF, 0);
  auto installation = Installation::open(*paths, clock);
  if (installation) return offline(options, **installation, std::move(next));
  const Error why = installation.error();
  if (why.kind() == ErrorKind::busy && !options.credential_file.empty()) {
    return through_gateway(options, paths->root, next);
  }
  if (why.kind() == ErrorKind::busy) {
    return fail(ExitCode::data, "A gateway runs on " + paths->data.string() +
                                    "; give the credential of an admin with --credential-file, or "
                                    "stop it first.");
  }
  if (is_done_already(*paths, next, clock)) {
    std::printf("The keys are wrapped under %s already.\n", next.key_file.c_str());
    return static_cast<int>(ExitCode::done);
  }
  return fail(why);
}

}  // namespace paravent::proxy::main
