#include "crypto/vault/engine/subjects/subject_wrap.h"

#include <string>

#include "crypto/vault/engine/keys/key_wrap.h"

namespace paravent::crypto::vault {
namespace {

KeyRecord record_of(const SubjectKeyMade& made, const Id& tenant) {
  KeyRecord record;
  record.id = made.handle;
  record.key_class = KeyClass::subject;
  record.parent = made.parent;
  record.tenant = tenant;
  record.purpose = made.purpose;
  record.made = made.made;
  record.shred_number = made.shred_number;
  record.check = made.check;
  record.wrapped = made.wrapped;
  return record;
}

std::string binding_of(const SubjectKeyMade& made) {
  std::string binding(id_text(made.subject));
  append_u32be(binding, made.created_day);
  return binding;
}

}  // namespace

void wrap_subject_key(SubjectKeyMade& made, const Id& tenant, ByteView key, ByteView shred_wrap,
                      ByteView outer) {
  KeyRecord record = record_of(made, tenant);
  wrap_key(record, key, shred_wrap, outer, binding_of(made));
  made.check = record.check;
  made.wrapped = record.wrapped;
}

Status unwrap_subject_key(const SubjectKeyMade& made, const Id& tenant, ByteView shred_wrap,
                          ByteView outer, MutableBytes key) {
  return unwrap_key(record_of(made, tenant), shred_wrap, outer, key, binding_of(made));
}

}  // namespace paravent::crypto::vault
