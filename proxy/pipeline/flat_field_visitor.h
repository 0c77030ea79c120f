// FlatFieldVisitor: hands the fields of a flat carrier to the RequestScanner: form, multipart,
// query and the cookies of one header line. Internal to the scanner.

#pragma once

#include <string_view>

#include "policies/plan/file_plan.h"
#include "proxy/body/field.h"
#include "proxy/pipeline/request_scanner.h"

namespace paravent::proxy {

class FlatFieldVisitor final : public body::FlatVisitor {
 public:
  FlatFieldVisitor(RequestScanner& scanner, policies::Carrier carrier, std::string_view text,
                   std::uint32_t line = 0)
      : scanner_(scanner), carrier_(carrier), text_(text), line_(line) {}

  bool on_field(std::string_view name, const body::Field& field) override {
    const policies::FieldAction* action = scanner_.find(carrier_, name);
    if (field.is_file && action != nullptr && action->file) {
      return scanner_.take_file(name, field, text_, *action);
    }
    return scanner_.take(carrier_, name, line_, field, field.value.in(text_), action);
  }

 private:
  RequestScanner& scanner_;
  policies::Carrier carrier_;
  std::string_view text_;
  std::uint32_t line_;
};

}  // namespace paravent::proxy
