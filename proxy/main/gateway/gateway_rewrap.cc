// Another root key, and another way to unseal, while the gateway runs.

#include <utility>

#include "proxy/main/gateway/gateway_state.h"

namespace paravent::proxy::main {

using admin::RootWish;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

namespace {

RootKeySettings settings_of(const RootWish& wish) {
  RootKeySettings settings;
  switch (wish.way) {
    case RootWish::Way::key_file:
      settings.key_file = std::filesystem::path(wish.name).lexically_normal();
      break;
    case RootWish::Way::systemd_credential:
      settings.unseal.way = config::UnsealWay::systemd_credential;
      settings.unseal.credential = wish.name;
      break;
    case RootWish::Way::passphrase:
      settings.unseal.way = config::UnsealWay::passphrase;
      break;
    case RootWish::Way::pkcs11:
      settings.unseal.way = config::UnsealWay::pkcs11;
      settings.unseal.module = wish.module;
      settings.unseal.token = wish.token;
      settings.unseal.key = wish.key;
      break;
    case RootWish::Way::shares:
      settings.unseal.way = config::UnsealWay::shares;
      settings.unseal.shares = wish.threshold;
      settings.shares_made = wish.shares;
      break;
  }
  return settings;
}

Error no_offer() {
  return Error(ErrorKind::refused,
               "No change of the root key waits for this confirmation; begin again.");
}

}  // namespace

Result<admin::RootOffer> Gateway::State::prepare(const RootWish& wish) {
  const std::scoped_lock lock(changing);
  if (ending || !open)
    return Error(ErrorKind::sealed, "The vault is sealed, or the gateway stops.");
  if (people_hold(installation->root_settings())) {
    if (auto s = check_holders(*installation, wish.present); !s) return s.error();
  }
  RootKeySettings next = settings_of(wish);
  if (wish.way == RootWish::Way::pkcs11) {
    auto module = trusted_module(wish.module);
    if (!module) return module.error();
    next.unseal.module = std::move(*module);
  }
  root_offer.forget();  // before the next one: it takes its record back
  auto pending = prepare_root(*installation, std::move(next), wish.secret);
  if (!pending) return pending.error();
  admin::RootOffer offer;
  for (const crypto::SecretBytes& share : pending->change.handouts()) {
    offer.shares.push_back(share.clone());
  }
  offer.ticket = crypto::vault::id_hex(crypto::vault::random_id());
  root_offer.make(std::move(*pending), offer.ticket, std::chrono::steady_clock::now());
  return offer;
}

Status Gateway::State::decide(std::string_view ticket) {
  const std::scoped_lock lock(changing);
  if (ending || !open)
    return Error(ErrorKind::sealed, "The vault is sealed, or the gateway stops.");
  auto pending = root_offer.take(ticket, std::chrono::steady_clock::now());
  if (!pending) return no_offer();
  if (auto s = decide_root(*installation, std::move(*pending)); !s) return s;
  // What a reload compares a gateway file with: the file has to say the new way from now on.
  config.unseal = installation->root_settings().unseal;
  if (config.unseal.way == config::UnsealWay::key_file) {
    config.root_key = installation->root_settings().key_file.string();
  }
  return {};
}

}  // namespace paravent::proxy::main
