// What the tests of data subjects share: a route's bindings, and one request about somebody.

#pragma once

#include <tuple>

#include "crypto/tokens/field_protector.h"
#include "crypto/vault/engine/upkeep/subject_admin.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {

inline ContextSpec references(std::string purpose = "contact") {
  ContextSpec spec;
  spec.purpose = std::move(purpose);
  spec.kind = Kind::email;
  spec.algorithm = Algorithm::subject_reference;
  return spec;
}

inline ContextSpec bound_tokens(std::string purpose = "contact", Kind kind = Kind::email) {
  ContextSpec spec = email_tokens(std::move(purpose));
  spec.space = kind_name(kind);
  spec.kind = kind;
  spec.epoch = EpochLength::none;
  spec.subject_bound = true;
  return spec;
}

inline ContextSpec bound_text(std::string purpose = "contact") {
  ContextSpec spec = bound_tokens(std::move(purpose), Kind::text);
  spec.algorithm = Algorithm::encrypted_subject;
  spec.subject_bound = false;
  return spec;
}

struct BoundRoute {
  Binding reference;
  Binding email;
  Binding name;
  Binding text;
};

inline BoundRoute bound_route(Vault& vault, const std::string& purpose = "contact",
                              const std::string& tenant = "atelier") {
  const auto bind = [&](const ContextSpec& spec) {
    auto bound = vault.bind(tenant, std::span(&spec, 1));
    EXPECT_TRUE(bound) << (bound ? "" : bound.error().sentence());
    return std::move(bound->front());
  };
  return {bind(references(purpose)), bind(bound_tokens(purpose)),
          bind(bound_tokens(purpose, Kind::name)), bind(bound_text(purpose))};
}

struct Answer {
  ResolveStatus status = ResolveStatus::pending;
  SubjectQuestion subject;
  std::vector<std::string> tokens;
  std::string encrypted;
};

// The subject key that the vault answered with.
inline Bytes key_of(const Answer& answer) {
  const ByteView key = answer.subject.seal.key.bytes();
  return {key.begin(), key.end()};
}

inline ProtectionKey copy_of(const ProtectionKey& key) {
  ProtectionKey out;
  out.key_id = key.key_id;
  out.algorithm = key.algorithm;
  out.ctx = key.ctx;
  out.key = key.key.clone();
  out.nonce_key = key.nonce_key.clone();
  return out;
}

// A request of this person; nobody: without anything that tells who it is.
inline Answer ask(Vault& vault, const BoundRoute& route, const std::string& person,
                  const std::string& name, bool stop_if_objected = false) {
  auto batch = std::make_shared<ResolveBatch>();
  const auto add = [&](const std::string& value) {
    const auto begin = static_cast<std::uint32_t>(batch->values.size());
    batch->values += value;
    return std::pair(begin, static_cast<std::uint32_t>(batch->values.size()));
  };
  batch->subject.emplace();
  batch->subject->key_id = route.reference.key.key_id;
  batch->subject->needs_key = true;
  batch->subject->stop_if_objected = stop_if_objected;
  if (!person.empty()) std::tie(batch->subject->begin, batch->subject->end) = add(person);
  const auto job = [&](const Binding& binding, Kind kind, const std::string& value) {
    MintJob made;
    made.key_id = binding.key.key_id;
    made.seal_key_id = binding.seal_key_id;
    made.kind = kind;
    std::tie(made.begin, made.end) = add(value);
    batch->jobs.push_back(made);
  };
  if (!person.empty()) job(route.email, Kind::email, person);
  job(route.name, Kind::name, name);
  Answer out;
  out.status = run(vault, batch);
  out.subject = std::move(*batch->subject);
  if (out.status != ResolveStatus::ok) return out;
  for (const MintJob& one : batch->jobs) {
    out.tokens.emplace_back();
    write_vault_token(one.key_id, one.id, out.tokens.back());
  }
  if (out.subject.objected && stop_if_objected) return out;
  std::vector<ProtectionKey> keys;
  keys.push_back(copy_of(route.text.key));
  const auto protector = FieldProtector::create(keys).value();
  const ProtectForm form{.kind = Kind::text, .subject = &out.subject.seal};
  EXPECT_TRUE(protector->protect(0, form, "about " + name, out.encrypted));
  return out;
}

}  // namespace paravent::crypto::vault
