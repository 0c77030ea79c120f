#include "crypto/vault/unseal/pkcs11_token.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <utility>
#include <vector>

namespace paravent::crypto::vault {
namespace {

constexpr CK_MECHANISM_TYPE kKwp = 0x210B;  // PKCS#11 3.0; older headers do not have it
constexpr CK_ULONG kAesKeySize = 32;
constexpr std::size_t kMaxTokens = 64;

CK_MECHANISM mechanism_of(WrapMechanism mechanism) noexcept {
  return {mechanism == WrapMechanism::kwp ? kKwp : CKM_AES_KEY_WRAP_PAD, nullptr, 0};
}

bool removed(CK_RV answer) noexcept {
  switch (answer) {
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_TOKEN_NOT_RECOGNIZED:
    case CKR_DEVICE_REMOVED:
    case CKR_DEVICE_ERROR:
    case CKR_SLOT_ID_INVALID:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
      return true;
    default:
      return false;
  }
}

template <typename T>
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, T& value) noexcept {
  return {type, &value, sizeof value};
}

CK_ATTRIBUTE text_attribute(CK_ATTRIBUTE_TYPE type, std::string& text) noexcept {
  return {type, text.data(), text.size()};
}

// CK_TOKEN_INFO pads its label with blanks.
std::string label_of(const CK_TOKEN_INFO& info) {
  std::string label(reinterpret_cast<const char*>(info.label), sizeof info.label);
  label.erase(label.find_last_not_of(' ') + 1);
  return label;
}

CK_RV initialise(CK_FUNCTION_LIST* functions) noexcept {
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  const CK_RV answer = functions->C_Initialize(&arguments);
  return answer == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : answer;
}

// How many tokens this process holds open. A module is one for the whole process, and so is what
// C_Finalize ends.
std::atomic<int>& open_tokens() noexcept {
  static std::atomic<int> count{0};
  return count;
}

Result<CK_FUNCTION_LIST*> load_module(const std::string& path) {
  const Error bad(ErrorKind::configuration, "The PKCS#11 module " + path +
                                                " cannot be loaded; correct module in "
                                                "vault.unseal.pkcs11, or install its package.");
  if (!path.starts_with('/')) return bad;
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) return bad;
  const auto get = reinterpret_cast<CK_C_GetFunctionList>(::dlsym(library, "C_GetFunctionList"));
  CK_FUNCTION_LIST* functions = nullptr;
  if (get == nullptr || get(&functions) != CKR_OK || functions == nullptr) return bad;
  if (initialise(functions) != CKR_OK) return bad;
  return functions;
}

}  // namespace

struct Pkcs11Token::State {
  State(CK_FUNCTION_LIST* with, Pkcs11Location at) : calls(with), location(std::move(at)) {}
  ~State() {
    if (!session) return;
    calls->C_CloseSession(*session);
    --open_tokens();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  CK_FUNCTION_LIST* calls;
  Pkcs11Location location;
  CK_SLOT_ID slot = 0;
  std::optional<CK_SESSION_HANDLE> session;
  CK_OBJECT_HANDLE key = 0;

  std::string token_name() const { return "The token " + location.token; }
  Error failed(CK_RV answer) const;
  Status find_slot();
  Status log_in(const SecretBytes& pin, PinFrom pin_from);
  Result<std::vector<CK_OBJECT_HANDLE>> keys();
  Status check_key();
  Status make_key();
  Result<CK_OBJECT_HANDLE> put(const SecretBytes& plain);
  Result<SecretBytes> take(CK_OBJECT_HANDLE object);
  bool has(CK_MECHANISM_TYPE wanted) const;
};

Error Pkcs11Token::State::failed(CK_RV answer) const {
  if (removed(answer)) {
    return {ErrorKind::data, token_name() + " was removed, or its key was; put it back."};
  }
  return {ErrorKind::data, token_name() + " refuses, with the PKCS#11 answer " +
                               std::to_string(answer) + "; its manual says what that means."};
}

Status Pkcs11Token::State::find_slot() {
  // Asking for the number first is what makes modules look for tokens anew (C_GetSlotList, 5.5).
  CK_ULONG count = 0;
  CK_RV answer = calls->C_GetSlotList(CK_TRUE, nullptr, &count);
  if (answer != CKR_OK) return failed(answer);
  std::array<CK_SLOT_ID, kMaxTokens> slots{};
  count = slots.size();
  answer = calls->C_GetSlotList(CK_TRUE, slots.data(), &count);
  if (answer != CKR_OK) return failed(answer);
  std::size_t found = 0;
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_TOKEN_INFO info{};
    if (calls->C_GetTokenInfo(slots[i], &info) != CKR_OK) continue;
    if ((info.flags & CKF_TOKEN_INITIALIZED) == 0 || label_of(info) != location.token) continue;
    slot = slots[i];
    ++found;
  }
  if (found == 1) return {};
  return Error(ErrorKind::data, found == 0 ? "There is no token labelled " + location.token +
                                                 "; insert it, or correct token in "
                                                 "vault.unseal.pkcs11."
                                           : "There are several tokens labelled " + location.token +
                                                 "; leave only one.");
}

