#include "crypto/vault/engine/subjects/subject_store.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdio>
#include <thread>

#include "crypto/primitives/random.h"
#include "crypto/vault/engine/keys/key_wrap.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

const Id kInstallation{7};
const Id kStoreId{8};
const Id kTenant{1};
const Id kParent{2};
const Id kContact{3};
const WallTime kNow(std::chrono::milliseconds(1773568800000));

SubjectReference reference_of(std::uint8_t n) {
  SubjectReference reference{};
  reference[0] = n;
  return reference;
}

// A store on disk, with a tenant whose wrapping key is fixed.
struct Place {
  TempDir temp;
  SecretBytes mac_key = SecretBytes::copy_of(Bytes(32, 4));
  ShredSecret shred = ShredSecret::create(temp.path() / "shred-secret", kInstallation).value();
  TenantWrap wrap{kTenant, kParent, child_wrapping_key(Bytes(32, 5))};
  std::unique_ptr<SubjectStore> store =
      SubjectStore::create(temp.path(), kInstallation, kStoreId, mac_key, shred).value();

  std::filesystem::path file() const { return temp.path() / kSubjectFile; }
  Result<std::unique_ptr<SubjectStore>> open() { return open(shred); }
  Result<std::unique_ptr<SubjectStore>> open(const ShredSecret& secret) {
    store.reset();
    return SubjectStore::open(temp.path(), kInstallation, kStoreId, mac_key, secret);
  }
  // A subject with one key, durable.
  SubjectKeyMade make(std::uint8_t n) {
    const auto lock = store->lock_writers();
    SubjectMade subject{random_id(), kTenant, reference_of(n), true, 100};
    const SubjectKeyMade key = store->make_key(subject.id, kContact, wrap, kNow, 100);
    const std::vector<SubjectChange> changes{subject, key};
    EXPECT_TRUE(store->commit(changes));
    return key;
  }
  SubjectStore::WrapOf wraps() {
    return [this](const Id& parent) -> Result<TenantWrap> {
      if (parent != kParent) return Error(ErrorKind::data);
      return TenantWrap{kTenant, kParent, wrap.outer.clone()};
    };
  }
};

std::string key_text(const SubjectStore& store, const SubjectKeyMade& made,
                     const TenantWrap& wrap) {
  std::array<std::uint8_t, kTreeKeySize> key{};
  if (!store.open_key(made, wrap, key)) return "(does not open)";
  return std::string(as_text(key));
}

std::optional<SubjectKeyMade> kept(const SubjectStore& store, const Id& handle) {
  return store.read([&](const SubjectTable& table) -> std::optional<SubjectKeyMade> {
    const SubjectKey* key = table.by_handle(handle);
    if (key == nullptr) return std::nullopt;
    return key->made;
  });
}

TEST(SubjectStore, KeysSurviveAndOpenToTheSame) {
  Place place;
  const SubjectKeyMade first = place.make(1);
  const SubjectKeyMade second = place.make(2);
  const std::string one = key_text(*place.store, first, place.wrap);
  const std::string two = key_text(*place.store, second, place.wrap);
  EXPECT_EQ(one.size(), kTreeKeySize);
  EXPECT_NE(one, two);
  auto opened = place.open();
  ASSERT_TRUE(opened) << opened.error().sentence();
  EXPECT_EQ(key_text(**opened, *kept(**opened, first.handle), place.wrap), one);
  EXPECT_EQ(key_text(**opened, *kept(**opened, second.handle), place.wrap), two);
}

