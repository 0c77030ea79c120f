#include <boost/json.hpp>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/main/commands/admin_client.h"
#include "proxy/main/commands/certificate_files.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/io/text_file.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;

constexpr std::size_t kMaxIdentifier = 8192;

// What tells the person comes from standard input: a command line is seen by every process.
crypto::Result<std::string> read_identifier() {
  auto text = read_text_file("/dev/stdin", kMaxIdentifier);
  if (!text) return text.error();
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  return text;
}

crypto::Result<boost::json::object> request_of(const SubjectsOptions& options) {
  boost::json::object request = {{"reason", options.reason}};
  if (!options.tokens.empty()) {
    request["tokens"] = boost::json::array(options.tokens.begin(), options.tokens.end());
  } else if (!options.reference.empty()) {
    request["reference"] = options.reference;
  } else {
    auto value = read_identifier();
    if (!value) return value.error();
    request["identifier"] = boost::json::object{{"kind", options.kind}, {"value", *value}};
    crypto::wipe(*value);
  }
  if (options.action == "restrict") request["restricted"] = !options.lift;
  if (options.action == "object") request["objected"] = !options.lift;
  if (options.action == "events") {
    request["purpose"] = options.purpose;
    request["event"] = options.event;
    if (options.lift) {
      request["day"] = nullptr;
    } else {
      request["day"] = options.day;
    }
  }
  return request;
}

std::string_view text_of(const boost::json::object& object, std::string_view name) {
  const auto* member = object.if_contains(name);
  if (member == nullptr || !member->is_string()) return {};
  return member->get_string();
}

bool is_set(const boost::json::object& object, std::string_view name) {
  const auto* member = object.if_contains(name);
  return member != nullptr && member->is_bool() && member->get_bool();
}

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_subject(const boost::json::object& subject, bool erased) {
  print(text_of(subject, "reference"));
  if (!is_set(subject, "identified")) print(" (of one request)");
  if (erased) print(" erased");
  if (is_set(subject, "restricted")) print(" restricted");
  if (is_set(subject, "objected")) print(" objected");
  print("\n");
  if (const auto* purposes = subject.if_contains("purposes"); purposes && purposes->is_array()) {
    for (const auto& one : purposes->get_array()) {
      const auto& purpose = one.as_object();
      print("  ");
      print(text_of(purpose, "purpose"));
      print(": since ");
      print(text_of(purpose, "since"));
      print(", last contact ");
      print(text_of(purpose, "last_contact"));
      if (const auto event = text_of(purpose, "event"); !event.empty()) {
        print(", event ");
        print(event);
      }
      if (const auto disabled = text_of(purpose, "disabled"); !disabled.empty()) {
        print(", disabled ");
        print(disabled);
      }
      print("\n");
    }
  }
  if (const auto* tokens = subject.if_contains("tokens"); tokens && tokens->is_array()) {
    for (const auto& token : tokens->get_array()) {
      print("  ");
      print(token.as_string());
      print("\n");
    }
  }
}

void print_values(const boost::json::array& values) {
  for (const auto& one : values) {
    const auto& value = one.as_object();
    print("  ");
    print(text_of(value, "purpose"));
    print(" ");
    print(text_of(value, "kind"));
    print(": ");
    print(text_of(value, "value"));
    print("\n");
  }
}

