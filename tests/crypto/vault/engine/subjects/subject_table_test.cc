#include "crypto/vault/engine/subjects/subject_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>

namespace paravent::crypto::vault {
namespace {

const Id kTenant{1};
const Id kOther{2};
const Id kContact{3};
const Id kBilling{4};

Id id_of(std::uint32_t n) {
  Id id{};
  store_u32be(id.data(), n);
  id[15] = 0xFF;
  return id;
}

SubjectReference reference_of(std::uint32_t n) {
  SubjectReference reference{};
  store_u32be(reference.data() + 4, n);
  return reference;
}

SubjectMade subject(std::uint32_t n, const Id& tenant = kTenant) {
  return {id_of(n), tenant, reference_of(n), true, 100};
}

SubjectKeyMade key(std::uint32_t handle, std::uint32_t subject, const Id& purpose = kContact) {
  SubjectKeyMade made;
  made.handle = id_of(handle);
  made.subject = id_of(subject);
  made.purpose = purpose;
  made.parent = Id{77};
  made.made = WallTime(std::chrono::milliseconds(1773568800000));
  made.created_day = 100;
  made.shred_number = 1;
  made.check[0] = static_cast<std::uint8_t>(handle);
  made.wrapped[7] = static_cast<std::uint8_t>(subject);
  return made;
}

std::string dump(const SubjectTable& table) {
  std::string text;
  table.for_each_change([&](const SubjectChange& change) { append_subject_change(text, change); });
  return text;
}

TEST(SubjectTable, FindsBySubjectReferenceHandleAndPurpose) {
  SubjectTable table;
  ASSERT_TRUE(table.apply(subject(1)));
  ASSERT_TRUE(table.apply(key(10, 1)));
  ASSERT_TRUE(table.apply(key(11, 1, kBilling)));
  const Subject* found = table.by_reference(kTenant, reference_of(1));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found, table.by_id(id_of(1)));
  EXPECT_EQ(table.by_reference(kOther, reference_of(1)), nullptr);
  EXPECT_EQ(table.key_of(*found, kBilling), table.by_handle(id_of(11)));
  EXPECT_EQ(table.key_of(*found, kOther), nullptr);
  EXPECT_EQ(table.keys_of(*found).size(), 2U);
  EXPECT_EQ(table.by_handle(id_of(12)), nullptr);
}

TEST(SubjectTable, OneReferenceOfTwoTenantsIsTwoSubjects) {
  SubjectTable table;
  SubjectMade theirs = subject(2, kOther);
  theirs.reference = reference_of(1);
  ASSERT_TRUE(table.apply(subject(1)));
  ASSERT_TRUE(table.apply(theirs));
  EXPECT_EQ(table.by_reference(kOther, reference_of(1))->made.id, id_of(2));
  EXPECT_EQ(table.by_reference(kTenant, reference_of(1))->made.id, id_of(1));
}

TEST(SubjectTable, RefusesWhatContradictsIt) {
  SubjectTable table;
  ASSERT_TRUE(table.apply(subject(1)));
  ASSERT_TRUE(table.apply(key(10, 1)));
  const std::string before = dump(table);
  SubjectMade twice = subject(2);
  twice.reference = reference_of(1);
  const std::vector<SubjectChange> wrong{subject(1),
                                         twice,
                                         key(10, 1, kBilling),
                                         key(12, 1),
                                         key(13, 7),
                                         SubjectMarked{id_of(7), true, false},
                                         SubjectContact{id_of(7), 1},
                                         SubjectEvent{id_of(7), 1},
                                         SubjectKeyDisabled{id_of(7), {}, {}},
                                         SubjectErased{id_of(7)},
                                         SubjectKeyDestroyed{id_of(7)}};
  for (const SubjectChange& change : wrong) {
    EXPECT_FALSE(table.fits(std::span(&change, 1))) << change.index();
    EXPECT_FALSE(table.apply(change)) << change.index();
  }
  EXPECT_EQ(dump(table), before);
}

TEST(SubjectTable, AListFitsWithWhatItMakesItself) {
  SubjectTable table;
  const std::vector<SubjectChange> list{subject(1), key(10, 1), SubjectContact{id_of(10), 120},
                                        SubjectMarked{id_of(1), true, true}};
  EXPECT_TRUE(table.fits(list));
  const std::vector<SubjectChange> twice{subject(1), subject(1)};
  EXPECT_FALSE(table.fits(twice));
  const std::vector<SubjectChange> same_place{subject(1), key(10, 1), key(11, 1)};
  EXPECT_FALSE(table.fits(same_place));
  for (const SubjectChange& change : list) ASSERT_TRUE(table.apply(change));
  const std::vector<SubjectChange> late{SubjectErased{id_of(1)}, SubjectContact{id_of(10), 130}};
  EXPECT_FALSE(table.fits(late));
}

TEST(SubjectTable, MarksClocksAndEventsAreKept) {
  SubjectTable table;
  ASSERT_TRUE(table.apply(subject(1)));
  ASSERT_TRUE(table.apply(key(10, 1)));
  EXPECT_EQ(table.by_handle(id_of(10))->contact_day, 100U);
  ASSERT_TRUE(table.apply(SubjectContact{id_of(10), 130}));
  ASSERT_TRUE(table.apply(SubjectEvent{id_of(10), 140}));
  ASSERT_TRUE(table.apply(SubjectMarked{id_of(1), true, false}));
  const WallTime since(std::chrono::milliseconds(1773568800001));
  ASSERT_TRUE(table.apply(SubjectKeyDisabled{id_of(10), since, std::chrono::milliseconds(5)}));
  SubjectTable copy;
  const std::string text = dump(table);
  const auto changes = decode_subject_changes(as_bytes(text));
  ASSERT_TRUE(changes);
  for (const SubjectChange& change : *changes) ASSERT_TRUE(copy.apply(change));
  const SubjectKey& key = *copy.by_handle(id_of(10));
  EXPECT_EQ(key.contact_day, 130U);
  EXPECT_EQ(key.event_day, 140U);
  EXPECT_EQ(key.disabled_since, since);
  EXPECT_TRUE(copy.by_id(id_of(1))->restricted);
  EXPECT_FALSE(copy.by_id(id_of(1))->objected);
  EXPECT_EQ(key.disabled_running.count(), 5);
  ASSERT_TRUE(copy.apply(SubjectKeyDisabled{id_of(10), {}, {}}));
  EXPECT_FALSE(copy.by_handle(id_of(10))->disabled());
}

TEST(SubjectTable, AnErasedSubjectMayComeBackAsANewOne) {
  SubjectTable table;
  ASSERT_TRUE(table.apply(subject(1)));
  ASSERT_TRUE(table.apply(key(10, 1)));
  ASSERT_TRUE(table.apply(SubjectErased{id_of(1)}));
  EXPECT_EQ(table.by_reference(kTenant, reference_of(1)), nullptr);
  EXPECT_EQ(table.by_handle(id_of(10)), nullptr);
  EXPECT_EQ(table.subjects(), 0U);
  EXPECT_EQ(table.keys(), 0U);
  SubjectMade again = subject(2);
  again.reference = reference_of(1);
  ASSERT_TRUE(table.apply(again));
  EXPECT_EQ(table.by_reference(kTenant, reference_of(1))->made.id, id_of(2));
}

// Against a plain map, with many collisions of places and many deletions.
TEST(SubjectTable, StaysRightThroughManyChanges) {
  SubjectTable table;
  std::map<std::uint32_t, std::set<std::uint32_t>> model;  // subject -> handles
  std::mt19937 random(7);
  std::uint32_t next = 1;
  std::vector<Id> purposes;
  for (std::uint8_t i = 1; i < 6; ++i) purposes.push_back(Id{i});
  for (int step = 0; step < 20000; ++step) {
    const auto pick = [&] {
      auto it = model.begin();
      std::advance(it, static_cast<std::ptrdiff_t>(random() % model.size()));
      return it;
    };
    const auto dice = random() % 10;
    if (model.empty() || (dice < 4 && model.size() < 300)) {
      ASSERT_TRUE(table.apply(subject(next)));
      model[next++];
    } else if (dice < 7) {
      const auto it = pick();
      const Id& purpose = purposes[random() % purposes.size()];
      const bool taken = table.key_of(*table.by_id(id_of(it->first)), purpose) != nullptr;
      ASSERT_EQ(table.apply(key(next, it->first, purpose)).has_value(), !taken);
      if (!taken) it->second.insert(next++);
    } else if (dice < 9) {
      const auto it = pick();
      if (it->second.empty()) continue;
      ASSERT_TRUE(table.apply(SubjectKeyDestroyed{id_of(*it->second.begin())}));
      it->second.erase(it->second.begin());
    } else {
      const auto it = pick();
      ASSERT_TRUE(table.apply(SubjectErased{id_of(it->first)}));
      model.erase(it);
    }
  }
  EXPECT_EQ(table.subjects(), model.size());
  for (const auto& [n, handles] : model) {
    const Subject* found = table.by_id(id_of(n));
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(found, table.by_reference(kTenant, reference_of(n)));
    ASSERT_EQ(table.keys_of(*found).size(), handles.size());
    for (const std::uint32_t handle : handles) {
      ASSERT_NE(table.by_handle(id_of(handle)), nullptr);
      ASSERT_EQ(table.by_handle(id_of(handle))->made.subject, id_of(n));
    }
  }
}

TEST(SubjectChange, IsReadStrictly) {
  std::string text;
  append_subject_change(text, key(10, 1));
  ASSERT_TRUE(decode_subject_changes(as_bytes(text)));
  for (std::size_t size = 1; size < text.size(); ++size) {
    EXPECT_FALSE(decode_subject_changes(as_bytes(std::string_view(text).substr(0, size)))) << size;
  }
  text[0] = 0;
  EXPECT_FALSE(decode_subject_changes(as_bytes(text)));
  text[0] = 9;
  EXPECT_FALSE(decode_subject_changes(as_bytes(text)));
  std::string marked;
  append_subject_change(marked, SubjectMarked{id_of(1), true, true});
  marked.back() = 4;
  EXPECT_FALSE(decode_subject_changes(as_bytes(marked)));
  std::string made;
  append_subject_change(made, subject(1));
  made[1 + 16 + 16 + 32] = 2;
  EXPECT_FALSE(decode_subject_changes(as_bytes(made)));
}

}  // namespace
}  // namespace paravent::crypto::vault