// By the file too, through batches that write it anew, and those that do not happen.
TEST(SubjectStore, WhoWasErasedIsNamedUntilTheirRowsAreGone) {
  Place place;
  const SubjectKeyMade anne = place.make(1);
  const SubjectKeyMade paul = place.make(2);
  const SubjectKeyMade rose = place.make(3);
  const auto erase = [&](SubjectStore& store, const Id& subject) {
    const auto lock = store.lock_writers();
    const SubjectChange change = SubjectErased{subject};
    EXPECT_TRUE(store.commit(std::span(&change, 1)));
  };
  const auto is_there = [](const SubjectStore& store, const Id& subject) {
    return store.read([&](const SubjectTable& table) { return table.by_id(subject) != nullptr; });
  };
  EXPECT_EQ(place.store->erased(), std::vector<Id>());
  erase(*place.store, anne.subject);
  erase(*place.store, paul.subject);
  place.store->rows_are_gone(std::span(&paul.subject, 1));
  EXPECT_EQ(place.store->erased(), std::vector{anne.subject});
  std::unique_ptr<SubjectStore> opened = place.open().value();
  EXPECT_EQ(opened->erased().size(), 2U) << "that Paul's are gone is not kept";
  opened->rows_are_gone(std::span(&paul.subject, 1));
  const ShredSecret second = place.shred.next();
  ASSERT_TRUE(opened->prepare(second, {}, {}, place.wraps()));
  opened->cancel();
  EXPECT_EQ(opened->erased(), std::vector{anne.subject});
  ASSERT_TRUE(opened->prepare(second, {}, {}, place.wraps()));
  opened->finish();
  EXPECT_EQ(opened->erased(), std::vector{anne.subject});
  EXPECT_FALSE(opened->owes_renewal());
  opened.reset();
  opened = place.open(second).value();
  EXPECT_EQ(opened->erased(), std::vector{anne.subject}) << "the new file names Anne alone";
  EXPECT_FALSE(is_there(*opened, anne.subject));
  EXPECT_TRUE(is_there(*opened, rose.subject));
  opened->rows_are_gone(std::span(&anne.subject, 1));
  const ShredSecret third = second.next();
  ASSERT_TRUE(opened->prepare(third, {}, {}, place.wraps()));
  opened->finish();
  opened.reset();
  opened = place.open(third).value();
  EXPECT_EQ(opened->erased(), std::vector<Id>());
  EXPECT_FALSE(opened->owes_renewal());
}

TEST(SubjectStore, AWrappedKeyCannotBeMoved) {
  Place place;
  const SubjectKeyMade made = place.make(1);
  const auto changed = [&](auto change) {
    SubjectKeyMade moved = made;
    change(moved);
    return key_text(*place.store, moved, place.wrap);
  };
  const std::string closed = "(does not open)";
  EXPECT_EQ(changed([](auto& key) { key.subject[0] ^= 1; }), closed);
  EXPECT_EQ(changed([](auto& key) { key.purpose[0] ^= 1; }), closed);
  EXPECT_EQ(changed([](auto& key) { key.handle[0] ^= 1; }), closed);
  EXPECT_EQ(changed([](auto& key) { key.made += std::chrono::milliseconds(1); }), closed);
  EXPECT_EQ(changed([](auto& key) { key.parent[0] ^= 1; }), closed);
  EXPECT_EQ(changed([](auto& key) { ++key.created_day; }), closed);
  EXPECT_EQ(changed([](auto& key) { key.check[0] ^= 1; }), closed);
  for (std::size_t i = 0; i < kWrappedSize; ++i) {
    EXPECT_EQ(changed([i](auto& key) { key.wrapped[i] ^= 1; }), closed) << i;
  }
  TenantWrap other{Id{9}, kParent, place.wrap.outer.clone()};
  EXPECT_EQ(key_text(*place.store, made, other), closed);
  TenantWrap foreign{kTenant, kParent, child_wrapping_key(Bytes(32, 6))};
  EXPECT_EQ(key_text(*place.store, made, foreign), closed);
}

TEST(SubjectStore, EveryAlteredByteIsNoticed) {
  Place place;
  place.make(1);
  place.make(2);
  place.store.reset();
  const std::string good = test::whole_file(place.file());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    write_text(place.file(), bad);
    const auto opened =
        SubjectStore::open(place.temp.path(), kInstallation, kStoreId, place.mac_key, place.shred);
    ASSERT_FALSE(opened) << i;
    EXPECT_EQ(opened.error().kind(), ErrorKind::data);
    EXPECT_EQ(test::whole_file(place.file()), bad) << "an altered file is left as it is";
  }
}

// The process was killed while it wrote the last group: nobody was told of it.
TEST(SubjectStore, AGroupThatTheEndCutsShortIsCutOff) {
  Place place;
  const SubjectKeyMade first = place.make(1);
  const std::uint64_t after_first = place.store->file_size();
  const SubjectKeyMade second = place.make(2);
  place.store.reset();
  const std::string good = test::whole_file(place.file());
  for (std::size_t size = after_first; size < good.size(); ++size) {
    write_text(place.file(), std::string_view(good).substr(0, size));
    auto opened = place.open();
    ASSERT_TRUE(opened) << size << opened.error().sentence();
    EXPECT_TRUE(kept(**opened, first.handle));
    EXPECT_FALSE(kept(**opened, second.handle));
    EXPECT_EQ(std::filesystem::file_size(place.file()), after_first);
    // What comes next stands where it belongs.
    place.store = std::move(*opened);
    const SubjectKeyMade third = place.make(3);
    auto again = place.open();
    ASSERT_TRUE(again) << again.error().sentence();
    EXPECT_TRUE(kept(**again, third.handle));
  }
}

