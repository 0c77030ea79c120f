// Values that belong to a data subject, from the batch that makes them to the key that ends them.

#include <algorithm>
#include <functional>
#include <thread>
#include <utility>

#include "crypto/vault/engine/rows/rocksdb_token_store.h"
#include "tests/crypto/vault/engine/subject_support.h"

namespace paravent::crypto::vault {
namespace {

template <typename Place>
class SubjectVaultTest : public VaultFixture<Place> {
 protected:
  BoundRoute route(const std::string& purpose = "contact") {
    return bound_route(this->vault(), purpose);
  }
  Answer ask(const BoundRoute& route, const std::string& person, const std::string& name,
             bool stop_if_objected = false) {
    return vault::ask(this->vault(), route, person, name, stop_if_objected);
  }

  Result<TokenDescription> describe(const std::string& text) {
    return ReverseVault(this->vault()).describe(parse_token(text).value());
  }
  std::string open(const std::string& text, const std::string& purpose = "contact") {
    return open_text(this->vault(), text, purpose);
  }
  Id tenant() { return *this->vault().tenant_id("atelier"); }
  SubjectAdmin admin() { return SubjectAdmin(this->vault()); }
  Id subject(const std::string& person) {
    return admin().find(tenant(), Kind::email, person).value();
  }
};

TYPED_TEST_SUITE(SubjectVaultTest, VaultPlaces);

TYPED_TEST(SubjectVaultTest, ValuesOfOnePersonAreTheSameAndOpen) {
  const auto route = this->route();
  const Answer first = this->ask(route, "anne@example.fr", "Anne Martin");
  ASSERT_EQ(first.status, ResolveStatus::ok);
  const Answer second = this->ask(route, "anne@example.fr", "Anne Martin");
  EXPECT_EQ(first.tokens, second.tokens);
  EXPECT_NE(first.encrypted, second.encrypted);
  EXPECT_EQ(this->open(first.tokens[0]), "anne@example.fr");
  EXPECT_EQ(this->open(first.tokens[1]), "Anne Martin");
  EXPECT_EQ(this->open(first.encrypted), "about Anne Martin");
  EXPECT_EQ(this->open(second.encrypted), "about Anne Martin");
  const auto description = this->describe(first.encrypted).value();
  EXPECT_EQ(description.purposes.size(), 1U);
  EXPECT_EQ(description.purposes[0].name, "contact");
  EXPECT_EQ(description.subject, this->describe(first.tokens[0])->subject);
  EXPECT_TRUE(description.reversible);
  EXPECT_FALSE(description.restricted);
}

TYPED_TEST(SubjectVaultTest, TwoPeopleOfOneNameShareNothing) {
  const auto route = this->route();
  const Answer anne = this->ask(route, "anne@example.fr", "Martin");
  const Answer paul = this->ask(route, "paul@example.fr", "Martin");
  EXPECT_NE(anne.tokens[1], paul.tokens[1]);
  EXPECT_NE(anne.subject.seal.handle, paul.subject.seal.handle);
  EXPECT_NE(key_of(anne), key_of(paul));
  EXPECT_NE(this->describe(anne.tokens[1])->subject, this->describe(paul.tokens[1])->subject);
}

TYPED_TEST(SubjectVaultTest, NothingInTheClearPartLinksTheValuesOfOnePerson) {
  const auto route = this->route();
  const Answer anne = this->ask(route, "anne@example.fr", "Anne");
  const Answer again = this->ask(route, "anne@example.fr", "Anne");
  const Answer paul = this->ask(route, "paul@example.fr", "Paul");
  const auto one = parse_token(anne.encrypted).value();
  const auto two = parse_token(again.encrypted).value();
  const auto other = parse_token(paul.encrypted).value();
  EXPECT_EQ(one.key_id, other.key_id);
  // No eight bytes of one lie in the other, at any place: of random bytes that is a chance of less
  // than 10^-15.
  const std::string_view a = as_text(one.payload);
  const std::string_view b = as_text(two.payload);
  for (std::size_t i = 0; i + 8 <= a.size(); ++i) {
    EXPECT_EQ(b.find(a.substr(i, 8)), std::string_view::npos) << i;
  }
  const std::string handle(as_text(anne.subject.seal.handle));
  EXPECT_EQ(a.find(handle), std::string_view::npos);
}

TYPED_TEST(SubjectVaultTest, EachRequestOfNobodyIsSomebodyNew) {
  const auto route = this->route();
  const Answer first = this->ask(route, "", "Anne");
  const Answer second = this->ask(route, "", "Anne");
  ASSERT_EQ(first.status, ResolveStatus::ok);
  EXPECT_NE(first.tokens, second.tokens);
  EXPECT_EQ(this->open(first.tokens[0]), "Anne");
  EXPECT_FALSE(this->describe(first.tokens[0])->purposes[0].identified);
  const auto found = this->admin().of_token(this->tenant(), parse_token(first.tokens[0]).value());
  ASSERT_TRUE(found);
  EXPECT_FALSE(this->admin().info(*found)->identified);
}

TYPED_TEST(SubjectVaultTest, APurposeHasItsOwnKeyAndItsOwnCopy) {
  const auto contact = this->route();
  const auto billing = this->route("billing");
  const Answer asked = this->ask(contact, "anne@example.fr", "Anne");
  EXPECT_EQ(this->open(asked.tokens[1], "billing"), "(unavailable)");
  const Answer bought = this->ask(billing, "anne@example.fr", "Anne");
  EXPECT_EQ(asked.tokens, bought.tokens);
  EXPECT_NE(asked.subject.seal.handle, bought.subject.seal.handle);
  EXPECT_EQ(this->open(asked.tokens[1], "contact"), "Anne");
  EXPECT_EQ(this->open(asked.tokens[1], "billing"), "Anne");
  EXPECT_EQ(this->describe(asked.tokens[1])->purposes.size(), 2U);
  const auto info = this->admin().info(this->subject("anne@example.fr")).value();
  EXPECT_EQ(info.purposes.size(), 2U);
}

TYPED_TEST(SubjectVaultTest, ADayOfContactThatHasNotComeIsPutRight) {
  const auto route = this->route();
  this->ask(route, "anne@example.fr", "Anne");
  const WallTime right = this->clock().now();
  const auto last = [&](const char* person) {
    return this->admin().info(this->subject(person))->purposes[0].last_contact;
  };
  const auto days = [](WallTime time) { return std::chrono::floor<std::chrono::days>(time); };
  constexpr std::chrono::hours kAhead(24 * 400);
  for (const bool by_operator : {false, true}) {
    this->clock().advance(kAhead);
    this->ask(route, "anne@example.fr", "Anne");
    EXPECT_EQ(last("anne@example.fr"), days(right + kAhead));
    this->clock().advance(-kAhead);
    if (by_operator) {
      ASSERT_TRUE(this->admin().note_contact(this->subject("anne@example.fr"), "contact", right));
    } else {
      this->ask(route, "anne@example.fr", "Anne");
    }
    EXPECT_EQ(last("anne@example.fr"), days(right)) << by_operator;
  }
  // Whoever came first on such a day keeps it: a key is bound to the day it was made on.
  this->clock().advance(kAhead);
  this->ask(route, "paul@example.fr", "Paul");
  this->clock().advance(-kAhead);
  this->ask(route, "paul@example.fr", "Paul");
  EXPECT_EQ(last("paul@example.fr"), days(right + kAhead));
}

TYPED_TEST(SubjectVaultTest, ContactsAndEventsAreKeptToTheDay) {
  const auto route = this->route();
  const Answer first = this->ask(route, "anne@example.fr", "Anne");
  const WallTime came = this->clock().now();
  this->clock().advance(std::chrono::hours(24 * 40));
  this->ask(route, "anne@example.fr", "Anne");
  const auto days = [](WallTime time) { return std::chrono::floor<std::chrono::days>(time); };
  const auto clock = this->describe(first.encrypted)->purposes[0];
  EXPECT_EQ(clock.created, days(came));
  EXPECT_EQ(clock.last_contact, days(this->clock().now()));
  EXPECT_FALSE(clock.event);
  const Id anne = this->subject("anne@example.fr");
  SubjectAdmin admin = this->admin();
  ASSERT_TRUE(admin.note_event(anne, "contact", this->clock().now()));
  EXPECT_EQ(this->describe(first.tokens[0])->purposes[0].event, days(this->clock().now()));
  ASSERT_TRUE(admin.note_event(anne, "contact", std::nullopt));
  EXPECT_FALSE(this->describe(first.tokens[0])->purposes[0].event);
  EXPECT_FALSE(admin.note_event(anne, "billing", this->clock().now()));
  EXPECT_FALSE(admin.note_event(anne, "nonsense", this->clock().now()));
  ASSERT_TRUE(admin.note_contact(anne, "contact", came));
  EXPECT_EQ(this->describe(first.encrypted)->purposes[0].last_contact, days(this->clock().now()));
}

TYPED_TEST(SubjectVaultTest, RestrictionAndObjectionAreToldWithTheAnswer) {
  const auto route = this->route();
  const Answer before = this->ask(route, "anne@example.fr", "Anne");
  EXPECT_FALSE(before.subject.restricted);
  const Id anne = this->subject("anne@example.fr");
  SubjectAdmin admin = this->admin();
  ASSERT_TRUE(admin.mark(anne, true, std::nullopt));
  const Answer restricted = this->ask(route, "anne@example.fr", "Anne");
  EXPECT_TRUE(restricted.subject.restricted);
  EXPECT_EQ(restricted.tokens, before.tokens) << "kept all the same";
  EXPECT_TRUE(this->describe(before.encrypted)->restricted);
  EXPECT_TRUE(this->describe(before.tokens[0])->restricted);
  ASSERT_TRUE(admin.mark(anne, false, true));
  const Answer stopped = this->ask(route, "anne@example.fr", "Annette", true);
  EXPECT_TRUE(stopped.subject.objected);
  EXPECT_EQ(stopped.subject.seal.handle, SubjectHandle{}) << "nothing was made";
  EXPECT_EQ(this->admin().tokens(anne)->size(), 2U);
  const Answer other = this->ask(route, "anne@example.fr", "Annette", false);
  EXPECT_TRUE(other.subject.objected);
  EXPECT_EQ(this->open(other.tokens[1]), "Annette");
}

TYPED_TEST(SubjectVaultTest, ErasedIsAsUnknown) {
  const auto route = this->route();
  const auto billing = this->route("billing");
  const Answer anne = this->ask(route, "anne@example.fr", "Anne");
  this->ask(billing, "anne@example.fr", "Anne");
  const Answer paul = this->ask(route, "paul@example.fr", "Paul");
  const Id id = this->subject("anne@example.fr");
  SubjectAdmin admin = this->admin();
  EXPECT_EQ(admin.tokens(id)->size(), 2U);
  const auto erased = admin.erase(std::span(&id, 1));
  ASSERT_TRUE(erased) << erased.error().sentence();
  ASSERT_EQ(erased->people.size(), 1U);
  EXPECT_EQ(erased->people.front().keys, 2U);
  EXPECT_EQ(erased->people.front().tokens, 2U);
  EXPECT_TRUE(erased->is_final);
  EXPECT_FALSE(erased->rows_left);
  for (const std::string& text : {anne.tokens[0], anne.tokens[1], anne.encrypted}) {
    EXPECT_EQ(this->open(text), "(unavailable)");
    const auto described = this->describe(text);
    ASSERT_FALSE(described);
    EXPECT_EQ(described.error().kind(), ErrorKind::refused);
    EXPECT_TRUE(described.error().sentence().empty());
  }
  EXPECT_FALSE(admin.find(this->tenant(), Kind::email, "anne@example.fr"));
  EXPECT_FALSE(admin.info(id));
  EXPECT_EQ(this->open(paul.tokens[1]), "Paul");
  EXPECT_EQ(this->open(paul.encrypted), "about Paul");
  // Who comes again is somebody new.
  const Answer again = this->ask(route, "anne@example.fr", "Anne");
  ASSERT_EQ(again.status, ResolveStatus::ok);
  EXPECT_NE(again.tokens[0], anne.tokens[0]);
  EXPECT_EQ(this->open(again.tokens[0]), "anne@example.fr");
  EXPECT_EQ(this->open(anne.encrypted), "(unavailable)");
  EXPECT_TRUE(admin.erase(std::span(&id, 1))->people.empty()) << "nobody is erased twice";
}

TYPED_TEST(SubjectVaultTest, ABoundTokenNeedsItsSubject) {
  const auto route = this->route();
  auto batch = batch_of({"anne@example.fr"}, route.email, Kind::email);
  EXPECT_EQ(run(this->vault(), batch), ResolveStatus::sealed);
  batch = batch_of({"anne@example.fr"}, route.email, Kind::email);
  batch->subject.emplace();
  batch->subject->key_id = route.reference.key.key_id;
  EXPECT_EQ(run(this->vault(), batch), ResolveStatus::sealed) << "no key was asked for";
  batch = std::make_shared<ResolveBatch>();
  batch->subject.emplace();
  batch->subject->key_id = 12345;
  EXPECT_EQ(run(this->vault(), batch), ResolveStatus::sealed);
}

TYPED_TEST(SubjectVaultTest, AQuestionWithoutNeedMakesNobody) {
  const auto route = this->route();
  auto batch = std::make_shared<ResolveBatch>();
  batch->values = "anne@example.fr";
  batch->subject.emplace();
  batch->subject->key_id = route.reference.key.key_id;
  batch->subject->end = static_cast<std::uint32_t>(batch->values.size());
  EXPECT_EQ(run(this->vault(), batch), ResolveStatus::ok);
  EXPECT_FALSE(this->admin().find(this->tenant(), Kind::email, "anne@example.fr"));
}

TYPED_TEST(SubjectVaultTest, ManyAtOnceMakeOnePersonOnce) {
  const auto route = this->route();
  std::vector<std::thread> threads;
  std::vector<Answer> answers(16);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    threads.emplace_back([&, i] {
      answers[i] = this->ask(route, i % 2 == 0 ? "anne@example.fr" : "paul@example.fr", "Martin");
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 2; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].tokens, answers[i % 2].tokens);
    EXPECT_EQ(key_of(answers[i]), key_of(answers[i % 2]));
  }
}

// Every altered byte of an encrypted value.
TYPED_TEST(SubjectVaultTest, AlteredValuesOpenNoMore) {
  const auto route = this->route();
  const Answer anne = this->ask(route, "anne@example.fr", "Anne");
  const auto good = parse_token(anne.encrypted).value();
  for (std::size_t i = 0; i < good.payload.size(); ++i) {
    ParsedToken bad = good;
    bad.payload[i] ^= 1;
    EXPECT_FALSE(ReverseVault(this->vault()).describe(bad)) << i;
    EXPECT_FALSE(
        ReverseVault(this->vault()).open_value(bad, "contact", reveal::Reidentifier::permit()));
  }
}

class SubjectDiskTest : public SubjectVaultTest<DiskVault> {
 protected:
  // The rows as they lie on the disk, changed by `change` while no vault is open.
  void change_rows(const std::function<void(std::vector<FoundRow>&)>& change) {
    const Id installation = vault().installation_id();
    place_.close();
    {
      const auto store = RocksdbTokenStore::open(place_.data_path / "store", installation).value();
      auto rows = store->scan(kNoId, 100).value();
      change(rows);
      std::vector<ChangedRow> changed;
      for (const FoundRow& row : rows) changed.push_back({row.id, row.row});
      ASSERT_TRUE(store->commit({}, changed, {}));
    }
    ASSERT_TRUE(place_.open());
    route();
  }
};

Id row_id_of(const std::string& token) {
  Id id{};
  const auto payload = parse_token(token).value().payload;
  std::copy(payload.begin(), payload.end(), id.begin());
  return id;
}

// A byte of each part of a stored row (bound_row.h), so that each is held by something.
TEST_F(SubjectDiskTest, AlteredRowsOpenNoMore) {
  const Answer anne = ask(route(), "anne@example.fr", "Anne");
  const Id id = row_id_of(anne.tokens[1]);
  constexpr std::size_t kCopy = 8;  // behind schema, key id, kind, flags and count
  constexpr std::size_t kSealed = kCopy + 32;
  const std::vector<std::pair<const char*, std::size_t>> parts{{"schema", 0},
                                                               {"key id", 4},
                                                               {"kind", 5},
                                                               {"flags", 6},
                                                               {"count", 7},
                                                               {"purpose", kCopy},
                                                               {"seal key id", kCopy + 19},
                                                               {"created day", kCopy + 23},
                                                               {"mark", kCopy + 24},
                                                               {"nonce", kSealed},
                                                               {"ciphertext", kSealed + 24},
                                                               {"handle's end", kSealed + 24 + 15},
                                                               {"tag", std::string::npos}};
  for (const auto& [name, at] : parts) {
    std::string good;
    const auto with_row = [&](const std::function<void(std::string&)>& what) {
      change_rows([&](std::vector<FoundRow>& rows) {
        for (FoundRow& row : rows) {
          if (row.id == id) what(row.row);
        }
      });
    };
    with_row([&, at = at](std::string& row) {
      good = row;
      const std::size_t place = std::min(at, row.size() - 1);
      row[place] = static_cast<char>(row[place] ^ 1);
    });
    ASSERT_FALSE(good.empty());
    EXPECT_EQ(open(anne.tokens[1]), "(unavailable)") << name;
    with_row([&](std::string& row) { row = good; });
    EXPECT_EQ(open(anne.tokens[1]), "Anne") << name;
  }
}

TEST_F(SubjectDiskTest, RowsThatChangedPlacesOpenNoMore) {
  const Answer anne = ask(route(), "anne@example.fr", "Anne");
  const Answer paul = ask(route(), "paul@example.fr", "Paul");
  const auto swap = [&] {
    change_rows([&](std::vector<FoundRow>& rows) {
      const auto row_of = [&](const Answer& one) {
        const Id id = row_id_of(one.tokens[1]);
        return std::find_if(rows.begin(), rows.end(),
                            [&](const auto& row) { return row.id == id; });
      };
      std::swap(row_of(anne)->row, row_of(paul)->row);
    });
  };
  swap();
  EXPECT_EQ(open(anne.tokens[1]), "(unavailable)");
  EXPECT_EQ(open(paul.tokens[1]), "(unavailable)");
  swap();
  EXPECT_EQ(open(anne.tokens[1]), "Anne");
  EXPECT_EQ(open(paul.tokens[1]), "Paul");
}

TEST_F(SubjectDiskTest, EverythingComesBackAfterARestart) {
  const Answer anne = ask(route(), "anne@example.fr", "Anne");
  ASSERT_TRUE(place_.open());
  EXPECT_EQ(open(anne.tokens[1]), "Anne");
  EXPECT_EQ(open(anne.encrypted), "about Anne");
  const Answer again = ask(route(), "anne@example.fr", "Anne");
  EXPECT_EQ(again.tokens, anne.tokens);
  EXPECT_EQ(key_of(again), key_of(anne));
}

TEST_F(SubjectDiskTest, AMissingFileOfSubjectKeysIsSaid) {
  ask(route(), "anne@example.fr", "Anne");
  place_.close();
  std::filesystem::remove(place_.data_path / "keys" / kSubjectFile);
  const auto opened = place_.open();
  ASSERT_FALSE(opened);
  expect_sentence(opened.error(), ErrorKind::data, "missing");
}

// Crypto-shredding (constructions 4.11): everything at t0, erased, then the whole old data
// directory beside the keys of t1, and the old keys beside the secret of t1.
TEST_F(SubjectDiskTest, NoOlderCopyBringsAnErasedPersonBack) {
  const Answer anne = ask(route(), "anne@example.fr", "Anne");
  const Answer paul = ask(route(), "paul@example.fr", "Paul");
  place_.close();
  const auto old_data = place_.folder.path() / "t0";
  std::filesystem::copy(place_.data_path, old_data, std::filesystem::copy_options::recursive);
  ASSERT_TRUE(place_.open());
  ask(route(), "anne@example.fr", "Anne");
  const Id id = subject("anne@example.fr");
  ASSERT_TRUE(admin().erase(std::span(&id, 1)));
  place_.close();

  // The old store beside the new keys.
  std::filesystem::remove_all(place_.data_path / "store");
  std::filesystem::copy(old_data / "store", place_.data_path / "store",
                        std::filesystem::copy_options::recursive);
  ASSERT_TRUE(place_.open());
  route();
  for (const std::string& text : {anne.tokens[0], anne.tokens[1], anne.encrypted}) {
    EXPECT_EQ(open(text), "(unavailable)");
    EXPECT_FALSE(describe(text));
  }
  EXPECT_EQ(open(paul.tokens[1]), "Paul");
  EXPECT_EQ(open(paul.encrypted), "about Paul");
  place_.close();

  // Old subject keys, old key store: neither opens beside what is there now.
  for (const char* name : {kSubjectFile, "keystore"}) {
    const std::string now = test::whole_file(place_.data_path / "keys" / name);
    write_text(place_.data_path / "keys" / name, test::whole_file(old_data / "keys" / name));
    EXPECT_FALSE(place_.open()) << name;
    place_.close();
    write_text(place_.data_path / "keys" / name, now);
  }
  for (const char* name : {kSubjectFile, "keystore"}) {
    write_text(place_.data_path / "keys" / name, test::whole_file(old_data / "keys" / name));
  }
  EXPECT_FALSE(place_.open());
}

}  // namespace
}  // namespace paravent::crypto::vault
