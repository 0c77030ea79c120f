// paravent dossier: client of POST /v1/dossier.

#include <boost/json.hpp>
#include <cstdio>

#include "crypto/vault/engine/base/durable_file.h"
#include "proxy/main/commands/admin_client.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/record_commands.h"
#include "proxy/main/commands/waiting_line.h"

namespace paravent::proxy::main {

int run_dossier(const DossierOptions& options) {
  const auto credential = read_credential(options.client.credential_file);
  if (!credential) return fail(credential.error());
  boost::json::object request = {{"reason", options.reason}};
  const std::pair<const char*, const std::string*> members[] = {
      {"operator", &options.operator_name},
      {"credential", &options.credential_id},
      {"key", &options.key},
      {"subject", &options.subject},
      {"from", &options.from},
      {"to", &options.to}};
  for (const auto& [name, text] : members) {
    if (!text->empty()) request[name] = *text;
  }
  if (options.html) request["format"] = "html";
  const auto answer = [&] {
    const WaitingLine line("the gateway puts the dossier together");
    return admin_post({options.client.admin, options.client.ca}, "/v1/dossier", *credential,
                      boost::json::serialize(request));
  }();
  if (!answer) return fail(answer.error());
  if (answer->status != 200) return fail(admin_error(*answer));
  // Within a text of the document its quotes would be escaped.
  if (answer->body.find(R"("operator_named":false)") != std::string::npos) {
    std::fputs(
        "paravent: warning: no entry of the log, of any time, names this operator; paravent "
        "operators list shows how they are written.\n",
        stderr);
  }
  if (options.out.empty()) {
    std::fwrite(answer->body.data(), 1, answer->body.size(), stdout);
    return static_cast<int>(ExitCode::done);
  }
  const auto bytes = crypto::as_bytes(answer->body);
  if (auto s = crypto::vault::write_file_durably(options.out, bytes); !s) return fail(s.error());
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
