// The normalisers of the kinds, one file each; normaliser.h is the way in. Each appends to `out`
// and may leave part of its work there when it fails: normalise() cuts that off again.

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::crypto {

Status normalise_text(std::string_view value, std::string& out);
Status normalise_name(std::string_view value, std::string& out);
Status normalise_email(std::string_view value, std::string& out);
Status normalise_phone(std::string_view value, std::string_view region, std::string& out);
Status normalise_ip(std::string_view value, std::string& out);
Status normalise_address(std::string_view value, std::string& out);
Status normalise_birth_date(std::string_view value, std::string_view region, std::string& out);
Status normalise_iban(std::string_view value, std::string& out);
Status normalise_card(std::string_view value, std::string& out);
Status normalise_nir(std::string_view value, std::string& out);
Status normalise_siren(std::string_view value, std::string& out);
Status normalise_siret(std::string_view value, std::string& out);
Status normalise_gps(std::string_view value, std::string& out);
Status normalise_user_agent(std::string_view value, std::string& out);
Status normalise_url(std::string_view value, std::string& out);

}  // namespace paravent::crypto
