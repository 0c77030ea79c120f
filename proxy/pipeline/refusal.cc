#include "proxy/pipeline/refusal.h"

#include <array>
#include <cstddef>

namespace paravent::proxy {
namespace {

struct ReasonFacts {
  std::uint16_t status;
  bool closes;
  std::string_view label;
};

// In the order of Reason.
constexpr std::array<ReasonFacts, kReasonCount> kReasons = {{
    {400, true, "framing"},
    {400, false, "malformed-body"},
    {403, false, "client-certificate"},
    {404, false, "no-route"},
    {405, false, "method"},
    {408, true, "timeout"},
    {411, true, "length-required"},
    {413, false, "too-large"},
    {414, true, "target-too-long"},
    {415, false, "unsupported-type"},
    {415, false, "unsupported-encoding"},
    {417, true, "expectation"},
    {422, false, "unlisted-field"},
    {422, false, "missing-field"},
    {422, false, "refused-field"},
    {422, false, "ambiguous-field"},
    {422, false, "own-token"},
    {422, false, "transform-failed"},
    {422, false, "objected"},
    {422, false, "late-field"},
    {429, false, "rate-limited"},
    {431, true, "headers-too-large"},
    {501, true, "unsupported-coding"},
    {502, false, "upstream-failed"},
    {503, false, "sealed"},
    {503, false, "store-unavailable"},
    {503, false, "overloaded"},
    {504, false, "upstream-timeout"},
    {505, true, "http-version"},
}};

const ReasonFacts& facts(Reason reason) { return kReasons[static_cast<std::size_t>(reason)]; }

}  // namespace

std::uint16_t reason_status(Reason reason) noexcept { return facts(reason).status; }
std::string_view reason_label(Reason reason) noexcept { return facts(reason).label; }
bool reason_closes(Reason reason) noexcept { return facts(reason).closes; }

}  // namespace paravent::proxy