TEST(SubjectStore, OneSentenceForEachFault) {
  Place place;
  place.make(1);
  place.store.reset();
  const std::string good = test::whole_file(place.file());
  const auto error = [&](const Id& installation, const Id& store, const SecretBytes& mac_key) {
    return SubjectStore::open(place.temp.path(), installation, store, mac_key, place.shred).error();
  };
  expect_sentence(error(Id{6}, kStoreId, place.mac_key), ErrorKind::data, "another installation");
  expect_sentence(error(kInstallation, Id{6}, place.mac_key), ErrorKind::data,
                  "another installation");
  expect_sentence(error(kInstallation, kStoreId, SecretBytes::copy_of(Bytes(32, 3))),
                  ErrorKind::data, "altered");
  ::chmod(place.file().c_str(), 0644);
  expect_sentence(error(kInstallation, kStoreId, place.mac_key), ErrorKind::data, "chmod 600");
  ::chmod(place.file().c_str(), 0600);
  std::string newer = good;
  newer[9] = 2;
  write_text(place.file(), newer);
  expect_sentence(error(kInstallation, kStoreId, place.mac_key), ErrorKind::data, "newer version");
  write_text(place.file(), std::string_view(good).substr(0, 20));
  expect_sentence(error(kInstallation, kStoreId, place.mac_key), ErrorKind::data, "truncated");
  std::filesystem::remove(place.file());
  expect_sentence(error(kInstallation, kStoreId, place.mac_key), ErrorKind::data, "missing");
  EXPECT_FALSE(std::filesystem::exists(place.file())) << "nothing is made anew in silence";
}

TEST(SubjectStore, ARenewedShredSecretLeavesOldCopiesUseless) {
  Place place;
  const SubjectKeyMade stays = place.make(1);
  const SubjectKeyMade goes = place.make(2);
  const std::string clear = key_text(*place.store, stays, place.wrap);
  const std::string old_copy = test::whole_file(place.file());
  EXPECT_FALSE(place.store->owes_renewal());
  {
    const auto lock = place.store->lock_writers();
    const std::vector<SubjectChange> erased{SubjectErased{goes.subject}};
    ASSERT_TRUE(place.store->commit(erased));
  }
  EXPECT_TRUE(place.store->owes_renewal());
  const ShredSecret next = place.shred.next();
  ASSERT_TRUE(place.store->prepare(next, {}, {}, place.wraps()));
  EXPECT_EQ(key_text(*place.store, stays, place.wrap), clear) << "still in force";
  place.store->finish();
  EXPECT_FALSE(place.store->owes_renewal());
  const SubjectKeyMade renewed = *kept(*place.store, stays.handle);
  EXPECT_EQ(renewed.shred_number, next.number());
  EXPECT_EQ(key_text(*place.store, renewed, place.wrap), clear);
  EXPECT_EQ(key_text(*place.store, stays, place.wrap), "(does not open)");
  EXPECT_EQ(key_text(*place.store, goes, place.wrap), "(does not open)");
  const SubjectKeyMade later = place.make(3);
  const std::string now = test::whole_file(place.file());
  EXPECT_EQ(now.find(std::string(id_text(goes.handle))), std::string::npos);

  auto opened = place.open(next);
  ASSERT_TRUE(opened) << opened.error().sentence();
  EXPECT_EQ(key_text(**opened, *kept(**opened, stays.handle), place.wrap), clear);
  EXPECT_TRUE(kept(**opened, later.handle));
  EXPECT_FALSE(kept(**opened, goes.handle));
  EXPECT_FALSE((*opened)->owes_renewal());
  opened->reset();
  write_text(place.file(), old_copy);
  auto older = place.open(next);
  ASSERT_FALSE(older);
  expect_sentence(older.error(), ErrorKind::data, "older copy");
}

TEST(SubjectStore, WhatWasErasedIsOwedAlsoAfterARestart) {
  Place place;
  const SubjectKeyMade goes = place.make(1);
  {
    const auto lock = place.store->lock_writers();
    const std::vector<SubjectChange> erased{SubjectErased{goes.subject}};
    ASSERT_TRUE(place.store->commit(erased));
  }
  auto opened = place.open(place.shred);
  ASSERT_TRUE(opened);
  EXPECT_TRUE((*opened)->owes_renewal());
}

