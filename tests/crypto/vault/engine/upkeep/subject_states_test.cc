// The life of a person's key: every state by every operation, as key_state_test.cc asks it of the
// tree's keys. A person's key is made active; it is disabled when it is about to end, and of a
// destroyed one nothing is left. It is marked as compromised or disabled by hand only together with
// the tenant's key above it.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

#include "tests/crypto/vault/engine/upkeep/subject_keeper_support.h"

namespace paravent::crypto::vault {
namespace {

using std::chrono::hours;

constexpr hours kYear{24 * 365};

enum class State : std::uint8_t {
  active,
  restricted,
  objected,
  held,
  disabled,       // the contact's limit is near
  disabled_held,  // and somebody laid a hold since
  gone,           // of contact; billing's is there
  erased,
  tenant_disabled,
  tenant_compromised,
  tenant_overridden,  // compromised, and opened all the same
  tenant_destroyed,
};
constexpr std::size_t kStates = 12;

enum class Operation : std::uint8_t {
  protect,
  protect_unless_objected,
  open,
  contact,
  event,
  restrict,
  object,
  hold,
  erase,
  keep,  // the keeper looks again
};
constexpr std::size_t kOperations = 10;

constexpr std::array<std::string_view, kStates> kNames{"active",
                                                       "restricted",
                                                       "objected",
                                                       "held",
                                                       "disabled",
                                                       "disabled, held",
                                                       "gone",
                                                       "erased",
                                                       "disabled tenant",
                                                       "compromised tenant",
                                                       "overridden tenant",
                                                       "destroyed tenant"};

// In the order of Operation. "-": refused, and nothing changes; "=": done, and the key stays as it
// is; "a": active again, and the same key; "n": a new key, and what was encrypted
// under the one before stays closed; "s": nothing is protected, for the person has objected;
// "r", "o": marked so; "x": erased.
constexpr std::array<std::string_view, kStates> kMatrix{
    "=====ro=x=",  // active
    "======o=x=",  // restricted: who may see it is the admin API's question
    "=s===r==x=",  // objected
    "=====ro=-=",  // held
    "aa-a=ro=x=",  // disabled
    "aa-aaro=-a",  // disabled, held: the keeper gives it back
    "nn---ro=x=",  // gone
    "nn-----=-=",  // erased: nobody knows such a person; a hold names a reference, whoever has it
    "---==ro=x=",  // disabled tenant
    "---==ro=x=",  // compromised tenant
    "--===ro=x=",  // overridden tenant
    "-------=-=",  // destroyed tenant
};

class PersonsKey : public SubjectKeeperTest {
 protected:
  static constexpr std::string_view kAnne = "anne@example.fr";

  void bring_to(State state) {
    before_ = ask(std::string(kAnne));
    std::ignore = ask(std::string(kAnne), "billing");
    ASSERT_EQ(before_.status, ResolveStatus::ok);
    anne_ = find(std::string(kAnne));
    reference_ = admin().info(anne_)->reference;
    const auto tenant = *KeyAdmin(*place_.vault).tenant_key(*place_.vault->tenant_id("atelier"));
    switch (state) {
      case State::active:
        break;
      case State::restricted:
        ASSERT_TRUE(admin().mark(anne_, true, std::nullopt));
        break;
      case State::objected:
        ASSERT_TRUE(admin().mark(anne_, std::nullopt, true));
        break;
      case State::held:
        ASSERT_TRUE(hold());
        break;
      case State::disabled:
        pass(kYear - hours(24 * 3));
        break;
      case State::disabled_held:
        pass(kYear - hours(24 * 3));
        ASSERT_TRUE(hold());
        break;
      case State::gone:
        pass(kYear + hours(24 * 3));
        break;
      case State::erased:
        ASSERT_TRUE(admin().erase(std::span(&anne_, 1)));
        break;
      case State::tenant_disabled:
        ASSERT_TRUE(KeyAdmin(*place_.vault).apply(tenant, KeyOperation::disable));
        break;
      case State::tenant_compromised:
        ASSERT_TRUE(KeyAdmin(*place_.vault).apply(tenant, KeyOperation::compromise));
        break;
      case State::tenant_overridden:
        ASSERT_TRUE(KeyAdmin(*place_.vault).apply(tenant, KeyOperation::compromise));
        ASSERT_TRUE(KeyAdmin(*place_.vault).apply(tenant, KeyOperation::override_compromise));
        break;
      case State::tenant_destroyed:
        ASSERT_TRUE(KeyAdmin(*place_.vault).destroy(std::span(&tenant, 1)));
        break;
    }
  }

  bool hold() {
    return KeyAdmin(*place_.vault)
        .hold("atelier", "contact", reference_, "a lawsuit", place_.clock.now() + 2 * kYear)
        .has_value();
  }

  // What there is of the key and of its person, in words.
  std::string look() {
    const auto info = admin().info(anne_);
    if (!info) return "erased";
    std::string out = "gone";
    for (const SubjectPurpose& purpose : info->purposes) {
      if (purpose.name == "contact") out = purpose.disabled ? "disabled" : "active";
    }
    return out + (info->restricted ? " restricted" : "") + (info->objected ? " objected" : "");
  }
  bool opens() {
    return open(before_.tokens[0]) == kAnne && open(before_.encrypted) == "about Anne";
  }
  bool is_closed() {
    return open(before_.tokens[0])[0] == '(' && open(before_.encrypted)[0] == '(';
  }