std::uint64_t count_of(const boost::json::object& object, std::string_view name) {
  const auto* member = object.if_contains(name);
  if (member == nullptr || !member->is_int64() || member->get_int64() < 0) return 0;
  return static_cast<std::uint64_t>(member->get_int64());
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

// What is said of people who are erased, whatever comes of their certificates.
int say_erased(const SubjectsOptions& options, const boost::json::object& answer,
               CertificateFiles& files) {
  const std::uint64_t people = count_of(answer, "erased");
  std::vector<std::string> certificates;
  if (const auto* list = answer.if_contains("certificates"); list && list->is_array()) {
    for (const auto& text : list->get_array()) {
      if (text.is_string()) certificates.emplace_back(text.get_string());
    }
  }
  std::vector<std::string> left;
  std::vector<std::string> names;
  if (options.certificate.empty()) {
    left = certificates;
  } else {
    names = files.write(certificates, left);
  }
  if (!options.json) {
    print("Erased: " + counted(people, "person", "people") + ", " +
          counted(count_of(answer, "tokens_gone"), "token", "tokens") + " gone.\n");
    if (is_set(answer, "rows_left")) {
      print("Rows of theirs are still in the token store's files; the gateway goes on with it.\n");
    }
    for (const std::string& name : names) print("The certificate is in " + name + ".\n");
    for (const std::string& text : left) print("\n" + text);
  }
  const std::string erased = people == 1 ? "The person is erased" : "The people are erased";
  if (certificates.size() < people) {
    return fail(ExitCode::data, erased +
                                    ", but the gateway could not sign every certificate; the audit "
                                    "log has the record.");
  }
  if (!options.certificate.empty() && !left.empty()) {
    return fail(ExitCode::data, erased + ", but not every certificate could be written to " +
                                    options.certificate +
                                    "; what is missing there is on standard output, and is made "
                                    "only once.");
  }
  return static_cast<int>(ExitCode::done);
}

// A value among them, or a token of somebody who is gone.
std::string unknown_tokens(const SubjectsOptions& options, std::uint64_t unknown) {
  return std::to_string(unknown) + " of " +
         counted(options.tokens.size(), "token leads", "tokens lead") +
         " to nobody: unknown here, or bound to no person. A value is no token: it goes to "
         "standard "
         "input, with --kind.";
}

}  // namespace

int run_subjects(const SubjectsOptions& options) {
  const int said = (options.tokens.empty() ? 0 : 1) + (options.kind.empty() ? 0 : 1) +
                   (options.reference.empty() ? 0 : 1);
  if (said != 1) {
    return fail(ExitCode::usage,
                "Say who is meant: TOKENs of theirs, --kind and the value on standard input, or "
                "--reference.");
  }
  const auto credential = read_credential(options.credential_file);
  if (!credential) return fail(credential.error());
  const auto request = request_of(options);
  if (!request) return fail(request.error());
  auto certificates = CertificateFiles::reserve(options.certificate);
  if (!certificates) return fail(certificates.error());
  auto answer = admin_post({options.admin, options.ca}, "/v1/subjects/" + options.action,
                           *credential, boost::json::serialize(*request));
  if (!answer) return fail(answer.error());
  if (answer->status != 200) return fail(admin_error(*answer));
  boost::system::error_code malformed;
  const auto document = boost::json::parse(answer->body, malformed);
  const auto* object = document.if_object();
  const auto* subjects = object != nullptr ? object->if_contains("subjects") : nullptr;
  if (malformed || subjects == nullptr || !subjects->is_array()) {
    return fail(Error(ErrorKind::unreachable, "What answered is not the admin API of a gateway."));
  }
  if (options.json) {
    print(answer->body);
  } else {
    const bool erased = options.action == "erase";
    for (const auto& one : subjects->get_array()) print_subject(one.as_object(), erased);
    if (const auto* values = object->if_contains("values"); values && values->is_array()) {
      print_values(values->get_array());
    }
  }
  crypto::wipe(answer->body);
  const std::uint64_t unknown = count_of(*object, "unknown_tokens");
  if (subjects->get_array().empty()) {
    if (unknown > 0) return fail(ExitCode::refused, unknown_tokens(options, unknown));
    return fail(ExitCode::refused,
                "No value is bound to such a person. Fields are bound by erasable: subject, or by "
                "a retention that counts from an event.");
  }
  if (unknown > 0) {
    std::fprintf(stderr, "paravent: warning: %s\n", unknown_tokens(options, unknown).c_str());
  }
  if (options.action == "erase") return say_erased(options, *object, *certificates);
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