// At every step of a destroy batch: what the key store says decides, and one of the two states is
// there as a whole.
TEST(SubjectStore, AnInterruptedBatchIsSettledByTheKeyStoresNumber) {
  Place place;
  const SubjectKeyMade stays = place.make(1);
  const std::string clear = key_text(*place.store, stays, place.wrap);
  const ShredSecret next = place.shred.next();
  std::filesystem::path beside = place.file();
  beside += ".new";
  ASSERT_TRUE(place.store->prepare(next, {}, {}, place.wraps()));
  const std::string old_file = test::whole_file(place.file());
  const std::string new_file = test::whole_file(beside);
  place.store->cancel();
  EXPECT_FALSE(std::filesystem::exists(beside));
  EXPECT_EQ(key_text(*place.store, stays, place.wrap), clear);
  place.make(2);
  place.store.reset();

  struct Case {
    std::string file;
    std::string beside;
    bool decided;  // the key store names the new number
  };
  const std::vector<Case> cases{
      {old_file, new_file.substr(0, new_file.size() / 2), false},
      {old_file, new_file.substr(0, 10), false},
      {old_file, new_file, false},
      {old_file, new_file, true},
      {new_file, "", true},
  };
  for (const Case& one : cases) {
    write_text(place.file(), one.file);
    if (one.beside.empty()) {
      std::filesystem::remove(beside);
    } else {
      write_text(beside, one.beside);
      ::chmod(beside.c_str(), 0600);
    }
    const ShredSecret& secret = one.decided ? next : place.shred;
    auto opened = place.open(secret);
    ASSERT_TRUE(opened) << opened.error().sentence();
    EXPECT_FALSE(std::filesystem::exists(beside));
    EXPECT_EQ(key_text(**opened, *kept(**opened, stays.handle), place.wrap), clear);
    opened->reset();
    EXPECT_FALSE(place.open(one.decided ? place.shred : next));
  }
}

TEST(SubjectStore, ADestroyedTenantTakesItsSubjectsAlong) {
  Place place;
  const SubjectKeyMade stays = place.make(1);
  TenantWrap other{Id{7}, Id{6}, child_wrapping_key(Bytes(32, 9))};
  SubjectMade subject{random_id(), Id{7}, reference_of(9), true, 100};
  SubjectKeyMade goes;
  {
    const auto lock = place.store->lock_writers();
    goes = place.store->make_key(subject.id, kContact, other, kNow, 100);
    const std::vector<SubjectChange> changes{subject, goes, SubjectMarked{subject.id, true, false},
                                             SubjectContact{goes.handle, 120}};
    ASSERT_TRUE(place.store->commit(changes));
  }
  const ShredSecret next = place.shred.next();
  ASSERT_TRUE(place.store->prepare(next, {other.parent}, {}, place.wraps()));
  place.store->finish();
  const auto check = [&](const SubjectStore& store) {
    store.read([&](const SubjectTable& table) {
      EXPECT_EQ(table.by_id(subject.id), nullptr);
      EXPECT_EQ(table.by_handle(goes.handle), nullptr);
      EXPECT_NE(table.by_handle(stays.handle), nullptr);
      EXPECT_EQ(table.subjects(), 1U);
    });
  };
  check(*place.store);
  auto opened = place.open(next);
  ASSERT_TRUE(opened) << opened.error().sentence();
  check(**opened);
}

TEST(SubjectStore, TrafficGoesOnWhileItIsWrittenAnew) {
  Place place;
  for (std::uint8_t n = 1; n < 100; ++n) place.make(n);
  const ShredSecret next = place.shred.next();
  std::vector<SubjectKeyMade> made;
  std::thread traffic([&] {
    for (std::uint8_t n = 100; n < 200; ++n) {
      made.push_back(place.make(n));
      const auto lock = place.store->lock_writers();
      const std::vector<SubjectChange> contact{SubjectContact{made.back().handle, 130}};
      EXPECT_TRUE(place.store->commit(contact));
      if (n % 10 != 0) continue;
      const std::vector<SubjectChange> erased{SubjectErased{made.back().subject}};
      EXPECT_TRUE(place.store->commit(erased));
    }
  });
  ASSERT_TRUE(place.store->prepare(next, {}, {}, place.wraps()));
  place.store->finish();
  traffic.join();
  auto opened = place.open(next);
  ASSERT_TRUE(opened) << opened.error().sentence();
  (*opened)->read([](const SubjectTable& table) { EXPECT_EQ(table.keys(), 189U); });
  for (const SubjectKeyMade& key : made) {
    const auto now = kept(**opened, key.handle);
    if (!now) continue;
    EXPECT_EQ(key_text(**opened, *now, place.wrap).size(), kTreeKeySize);
  }
}

