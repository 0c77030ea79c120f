// Somebody who comes to a vault, for tests in which people only have to be there.

#pragma once

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <span>
#include <string>

#include "crypto/vault/engine/vault/vault.h"

namespace paravent::proxy::main {

// To the tenant atelier, with a key for the purpose contact.
inline void come(crypto::vault::Vault& vault, const std::string& person) {
  crypto::vault::ContextSpec spec;
  spec.purpose = "contact";
  spec.kind = crypto::Kind::email;
  spec.algorithm = crypto::Algorithm::subject_reference;
  const auto bound = vault.bind("atelier", std::span(&spec, 1));
  ASSERT_TRUE(bound) << bound.error().sentence();
  auto batch = std::make_shared<crypto::vault::ResolveBatch>();
  batch->subject.emplace();
  batch->subject->key_id = bound->front().key.key_id;
  batch->subject->needs_key = true;
  batch->subject->end = static_cast<std::uint32_t>(person.size());
  batch->values = person;
  auto answered = std::make_shared<std::promise<void>>();
  batch->done = [answered] { answered->set_value(); };
  vault.resolve(batch);
  answered->get_future().wait();
  EXPECT_EQ(batch->status, crypto::vault::ResolveStatus::ok);
}

}  // namespace paravent::proxy::main
