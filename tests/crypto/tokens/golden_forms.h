// Reads golden_forms.tsv.

#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/encoding.h"
#include "crypto/keys/context_row.h"
#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/protect_form.h"
#include "tests/crypto/tokens/cases.h"

namespace paravent::crypto::testing {

struct GoldenForm {
  ContextRow row;
  Bytes parent;  // sealed values: the recipient's private key
  ProtectForm form;
  std::string value;
  Bytes random;
  std::string ctx_hex;
  std::string token;

  bool sealed() const {
    return row.algorithm == Algorithm::sealed || row.algorithm == Algorithm::sealed_single;
  }
};

inline Algorithm algorithm_named(std::string_view name) {
  for (std::uint8_t number = 0; number < 32; ++number) {
    const auto algorithm = algorithm_from(number);
    if (algorithm && algorithm_name(*algorithm) == name) return *algorithm;
  }
  throw std::runtime_error("no such algorithm: " + std::string(name));
}

inline std::vector<GoldenForm> golden_forms() {
  std::vector<GoldenForm> forms;
  for (const Row& row : read_cases("tests/crypto/tokens/golden_forms.tsv", 13)) {
    GoldenForm golden;
    golden.row.algorithm = algorithm_named(row[0]);
    golden.row.key_id = static_cast<std::uint32_t>(std::stoul(row[1], nullptr, 16));
    golden.parent = *from_hex(row[2]);
    golden.row.tenant_id = std::string(kContextIdSize, 't');
    golden.row.domain_id = std::string(kContextIdSize, 'd');
    golden.row.purpose_id = std::string(kContextIdSize, 'p');
    golden.row.space_id = std::string(kContextIdSize, 's');
    golden.row.scope_id = std::string(as_text(*from_hex(row[3])));
    golden.form.kind = kind_from_name(row[4]).value();
    golden.row.normaliser_id =
        static_cast<std::uint16_t>(static_cast<unsigned>(golden.form.kind) * 256 + 1);
    if (row[5] != "-") golden.form.shape = shape_from_name(row[5]).value();
    golden.form.length = static_cast<std::uint8_t>(std::stoul(row[6]));
    golden.form.bits = static_cast<std::uint8_t>(std::stoul(row[7]));
    const Bytes scope_id = *from_hex(row[8]);
    if (!scope_id.empty()) {
      golden.form.scope = Scope::relationship;
      std::copy(scope_id.begin(), scope_id.end(), golden.form.scope_id.begin());
    }
    golden.value = std::string(as_text(*from_hex(row[9])));
    golden.random = *from_hex(row[10]);
    golden.ctx_hex = row[11];
    golden.token = row[12];
    forms.push_back(std::move(golden));
  }
  return forms;
}

}  // namespace paravent::crypto::testing