  // The cell that this operation shows; "!" for what no cell says.
  char run(Operation operation) {
    const std::string state = look();
    const bool opened = opens();
    const bool was_closed = is_closed();
    const bool done = act(operation);
    const std::string now = look();
    if (opened == was_closed) return '!';  // half of the person opens
    if (!done) return now == state && opens() == opened && is_closed() == was_closed ? '-' : '!';
    if (stopped_) return now == state ? 's' : '!';
    const bool protects =
        operation == Operation::protect || operation == Operation::protect_unless_objected;
    if (protects) {
      if (open(after_.encrypted) != "about Anne") return '!';
      if (open(before_.encrypted)[0] == '(') return is_new(state) ? 'n' : '!';
      if (after_.tokens != before_.tokens || key_of(after_) != key_of(before_)) return '!';
    }
    if (now == state) return opens() == opened ? '=' : '!';
    if (now == "erased") return is_closed() ? 'x' : '!';
    if (now == "active" && state == "disabled") return opens() ? 'a' : '!';
    if (operation == Operation::restrict && now == state + " restricted") return 'r';
    if (operation == Operation::restrict && now == "active restricted objected") return 'r';
    if (operation == Operation::object && now == state + " objected") return 'o';
    return '!';
  }

  // A key under which nothing of before opens; the tokens are others, unless another purpose's row
  // kept them.
  bool is_new(const std::string& state) const {
    const bool same = after_.tokens == before_.tokens;
    return key_of(after_) != key_of(before_) && same == (state == "gone");
  }

  bool act(Operation operation) {
    stopped_ = false;
    switch (operation) {
      case Operation::protect:
      case Operation::protect_unless_objected: {
        const bool stop = operation == Operation::protect_unless_objected;
        const auto route = try_bound_route();
        if (!route) return false;
        after_ = vault::ask(*place_.vault, *route, std::string(kAnne), "Anne", stop);
        stopped_ = stop && after_.subject.objected;
        return after_.status == ResolveStatus::ok;
      }
      case Operation::open:
        return opens();
      case Operation::contact: {
        const auto noted =
            admin().note_contact(anne_, "contact", place_.clock.now() + hours(24)).has_value();
        return noted && ticked();
      }
      case Operation::event:
        return admin().note_event(anne_, "contact", place_.clock.now()).has_value() && ticked();
      case Operation::restrict:
        return admin().mark(anne_, true, std::nullopt).has_value();
      case Operation::object:
        return admin().mark(anne_, std::nullopt, true).has_value();
      case Operation::hold:
        return hold();
      case Operation::erase:
        return erases();
      case Operation::keep:
        return ticked();
    }
    return false;
  }

  bool erases() {
    const auto erasure = admin().erase(std::span(&anne_, 1));
    return erasure && !erasure->people.empty();
  }

  bool ticked() { return keys_->tick().has_value() && keeper_->tick().has_value(); }

  // A route whose keys are out of use answers 503 before it asks.
  std::optional<BoundRoute> try_bound_route() {
    const ContextSpec spec = bound_tokens();
    const auto bound = place_.vault->bind("atelier", std::span(&spec, 1));
    if (!bound || !bound->front().available) return std::nullopt;
    return bound_route(*place_.vault);
  }

  Answer before_;
  Answer after_;
  bool stopped_ = false;
  Id anne_{};
  SubjectReference reference_{};
};

// Who asks for their rights by a value that does not open any more is somebody all the same.
TEST_F(PersonsKey, WhoseItIsIsToldUntilTheKeyIsGone) {
  bring_to(State::disabled);
  const Id tenant = *place_.vault->tenant_id("atelier");
  for (const std::string& text : {before_.tokens[0], before_.encrypted}) {
    const auto found = admin().of_token(tenant, parse_token(text).value());
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, anne_);
    EXPECT_FALSE(admin().of_token(Id{7}, parse_token(text).value()));
  }
  ASSERT_TRUE(is_closed());
  ASSERT_TRUE(erases());
  for (const std::string& text : {before_.tokens[0], before_.encrypted}) {
    const auto found = admin().of_token(tenant, parse_token(text).value());
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind(), ErrorKind::refused);
  }
}

class EachState : public PersonsKey, public testing::WithParamInterface<std::size_t> {};

TEST_P(EachState, ByEachOperation) {
  const std::size_t cell = GetParam();
  const auto state = static_cast<State>(cell / kOperations);
  const auto operation = static_cast<Operation>(cell % kOperations);
  bring_to(state);
  if (HasFatalFailure()) return;
  EXPECT_EQ(run(operation), kMatrix[cell / kOperations][cell % kOperations])
      << kNames[cell / kOperations] << ", operation " << cell % kOperations << ": " << look();
}

INSTANTIATE_TEST_SUITE_P(PersonsKey, EachState,
                         testing::Range(std::size_t{0}, kStates* kOperations));

}  // namespace
}  // namespace paravent::crypto::vault