Status Pkcs11Token::State::log_in(const SecretBytes& pin, PinFrom pin_from) {
  CK_TOKEN_INFO info{};
  CK_RV answer = calls->C_GetTokenInfo(slot, &info);
  if (answer != CKR_OK) return failed(answer);
  const Error locked(ErrorKind::data, "The PIN of the token " + location.token +
                                          " is locked; its security officer can unlock it.");
  if ((info.flags & CKF_USER_PIN_LOCKED) != 0) return locked;
  if ((info.flags & CKF_USER_PIN_FINAL_TRY) != 0 && pin_from == PinFrom::file) {
    return Error(ErrorKind::data, token_name() +
                                      " has one try left before its PIN is locked, so the PIN of "
                                      "the file was not tried; correct the file and log in once "
                                      "with the token's own program.");
  }
  CK_SESSION_HANDLE opened = 0;
  answer =
      calls->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &opened);
  if (answer != CKR_OK) return failed(answer);
  session = opened;
  ++open_tokens();
  SecretBytes copy = pin.clone();  // the interface takes it as writable
  answer = calls->C_Login(*session, CKU_USER, copy.mutable_bytes().data(), copy.size());
  if (answer == CKR_OK || answer == CKR_USER_ALREADY_LOGGED_IN) return {};
  if (answer == CKR_PIN_LOCKED) return locked;
  if (answer == CKR_PIN_INCORRECT || answer == CKR_PIN_LEN_RANGE || answer == CKR_PIN_INVALID) {
    return Error(ErrorKind::refused, "The PIN of the token " + location.token + " is wrong.");
  }
  return failed(answer);
}

Result<std::vector<CK_OBJECT_HANDLE>> Pkcs11Token::State::keys() {
  CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  CK_KEY_TYPE type = CKK_AES;
  std::array<CK_ATTRIBUTE, 3> wanted{attribute(CKA_CLASS, object_class),
                                     attribute(CKA_KEY_TYPE, type),
                                     text_attribute(CKA_LABEL, location.key)};
  CK_RV answer = calls->C_FindObjectsInit(*session, wanted.data(), wanted.size());
  if (answer != CKR_OK) return failed(answer);
  std::array<CK_OBJECT_HANDLE, 2> found{};
  CK_ULONG count = 0;
  answer = calls->C_FindObjects(*session, found.data(), found.size(), &count);
  calls->C_FindObjectsFinal(*session);
  if (answer != CKR_OK) return failed(answer);
  return std::vector<CK_OBJECT_HANDLE>(found.begin(),
                                       found.begin() + static_cast<std::ptrdiff_t>(count));
}

// A wrapping key that could be read out would make the token an expensive file.
Status Pkcs11Token::State::check_key() {
  CK_BBOOL sensitive = CK_FALSE;
  CK_BBOOL extractable = CK_TRUE;
  std::array<CK_ATTRIBUTE, 2> facts{attribute(CKA_SENSITIVE, sensitive),
                                    attribute(CKA_EXTRACTABLE, extractable)};
  const CK_RV answer = calls->C_GetAttributeValue(*session, key, facts.data(), facts.size());
  if (answer != CKR_OK) return failed(answer);
  if (sensitive == CK_TRUE && extractable == CK_FALSE) return {};
  return Error(ErrorKind::data, "The key " + location.key + " could be read out of the token " +
                                    location.token +
                                    "; use a key that is sensitive and not extractable.");
}

