// The list of operators and the cases as text: both ways, and one spelling only.

#include "proxy/admin/operators/operators_file.h"

#include <gtest/gtest.h>

#include "proxy/admin/grants/case.h"
#include "proxy/admin/operators.h"

namespace paravent::proxy::admin {
namespace {

using crypto::WallTime;

WallTime at(std::int64_t milliseconds) { return WallTime(std::chrono::milliseconds(milliseconds)); }

const crypto::vault::Id kInstallation{0xAB, 1};

std::string text_of(const std::vector<OperatorRecord>& list) {
  return operators_text({kInstallation, list});
}

std::vector<OperatorRecord> full_list() {
  OperatorRecord program;
  program.name = "crm-sync";
  program.role = "support";
  program.tenant = {1, 2, 3};
  program.person = false;
  program.created = at(1000);
  program.credentials.push_back({{7}, at(1000), at(5000), {{"contact"}, {"reidentify", "audit"}}});
  program.credentials.push_back({{8}, at(2000), std::nullopt, {}});
  OperatorRecord person;
  person.name = "anne";
  person.role = "dpo";
  person.created = at(3000);
  person.revoked = at(9000);
  person.passphrase = crypto::PassphraseVerifier{{1}, {3, 65536}, {2}, {3}};
  person.enrolment = Enrolment{{9}, at(7000), {5}};
  person.attempts = {6, at(8000), 55};
  return {program, person};
}

TEST(OperatorsFile, RoundTrip) {
  for (const OperatorsFile& file :
       {OperatorsFile{kInstallation, full_list()}, OperatorsFile{kInstallation, {}}}) {
    const std::string text = operators_text(file);
    EXPECT_TRUE(text.starts_with("paravent-operators-v3 ab01" + std::string(28, '0') + "\n"));
    EXPECT_EQ(parse_operators(text), file);
  }
}

TEST(OperatorsFile, ReadsTheFirstVersion) {
  const std::string hash(64, 'a');
  const auto read =
      parse_operators("paravent-operators-v1\ndpo - dpo " + hash + "\nsup " + std::string(32, 'b') +
                      " support " + std::string(64, 'c') + "\n");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->installation, crypto::vault::kNoId);
  ASSERT_EQ(read->list.size(), 2U);
  EXPECT_EQ(read->list[0].name, "dpo");
  EXPECT_EQ(read->list[0].credentials.at(0).hash.front(), 0xAAU);
  EXPECT_TRUE(read->list[0].person);
  EXPECT_EQ(read->list[1].role, "support");
  // Written again, it is the present version, with the same credentials.
  const OperatorsFile next{kInstallation, read->list};
  EXPECT_EQ(parse_operators(operators_text(next)), next);
}

TEST(OperatorsFile, ReadsTheSecondVersion) {
  std::string text = text_of(full_list());
  text.replace(0, text.find('\n'), "paravent-operators-v2");
  EXPECT_EQ(parse_operators(text), (OperatorsFile{crypto::vault::kNoId, full_list()}));
  EXPECT_FALSE(parse_operators(text.substr(0, text.size() - 4)).has_value()) << "cut off";
}

// "-" stands for nobody in the files of cases; lists of before may hold such names.
TEST(OperatorsFile, ANewNameBeginsWithALetterOrDigit) {
  for (const char* name : {"-", "--", "-anne"}) {
    EXPECT_TRUE(is_operator_name(name)) << name;
    EXPECT_FALSE(is_new_operator_name(name)) << name;
    EXPECT_EQ(Operators::in_memory()->add(name, "dpo", {}).error().kind(),
              crypto::ErrorKind::usage);
    auto list = full_list();
    list[0].name = name;
    EXPECT_EQ(parse_operators(text_of(list)).value().list, list) << name;
  }
  for (const char* name : {"a", "7", "crm-sync", "a-"}) {
    EXPECT_TRUE(is_new_operator_name(name)) << name;
  }
}

TEST(OperatorsFile, AnyOtherTextIsRefused) {
  const std::string good = text_of(full_list());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_operators(good.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(parse_operators(good + "\n").has_value());
  const auto with = [&good](const std::string& old, const std::string& next) {
    std::string text = good;
    const std::size_t place = text.find(old);
    EXPECT_NE(place, std::string::npos) << old;
    return text.replace(place, old.size(), next);
  };
  for (const auto& [old, next] : std::vector<std::pair<std::string, std::string>>{
           {"operators-v3 ", "operators-v4 "},
           {"operators-v3 ab01", "operators-v3  ab01"},
           {"operators-v3 ab01", "operators-v3 AB01"},
           {"operators-v3 ab01", "operators-v3 ab01 ab01"},
           {"operators-v3 ab01", "operators-v3 01"},
           {"operators-v3 ab01", "operators-v3 0000"},
           {"operators-v3 ab01", "operators-v2 ab01"},
           {"operators-v3 ab01" + std::string(28, '0'), "operators-v3"},
           {"operators-v3 ab01" + std::string(28, '0'), "operators-v3 -"},
           {"operator crm-sync", "operator CRM"},
           {"operator crm-sync", "operator  crm-sync"},
           {" program ", " robot "},
           {" 1000 -\n", " 01000 -\n"},
           {" 1000 -\n", " 1000 - \n"},
           {" 1000 -\n", " 1000\n"},
           {"credential 07", "credential 0G"},
           {"credential 07", "credential 7"},
           {"credential 08", "credential 07"},
           {"reidentify,audit", "reidentify,,audit"},
           {"reidentify,audit", "reidentify,audit,"},
           {"reidentify,audit", "-,audit"},
           {"passphrase 01", "passphrase 0101"},
           {" 3 65536 ", " 3 4 "},
           {" 3 65536 ", " 0 65536 "},
           {" 3 65536 ", " 33 65536 "},
           {"attempts 6 8000 55", "attempts 0 0 0"},
           {"attempts 6 8000 55", "attempts 6 8000"},
           {"operator anne - dpo", "operator crm-sync - dpo"},
           {"end\n", "end"},
           {"enrolment", "enrolments"}}) {
    EXPECT_FALSE(parse_operators(with(old, next)).has_value()) << old << " as " << next;
  }
}

Case full_case() {
  Case one;
  one.id = {1};
  one.tenant = {2};
  one.state = CaseState::approved;
  one.requester = "support-1";
  one.requester_role = "support";
  one.approver = "anne";
  one.approver_role = "dpo";
  one.opened = at(1000);
  one.expires = at(9000);
  one.purpose = "contact";
  one.basis = "contract";
  one.fields = {"form.email", "form.'a b'"};
  one.tokens = {{3}, {4}};
  one.most_subjects = 2;
  one.most_values = 4;
  one.subjects = {{5}};
  one.values = 1;
  one.entries = {{10, 1}, {12, 3}};
  return one;
}

TEST(CaseFile, RoundTrip) {
  const Case one = full_case();
  EXPECT_EQ(parse_case(case_text(one)), one);
  Case change;
  change.id = {7};
  change.type = CaseType::change;
  change.requester = "admin";
  change.requester_role = "admin";
  change.change = "add program crm-sync with the role support, purposes contact";
  change.entries = {{0, 1}};
  EXPECT_EQ(parse_case(case_text(change)), change);
}

TEST(CaseFile, AnyOtherTextIsRefused) {
  const std::string good = case_text(full_case());
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_case(good.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(parse_case(good + "x").has_value());
  const auto refused = [&good](const std::string& old, const std::string& next) {
    std::string text = good;
    const std::size_t place = text.find(old);
    EXPECT_NE(place, std::string::npos) << old;
    return !parse_case(text.replace(place, old.size(), next)).has_value();
  };
  EXPECT_TRUE(refused("approver anne", "approver support-1")) << "whoever asks never approves";
  EXPECT_TRUE(refused("approver anne", "approver -")) << "approved by nobody";
  EXPECT_TRUE(refused("state approved", "state yes"));
  EXPECT_TRUE(refused("most-values 4", "most-values 04"));
  EXPECT_TRUE(refused("most-values 4", "most-values 1000001"));
  EXPECT_TRUE(refused("entries 12 3", "entries 12"));
  EXPECT_TRUE(refused("values 1\n", "values 1\nvalues 1\n"));
  EXPECT_TRUE(refused("paravent-case-v1", "paravent-case-v2"));
}

}  // namespace
}  // namespace paravent::proxy::admin
