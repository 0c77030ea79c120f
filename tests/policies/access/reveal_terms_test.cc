// How open a policy is, compared with another; and as text.

#include "policies/access/reveal_terms.h"

#include <gtest/gtest.h>

#include "policies/model/load_policy.h"

namespace paravent::policies {
namespace {

std::string text_with(const std::string& old, const std::string& next) {
  std::string text = R"(policy: 1
tenant: atelier
roles:
  dpo: { reveal: clear, subjects: true }
  support: { reveal: masked, kinds: { iban: refused }, budget: { subjects-per-day: 10 } }
  crm: { reveal: refused, protect: true }
recipients: { crm: { name: CRM, country: FR } }
purposes:
  contact:
    basis: contract
    retention: { from: collection, active: P3Y, archive: P1Y }
    reveal: [dpo, support]
    reveal-archived: [dpo]
routes:
  - name: form
    match: { method: POST, path: /f }
    upstream: http://127.0.0.1:9000
    recipient: crm
    purpose: contact
    fields: { form.submit: { do: keep } }
four-eyes: { approve: [dpo], purposes: [contact], kinds: [nir], subjects: 20 }
)";
  const std::size_t place = text.find(old);
  EXPECT_NE(place, std::string::npos) << old;
  return text.replace(place, old.size(), next);
}

RevealTerms terms_of(const std::string& old = "policy: 1", const std::string& next = "policy: 1") {
  const auto loaded = load_policy_text("terms.yaml", text_with(old, next));
  EXPECT_TRUE(loaded.ok()) << diagnostics_text(loaded.diagnostics);
  return reveal_terms(loaded.policy);
}

// The same between two changes of the role support.
std::string wider_hours(const std::string& before, const std::string& next) {
  const auto terms = [](const std::string& hours) {
    return terms_of("support: { reveal: masked", "support: { reveal: masked" + hours);
  };
  const auto keys = widened(terms(before), terms(next));
  return keys.empty() ? "" : keys.front();
}

// The first key under which the changed policy gives more; empty: nowhere.
std::string wider(const std::string& old, const std::string& next) {
  const auto keys = widened(terms_of(), terms_of(old, next));
  return keys.empty() ? "" : keys.front();
}

TEST(RevealTerms, Hours) {
  const std::string day = ", hours: { days: [mon], from: '08:00', until: '18:00' }";
  EXPECT_EQ(wider_hours("", day), "");
  EXPECT_EQ(wider_hours(day, ""), "limit minutes of support fri 00");
  EXPECT_EQ(wider_hours(day, ", hours: { days: [mon], from: '08:30', until: '17:00' }"), "");
  EXPECT_EQ(wider_hours(day, ", hours: { days: [mon], from: '08:00', until: '18:01' }"),
            "limit minutes of support mon 18");
  EXPECT_EQ(wider_hours(day, ", hours: { days: [mon, sun], from: '08:00', until: '18:00' }"),
            "limit minutes of support sun 08");
  // The same hours of another place are other hours.
  const RevealTerms here = terms_of("support: { reveal: masked", "support: { reveal: masked" + day);
  const RevealTerms there = terms_of(
      "roles:\n  dpo: { reveal: clear, subjects: true }\n  support: { reveal: masked",
      "time-zone: Pacific/Auckland\nroles:\n  dpo: { reveal: clear, subjects: true }\n  support: { "
      "reveal: masked" +
          day);
  EXPECT_EQ(widened(here, there).front(), "limit zone of support Europe/Paris");
}

TEST(RevealTerms, EveryWayOfGivingMore) {
  EXPECT_EQ(wider("policy: 1", "policy: 1"), "");
  EXPECT_EQ(wider("support: { reveal: masked", "support: { reveal: clear"),
            "may see support contact active address");
  EXPECT_EQ(wider("iban: refused", "iban: replaced"), "may see support contact active iban");
  EXPECT_EQ(wider("reveal-archived: [dpo]", "reveal-archived: [dpo, support]"),
            "may see support contact archived address");
  EXPECT_EQ(wider("subjects-per-day: 10", "subjects-per-day: 11"),
            "limit of support subjects-per-day");
  EXPECT_EQ(wider(", budget: { subjects-per-day: 10 }", ""), "limit of support haste");
  EXPECT_EQ(wider("subjects-per-day: 10", "subjects-per-day: 10, cooling-off-minutes: 5"),
            "limit of support haste");
  EXPECT_EQ(wider("protect: true", "protect: true, protect-budget: { values-per-hour: 101 }"),
            "limit to protect of crm values-per-day");
  EXPECT_EQ(wider("crm: { reveal: refused", "crm: { reveal: refused, subjects: true"),
            "may handle subjects crm");
  EXPECT_EQ(wider("approve: [dpo]", "approve: [dpo, support]"), "may approve support");
  EXPECT_EQ(wider("four-eyes:", "oidc: [{ issuer: login, subject: a, role: dpo }]\nfour-eyes:"),
            "may enter dpo of login sub a");
  EXPECT_EQ(wider("purposes: [contact], kinds", "kinds"), "limit alone purpose contact");
  EXPECT_EQ(wider("kinds: [nir]", "kinds: [iban]"), "limit alone kind nir");
  EXPECT_EQ(wider("subjects: 20", "subjects: 21"), "limit alone subjects");
  EXPECT_EQ(wider("active: P3Y", "active: P4Y"), "limit days active contact");
  EXPECT_EQ(wider("from: collection", "from: last-contact"), "limit clock contact");
}

// What looks alike when it is written in one go is told apart.
TEST(RevealTerms, SubjectsAndClaimsAreNotMistaken) {
  const auto with = [](const std::string& entry) {
    return terms_of("four-eyes:", "oidc: [" + entry + "]\nfour-eyes:");
  };
  const auto subject = with("{ issuer: login, subject: 'uid=a,ou=b', role: dpo }");
  const auto claim = with("{ issuer: login, claims: { 'sub=uid': 'a,ou=b' }, role: dpo }");
  EXPECT_EQ(widened(claim, subject).size(), 1U);
  EXPECT_EQ(widened(subject, claim).size(), 1U);
  const auto value = with("{ issuer: login, claims: { groups: 'cn=x' }, role: dpo }");
  const auto name = with("{ issuer: login, claims: { 'groups=cn': x }, role: dpo }");
  EXPECT_EQ(widened(name, value).size(), 1U);
}

// Whoever two entries are about gets in by none, so that taking one away lets somebody in.
TEST(RevealTerms, EntriesThatMeetKeepSomebodyOut) {
  const auto with = [](const std::string& entries) {
    return terms_of("four-eyes:", "oidc: [" + entries + "]\nfour-eyes:");
  };
  const std::string boss = "{ issuer: login, subject: boss, role: dpo }";
  const std::string staff = ", { issuer: login, claims: { groups: staff }, role: support }";
  const std::string clerk = ", { issuer: login, subject: clerk, role: support }";
  const std::string other = ", { issuer: other, claims: { groups: staff }, role: support }";
  // Nothing keeps boss out any more, whom both were about.
  const std::vector<std::string> gone{"limit both of dpo of login sub boss",
                                      "limit both of support of login claim groups staff"};
  EXPECT_EQ(widened(with(boss + staff), with(boss)), gone);
  EXPECT_TRUE(widened(with(boss), with(boss + staff)).size() == 1) << "the further entry alone";
  // Subjects that differ, and issuers that do, keep nobody out.
  EXPECT_TRUE(widened(with(boss + clerk), with(boss)).empty());
  EXPECT_TRUE(widened(with(boss + other), with(boss)).empty());
  // Where nobody is left to come in, nobody does.
  EXPECT_TRUE(widened(with(boss + staff), terms_of()).empty());
  // A narrower one is another entry, and leaves more to the other.
  EXPECT_EQ(
      widened(with(boss + staff),
              with(boss + ", { issuer: login, claims: { groups: staff, a: b }, role: support }"))
          .size(),
      2U);
  // Who somebody is decides whether two are two.
  EXPECT_EQ(widened(with(boss), with("{ issuer: login, subject: boss, person: anne, role: dpo }")),
            std::vector<std::string>{"may enter dpo of login sub boss person anne"});
  const auto person = [&](const std::string& more) {
    return with("{ issuer: login, subject: boss, person: anne, role: dpo" + more + " }");
  };
  EXPECT_EQ(
      widened(person(""), person(", operator: false")),
      std::vector<std::string>{"may enter dpo of login sub boss person anne without operator"});
}

TEST(RevealTerms, GivingLessIsNothingToAskFor) {
  const RevealTerms hours =
      terms_of("support: { reveal: masked",
               "support: { reveal: masked, hours: { from: '08:00', until: '18:00' }");
  EXPECT_TRUE(widened(hours, terms_of("support: { reveal: masked, kinds: { iban: refused }, "
                                      "budget: { subjects-per-day: 10 } }",
                                      "support: { reveal: refused }"))
                  .empty())
      << "a role that sees nothing any more needs no hours";
  EXPECT_EQ(wider("support: { reveal: masked", "support: { reveal: replaced"), "");
  EXPECT_EQ(wider("reveal: [dpo, support]", "reveal: [dpo]"), "");
  EXPECT_EQ(wider("subjects-per-day: 10", "subjects-per-day: 9, values-per-hour: 5"), "");
  EXPECT_EQ(wider("kinds: [nir]", "kinds: [nir, iban]"), "");
  EXPECT_EQ(wider("active: P3Y", "active: P2Y"), "");
  EXPECT_EQ(wider(", archive: P1Y", ""), "");
  EXPECT_EQ(wider("protect: true", "protect: false"), "");
  EXPECT_EQ(wider("support: { reveal: masked, kinds: { iban: refused }, budget: { "
                  "subjects-per-day: 10 } }",
                  "support: { reveal: refused }"),
            "");
}

// Otherwise one person takes it away in two steps: first with all that it was about, which gives
// less; then nothing is left to compare with.
TEST(RevealTerms, TakingTwoPeopleAwayIsGivingMoreWhateverGoesWithIt) {
  const std::string eyes =
      "four-eyes: { approve: [dpo], purposes: [contact], kinds: [nir], subjects: 20 }";
  const std::string seen = "reveal: [dpo, support]\n    reveal-archived: [dpo]";
  const std::vector<std::string> gone{"limit alone kind nir", "limit alone purpose contact",
                                      "limit alone subjects", "limit two people"};
  EXPECT_EQ(widened(terms_of(), terms_of(eyes, "")), gone);
  // Of the purposes alone, with or without what they showed.
  const std::string purposes = "four-eyes: { approve: [dpo], purposes: [contact] }";
  const auto loaded = load_policy_text("terms.yaml", text_with(eyes, purposes));
  ASSERT_TRUE(loaded.ok()) << diagnostics_text(loaded.diagnostics);
  std::string nothing = text_with(eyes, "");
  nothing.replace(nothing.find(seen), seen.size(), "reveal: []");
  const auto without = load_policy_text("terms.yaml", nothing);
  ASSERT_TRUE(without.ok()) << diagnostics_text(without.diagnostics);
  EXPECT_EQ(widened(reveal_terms(loaded.policy), reveal_terms(without.policy)),
            (std::vector<std::string>{"limit alone purpose contact", "limit two people"}));
  // Where it stays in force, a purpose that nobody sees any more needs nobody.
  EXPECT_EQ(wider(seen, "reveal: []"), "");
  EXPECT_TRUE(widened(terms_of(eyes, ""), terms_of(eyes, "")).empty());
}

TEST(RevealTerms, AsText) {
  const RevealTerms terms = terms_of();
  EXPECT_EQ(parse_terms(terms_text(terms)), terms);
  EXPECT_EQ(parse_terms(terms_text({})), RevealTerms());
  EXPECT_EQ(approving_roles(terms), std::vector<std::string>{"dpo"});
  const std::string good = terms_text(terms);
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_terms(good.substr(0, size)).has_value()) << size;
  }
  const std::string head = "paravent-terms-v1\n";
  for (const std::string body :
       {"may x 1\nmay x 1\nend\n", "may y 1\nmay x 1\nend\n", "can x 1\nend\n", "may x 01\nend\n",
        "may x\nend\n", "may x 1 \nend\n", "may x 99999999999999999999\nend\n",
        "may x 1\nend\nend"}) {
    EXPECT_FALSE(parse_terms(head + body).has_value()) << body;
  }
}

}  // namespace
}  // namespace paravent::policies
