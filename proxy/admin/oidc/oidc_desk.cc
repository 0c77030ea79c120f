#include "proxy/admin/oidc/oidc_desk.h"

#include <algorithm>
#include <utility>

namespace paravent::proxy::admin {

OidcDesk::OidcDesk(std::vector<OidcIssuer> issuers, const crypto::MonotonicClock& clock)
    : issuers_(std::move(issuers)), clock_(clock), held_(issuers_.size()) {}

std::shared_ptr<const KeySet> OidcDesk::keys_of(std::size_t issuer) const {
  const std::scoped_lock lock(mutex_);
  const Held& held = held_[issuer];
  if (clock_.now() - held.since > issuers_[issuer].most_age) return nullptr;
  return held.keys;
}

void OidcDesk::wish_for(std::size_t issuer) {
  const std::scoped_lock lock(mutex_);
  if (wish_) wish_(issuer);
}

std::optional<OidcIdentity> OidcDesk::verify(std::string_view credential, crypto::WallTime now) {
  const auto jws = parse_jws(credential);
  if (!jws || jws->kid.empty()) return std::nullopt;
  // Which issuer's keys are to be tried; that it is true, only the signature says.
  auto claims = read_claims(jws->payload);
  if (!claims) return std::nullopt;
  const auto found = std::find_if(issuers_.begin(), issuers_.end(), [&](const OidcIssuer& issuer) {
    return issuer.terms.issuer == claims->issuer;
  });
  if (found == issuers_.end() || !header_holds(*jws, found->terms)) return std::nullopt;
  const auto place = static_cast<std::size_t>(found - issuers_.begin());
  const auto keys = keys_of(place);
  const crypto::VerificationKey* key =
      keys == nullptr ? nullptr : keys->find(jws->kid, jws->algorithm);
  if (key == nullptr) {
    wish_for(place);
    return std::nullopt;
  }
  if (!key->verify(crypto::as_bytes(jws->signed_text), jws->signature)) return std::nullopt;
  if (!claims_hold(*claims, found->terms, now)) return std::nullopt;
  return OidcIdentity{found->name, std::move(claims->subject), std::move(claims->all)};
}

std::vector<OidcIssuerState> OidcDesk::states() const {
  const std::scoped_lock lock(mutex_);
  std::vector<OidcIssuerState> states;
  for (std::size_t i = 0; i < issuers_.size(); ++i) {
    const Held& held = held_[i];
    OidcIssuerState& state = states.emplace_back();
    state.name = issuers_[i].name;
    state.issuer = issuers_[i].terms.issuer;
    state.failures = held.failures;
    if (held.keys == nullptr) continue;
    const auto age = clock_.now() - held.since;
    state.keys = held.keys->size();
    state.unusable = held.keys->unusable();
    state.age = std::chrono::duration_cast<std::chrono::seconds>(age);
    state.stale = age > issuers_[i].most_age;
  }
  return states;
}

KeyNames OidcDesk::key_names(std::size_t issuer) const {
  const std::scoped_lock lock(mutex_);
  const Held& held = held_[issuer];
  const bool usable =
      held.keys != nullptr && clock_.now() - held.since <= issuers_[issuer].most_age;
  return usable ? held.keys->names() : KeyNames();
}

std::optional<std::chrono::nanoseconds> OidcDesk::usable_for(std::size_t issuer) const {
  const std::scoped_lock lock(mutex_);
  const Held& held = held_[issuer];
  if (held.keys == nullptr) return std::nullopt;
  return issuers_[issuer].most_age - (clock_.now() - held.since);
}

void OidcDesk::use_keys(std::size_t issuer, std::shared_ptr<const KeySet> keys) {
  const std::scoped_lock lock(mutex_);
  held_[issuer].keys = std::move(keys);
  held_[issuer].since = clock_.now();
}

void OidcDesk::count_failure(std::size_t issuer) {
  const std::scoped_lock lock(mutex_);
  ++held_[issuer].failures;
}

void OidcDesk::on_unknown_key(std::function<void(std::size_t)> wish) {
  const std::scoped_lock lock(mutex_);
  wish_ = std::move(wish);
}

std::string oidc_operator_name(std::string_view issuer, std::string_view subject) {
  return std::string("oidc:").append(issuer).append("/").append(subject);
}

std::optional<std::string_view> bearer_jwt(std::string_view header) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!header.starts_with(kScheme)) return std::nullopt;
  header.remove_prefix(kScheme.size());
  if (header.size() > kMostJwtBytes || header.find('.') == std::string_view::npos) {
    return std::nullopt;
  }
  return header;
}

}  // namespace paravent::proxy::admin