Status Pkcs11Token::State::make_key() {
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  CK_ULONG size = kAesKeySize;
  std::array<CK_ATTRIBUTE, 9> facts{attribute(CKA_TOKEN, yes),
                                    attribute(CKA_PRIVATE, yes),
                                    attribute(CKA_SENSITIVE, yes),
                                    attribute(CKA_EXTRACTABLE, no),
                                    attribute(CKA_WRAP, yes),
                                    attribute(CKA_UNWRAP, yes),
                                    attribute(CKA_ENCRYPT, no),
                                    attribute(CKA_VALUE_LEN, size),
                                    text_attribute(CKA_LABEL, location.key)};
  CK_MECHANISM mechanism{CKM_AES_KEY_GEN, nullptr, 0};
  const CK_RV answer = calls->C_GenerateKey(*session, &mechanism, facts.data(), facts.size(), &key);
  return answer == CKR_OK ? Status() : failed(answer);
}

bool Pkcs11Token::State::has(CK_MECHANISM_TYPE wanted) const {
  CK_MECHANISM_INFO info{};
  return calls->C_GetMechanismInfo(slot, wanted, &info) == CKR_OK && (info.flags & CKF_WRAP) != 0 &&
         (info.flags & CKF_UNWRAP) != 0;
}

// The plain bytes as a secret key of the session: only keys can be wrapped.
Result<CK_OBJECT_HANDLE> Pkcs11Token::State::put(const SecretBytes& plain) {
  CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  CK_KEY_TYPE type = CKK_GENERIC_SECRET;
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  SecretBytes copy = plain.clone();
  std::array<CK_ATTRIBUTE, 7> facts{
      attribute(CKA_CLASS, object_class),
      attribute(CKA_KEY_TYPE, type),
      attribute(CKA_TOKEN, no),
      attribute(CKA_PRIVATE, yes),
      attribute(CKA_SENSITIVE, no),
      attribute(CKA_EXTRACTABLE, yes),
      CK_ATTRIBUTE{CKA_VALUE, copy.mutable_bytes().data(), copy.size()}};
  CK_OBJECT_HANDLE object = 0;
  const CK_RV answer = calls->C_CreateObject(*session, facts.data(), facts.size(), &object);
  if (answer != CKR_OK) return failed(answer);
  return object;
}

Result<SecretBytes> Pkcs11Token::State::take(CK_OBJECT_HANDLE object) {
  CK_ATTRIBUTE value{CKA_VALUE, nullptr, 0};
  CK_RV answer = calls->C_GetAttributeValue(*session, object, &value, 1);
  if (answer != CKR_OK || value.ulValueLen == 0 || value.ulValueLen > 4096) return failed(answer);
  SecretBytes plain(value.ulValueLen);
  value.pValue = plain.mutable_bytes().data();
  answer = calls->C_GetAttributeValue(*session, object, &value, 1);
  if (answer != CKR_OK || value.ulValueLen != plain.size()) return failed(answer);
  return plain;
}

Pkcs11Token::Pkcs11Token(std::unique_ptr<State> state) : state_(std::move(state)) {}
Pkcs11Token::~Pkcs11Token() = default;

Result<std::unique_ptr<Pkcs11Token>> Pkcs11Token::open(const Pkcs11Location& location,
                                                       const SecretBytes& pin, PinFrom pin_from) {
  const auto functions = load_module(location.module);
  if (!functions) return functions.error();
  auto state = std::make_unique<State>(*functions, location);
  if (auto found = state->find_slot(); !found) {
    // Some modules see a token that was pulled out and put back only after they began anew. The
    // provider has let its own session go then; where another one is open, as while the root key
    // moves to another token, that must not end with it.
    if (open_tokens() > 0) return found.error();
    state->calls->C_Finalize(nullptr);
    if (const CK_RV answer = initialise(state->calls); answer != CKR_OK) {
      return state->failed(answer);
    }
    if (auto s = state->find_slot(); !s) return s.error();
  }
  if (auto s = state->log_in(pin, pin_from); !s) return s.error();
  return std::unique_ptr<Pkcs11Token>(new Pkcs11Token(std::move(state)));
}

