// AuditReceipt: the proof, inside this process, that an entry is durable. The step of the staircase
// before a value may be opened (DESIGN 4).
//
// Only AuditLog makes one, after the signed checkpoint that covers the entry is synced. Move-only;
// a receipt that was moved from is spent and valid() is false. The binding digest ties it to the
// one request that it was written for. One owner at a time.

#pragma once

#include <memory>
#include <string>
#include <utility>

#include "crypto/audit/event.h"
#include "crypto/audit/merkle.h"

namespace paravent::crypto::audit {

class AuditReceipt {
 public:
  AuditReceipt(AuditReceipt&&) noexcept = default;
  AuditReceipt& operator=(AuditReceipt&&) noexcept = default;
  AuditReceipt(const AuditReceipt&) = delete;
  AuditReceipt& operator=(const AuditReceipt&) = delete;

  bool valid() const noexcept { return log_id_ != nullptr; }
  // "installation" or the 32 hex digits of a tenant's id. REQUIRES: valid().
  const std::string& log_id() const noexcept { return *log_id_; }
  std::uint64_t index() const noexcept { return index_; }
  EventKind event() const noexcept { return event_; }
  Outcome outcome() const noexcept { return outcome_; }
  // SHA-256 of the entry's binding.
  const Hash& binding_digest() const noexcept { return binding_digest_; }

 private:
  friend class AuditLog;
  AuditReceipt(std::shared_ptr<const std::string> log_id, std::uint64_t index, EventKind event,
               Outcome outcome, const Hash& binding_digest) noexcept
      : log_id_(std::move(log_id)),
        index_(index),
        event_(event),
        outcome_(outcome),
        binding_digest_(binding_digest) {}

  std::shared_ptr<const std::string> log_id_;
  std::uint64_t index_;
  EventKind event_;
  Outcome outcome_;
  Hash binding_digest_;
};

}  // namespace paravent::crypto::audit