TEST(SubjectStore, HistoryGoesWhenItOutgrowsTheRest) {
  Place place;
  const SubjectKeyMade key = place.make(1);
  {
    const auto lock = place.store->lock_writers();
    for (std::uint32_t day = 101; day < 20100;) {
      std::vector<SubjectChange> contacts;
      while (contacts.size() < 100) contacts.emplace_back(SubjectContact{key.handle, day++});
      ASSERT_TRUE(place.store->commit(contacts));
    }
  }
  const std::uint64_t before = place.store->file_size();
  auto opened = place.open();
  ASSERT_TRUE(opened) << opened.error().sentence();
  EXPECT_LT((*opened)->file_size(), before / 100);
  EXPECT_EQ((*opened)->read([&](const SubjectTable& table) {
    return table.by_handle(key.handle)->contact_day;
  }),
            20100U);
  place.store = std::move(*opened);
  place.make(2);
  ASSERT_TRUE(place.open());
}

TEST(SubjectStore, AFullDiskRefusesTheChangeAndLosesNothing) {
  Place place;
  const SubjectKeyMade first = place.make(1);
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const auto previous = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{place.store->file_size() + 40, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &tight);
  SubjectMade subject{random_id(), kTenant, reference_of(2), true, 100};
  const std::vector<SubjectChange> changes{
      subject, place.store->make_key(subject.id, kContact, place.wrap, kNow, 100)};
  {
    const auto lock = place.store->lock_writers();
    const auto refused = place.store->commit(changes);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), ErrorKind::disk_full);
  }
  ::setrlimit(RLIMIT_FSIZE, &old);
  ::signal(SIGXFSZ, previous);
  place.store->read([](const SubjectTable& table) { EXPECT_EQ(table.subjects(), 1U); });
  {
    const auto lock = place.store->lock_writers();
    ASSERT_TRUE(place.store->commit(changes));
  }
  auto opened = place.open();
  ASSERT_TRUE(opened) << opened.error().sentence();
  (*opened)->read([](const SubjectTable& table) { EXPECT_EQ(table.subjects(), 2U); });
  EXPECT_TRUE(kept(**opened, first.handle));
}

TEST(SubjectStore, InMemoryItDoesTheSame) {
  const ShredSecret shred = ShredSecret::random();
  const auto store = SubjectStore::in_memory(shred);
  const TenantWrap wrap{kTenant, kParent, child_wrapping_key(Bytes(32, 5))};
  const auto lock = store->lock_writers();
  SubjectMade subject{random_id(), kTenant, reference_of(2), true, 100};
  const SubjectKeyMade key = store->make_key(subject.id, kContact, wrap, kNow, 100);
  const std::vector<SubjectChange> changes{subject, key};
  ASSERT_TRUE(store->commit(changes));
  EXPECT_EQ(key_text(*store, key, wrap).size(), kTreeKeySize);
  EXPECT_FALSE(store->commit(changes)) << "nothing is made twice";
}

std::uint64_t resident_kib() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("VmRSS:")) return std::stoull(line.substr(6));
  }
  return 0;
}

// By hand, for the figures: --gtest_also_run_disabled_tests --gtest_filter='*AMillion*'
TEST(SubjectStore, DISABLED_AMillionSubjects) {
  Place place;
  constexpr int kSubjects = 1000000;
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point since) {
    return std::chrono::duration<double>(Clock::now() - since).count();
  };
  auto start = Clock::now();
  {
    const auto lock = place.store->lock_writers();
    std::vector<SubjectChange> changes;
    for (int n = 0; n < kSubjects; ++n) {
      SubjectMade subject{random_id(), kTenant, {}, true, 100};
      random_bytes(subject.reference);
      changes.emplace_back(subject);
      changes.emplace_back(place.store->make_key(subject.id, kContact, place.wrap, kNow, 100));
      if (changes.size() < 4000) continue;
      ASSERT_TRUE(place.store->commit(changes));
      changes.clear();
    }
    ASSERT_TRUE(place.store->commit(changes));
  }
  std::printf("made and committed: %.1f s, file %.0f MB\n", seconds(start),
              static_cast<double>(std::filesystem::file_size(place.file())) / 1e6);
  place.store.reset();
  const std::uint64_t before = resident_kib();
  start = Clock::now();
  auto opened = place.open();
  ASSERT_TRUE(opened) << opened.error().sentence();
  std::printf("opened: %.1f s, %.0f MB more in memory\n", seconds(start),
              static_cast<double>(resident_kib() - before) / 1e3);
  const ShredSecret next = place.shred.next();
  place.store = std::move(*opened);
  start = Clock::now();
  ASSERT_TRUE(place.store->prepare(next, {}, {}, place.wraps()));
  place.store->finish();
  std::printf("destroy batch: %.1f s\n", seconds(start));
}

}  // namespace
}  // namespace paravent::crypto::vault