Status Pkcs11Token::find_key() {
  const auto found = state_->keys();
  if (!found) return found.error();
  const Pkcs11Location& at = state_->location;
  if (found->size() != 1) {
    return Error(ErrorKind::data,
                 found->empty() ? "The token " + at.token + " has no AES key labelled " + at.key +
                                      "; nothing opens without it; correct key in "
                                      "vault.unseal.pkcs11, or restore the token."
                                : "The token " + at.token + " has several AES keys labelled " +
                                      at.key + "; give the right one a label of its own.");
  }
  state_->key = found->front();
  return state_->check_key();
}

Status Pkcs11Token::find_or_make_key() {
  const auto found = state_->keys();
  if (!found) return found.error();
  return found->empty() ? state_->make_key() : find_key();
}

Result<Bytes> Pkcs11Token::wrap(const SecretBytes& plain, WrapMechanism& mechanism) {
  if (state_->has(kKwp)) {
    mechanism = WrapMechanism::kwp;
  } else if (state_->has(CKM_AES_KEY_WRAP_PAD)) {
    mechanism = WrapMechanism::pad;
  } else {
    return Error(ErrorKind::data, state_->token_name() +
                                      " offers neither CKM_AES_KEY_WRAP_KWP nor "
                                      "CKM_AES_KEY_WRAP_PAD and cannot be used.");
  }
  const auto object = state_->put(plain);
  if (!object) return object.error();
  CK_MECHANISM call = mechanism_of(mechanism);
  Bytes wrapped(plain.size() + 64);
  CK_ULONG size = wrapped.size();
  const CK_RV answer = state_->calls->C_WrapKey(*state_->session, &call, state_->key, *object,
                                                wrapped.data(), &size);
  state_->calls->C_DestroyObject(*state_->session, *object);
  if (answer != CKR_OK) return state_->failed(answer);
  wrapped.resize(size);
  return wrapped;
}

Result<SecretBytes> Pkcs11Token::unwrap(ByteView wrapped, WrapMechanism mechanism) {
  CK_OBJECT_CLASS object_class = CKO_SECRET_KEY;
  CK_KEY_TYPE type = CKK_GENERIC_SECRET;
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  std::array<CK_ATTRIBUTE, 6> facts{
      attribute(CKA_CLASS, object_class), attribute(CKA_KEY_TYPE, type),
      attribute(CKA_TOKEN, no),           attribute(CKA_PRIVATE, yes),
      attribute(CKA_SENSITIVE, no),       attribute(CKA_EXTRACTABLE, yes)};
  CK_MECHANISM call = mechanism_of(mechanism);
  Bytes copy(wrapped.begin(), wrapped.end());
  CK_OBJECT_HANDLE object = 0;
  const CK_RV answer = state_->calls->C_UnwrapKey(*state_->session, &call, state_->key, copy.data(),
                                                  copy.size(), facts.data(), facts.size(), &object);
  if (removed(answer)) return state_->failed(answer);
  if (answer == CKR_MECHANISM_INVALID || answer == CKR_FUNCTION_NOT_SUPPORTED) {
    return state_->failed(answer);
  }
  if (answer != CKR_OK) return Error(ErrorKind::malformed);
  auto plain = state_->take(object);
  state_->calls->C_DestroyObject(*state_->session, object);
  return plain;
}

bool Pkcs11Token::present() {
  CK_TOKEN_INFO info{};
  if (state_->calls->C_GetTokenInfo(state_->slot, &info) != CKR_OK) return false;
  if (label_of(info) != state_->location.token) return false;
  const auto found = state_->keys();
  return found && found->size() == 1;
}

}  // namespace paravent::crypto::vault
