#include "crypto/vectors/vector_case.h"

#include <boost/json/array.hpp>
#include <boost/json/string.hpp>

#include "crypto/base/encoding.h"

namespace paravent::crypto {

const boost::json::value* VectorCase::member(std::string_view name) const {
  return object_ == nullptr ? nullptr : object_->if_contains(name);
}

const boost::json::value* VectorCase::find(std::string_view name) {
  const boost::json::value* found = member(name);
  if (found == nullptr) complete_ = false;
  return found;
}

std::string VectorCase::text(std::string_view name) {
  const boost::json::value* found = find(name);
  const boost::json::string* string = found == nullptr ? nullptr : found->if_string();
  if (string == nullptr) {
    complete_ = false;
    return {};
  }
  return {string->data(), string->size()};
}

Bytes VectorCase::hex(std::string_view name) {
  std::string digits = text(name);
  for (char& c : digits) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  auto bytes = from_hex(digits);
  if (!bytes) {
    complete_ = false;
    return {};
  }
  return std::move(*bytes);
}

std::uint64_t VectorCase::number(std::string_view name) {
  const boost::json::value* found = find(name);
  if (found != nullptr && found->is_int64() && found->get_int64() >= 0) {
    return static_cast<std::uint64_t>(found->get_int64());
  }
  if (found != nullptr && found->is_uint64()) return found->get_uint64();
  complete_ = false;
  return 0;
}

std::string_view string_member(const boost::json::value& value, std::string_view name) noexcept {
  const auto* object = value.if_object();
  const auto* member = object == nullptr ? nullptr : object->if_contains(name);
  const auto* string = member == nullptr ? nullptr : member->if_string();
  return string == nullptr ? std::string_view() : std::string_view(string->data(), string->size());
}

const boost::json::array& array_member(const boost::json::value& value,
                                       std::string_view name) noexcept {
  static const boost::json::array kNone;
  const auto* object = value.if_object();
  const auto* member = object == nullptr ? nullptr : object->if_contains(name);
  const auto* array = member == nullptr ? nullptr : member->if_array();
  return array == nullptr ? kNone : *array;
}

}  // namespace paravent::crypto
