// Hours of roles: windows, midnight, time zones and their changes of clock.

#include "policies/access/open_hours.h"

#include <gtest/gtest.h>

#include "policies/access/access_rules.h"
#include "policies/model/load_policy.h"

namespace paravent::policies {
namespace {

using crypto::WallTime;

// UTC. 2026-11-23 is a Monday.
WallTime at(unsigned month, unsigned day, int hour, int minute, int second = 0) {
  using namespace std::chrono;
  return sys_days(year(2026) / std::chrono::month(month) / std::chrono::day(day)) + hours(hour) +
         minutes(minute) + seconds(second);
}

constexpr std::uint8_t kWorkdays = 0x1f;

TEST(TimeOfDay, HasOneSpelling) {
  EXPECT_EQ(parse_time_of_day("00:00", false), 0);
  EXPECT_EQ(parse_time_of_day("08:30", false), 510);
  EXPECT_EQ(parse_time_of_day("23:59", true), 1439);
  EXPECT_EQ(parse_time_of_day("24:00", true), 1440);
  for (const char* wrong : {"", "8:30", "08:3", "08:300", "08.30", "0830", "24:01", "25:00",
                            "08:60", "-1:00", "08:30:00", " 8:30", "08:3x", "8am", "noon"}) {
    EXPECT_FALSE(parse_time_of_day(wrong, true)) << wrong;
  }
  EXPECT_FALSE(parse_time_of_day("24:00", false));
}

TEST(OpenHours, EndIsExclusive) {
  const OpenHours hours({{kWorkdays, 8 * 60, 18 * 60}}, "Etc/UTC");
  EXPECT_FALSE(hours.at(at(11, 23, 7, 59, 59)));
  EXPECT_TRUE(hours.at(at(11, 23, 8, 0)));
  EXPECT_TRUE(hours.at(at(11, 23, 17, 59, 59)));
  EXPECT_FALSE(hours.at(at(11, 23, 18, 0)));
  EXPECT_TRUE(hours.at(at(11, 27, 12, 0)));   // Friday
  EXPECT_FALSE(hours.at(at(11, 28, 12, 0)));  // Saturday
  EXPECT_FALSE(hours.at(at(11, 29, 12, 0)));
  EXPECT_TRUE(hours.at(at(11, 30, 12, 0)));
}

// A window over midnight is of the day on which it begins.
TEST(OpenHours, OverMidnight) {
  constexpr std::uint8_t kFriday = 1U << 4U;
  const OpenHours hours({{kFriday, 22 * 60, 6 * 60}}, "Etc/UTC");
  EXPECT_FALSE(hours.at(at(11, 27, 5, 0)));
  EXPECT_FALSE(hours.at(at(11, 27, 21, 59)));
  EXPECT_TRUE(hours.at(at(11, 27, 22, 0)));
  EXPECT_TRUE(hours.at(at(11, 28, 5, 59)));
  EXPECT_FALSE(hours.at(at(11, 28, 6, 0)));
  EXPECT_FALSE(hours.at(at(11, 28, 22, 0)));
  const OpenHours sunday({{1U << 6U, 22 * 60, 6 * 60}}, "Etc/UTC");
  EXPECT_TRUE(sunday.at(at(11, 30, 0, 0)));  // Monday before six
  const OpenHours whole({{kFriday, 0, 1440}}, "Etc/UTC");
  EXPECT_TRUE(whole.at(at(11, 27, 23, 59, 59)));
  EXPECT_FALSE(whole.at(at(11, 28, 0, 0)));
  EXPECT_FALSE(whole.at(at(11, 26, 23, 59, 59)));
}

TEST(OpenHours, SeveralWindows) {
  const OpenHours hours({{kWorkdays, 8 * 60, 12 * 60}, {0x7f, 14 * 60, 16 * 60}}, "Etc/UTC");
  EXPECT_TRUE(hours.at(at(11, 23, 9, 0)));
  EXPECT_FALSE(hours.at(at(11, 23, 13, 0)));
  EXPECT_TRUE(hours.at(at(11, 23, 15, 0)));
  EXPECT_FALSE(hours.at(at(11, 28, 9, 0)));
  EXPECT_TRUE(hours.at(at(11, 28, 15, 0)));
}

// Paris is one hour ahead in winter and two in summer; on 25 October the hour from two to three
// comes twice.
TEST(OpenHours, AreOfTheTimeZone) {
  const OpenHours hours({{0x7f, 8 * 60, 18 * 60}}, "Europe/Paris");
  EXPECT_FALSE(hours.at(at(11, 23, 6, 59)));
  EXPECT_TRUE(hours.at(at(11, 23, 7, 0)));
  EXPECT_FALSE(hours.at(at(11, 23, 17, 0)));
  EXPECT_FALSE(hours.at(at(7, 1, 5, 59)));
  EXPECT_TRUE(hours.at(at(7, 1, 6, 0)));
  EXPECT_FALSE(hours.at(at(7, 1, 16, 0)));
  const OpenHours twice({{0x7f, 2 * 60, 3 * 60}}, "Europe/Paris");
  EXPECT_TRUE(twice.at(at(10, 25, 0, 30)));
  EXPECT_TRUE(twice.at(at(10, 25, 1, 30)));
  EXPECT_FALSE(twice.at(at(10, 25, 2, 30)));
  // On 29 March that hour does not exist.
  EXPECT_FALSE(twice.at(at(3, 29, 0, 59)));
  EXPECT_FALSE(twice.at(at(3, 29, 1, 0)));
  // A day begins elsewhere at another time: Monday in Auckland is Sunday here.
  const OpenHours monday({{1, 0, 1440}}, "Pacific/Auckland");
  EXPECT_TRUE(monday.at(at(11, 22, 12, 0)));
  EXPECT_FALSE(monday.at(at(11, 23, 12, 0)));
}

TEST(OpenHours, WithoutAZoneNothingIsOpen) {
  const OpenHours hours({{0x7f, 0, 1440}}, "Nowhere/Land");
  EXPECT_FALSE(hours.at(at(11, 23, 12, 0)));
}

// The decision itself: refused, whatever else would allow it.
TEST(OpenHours, AreOfTheDecision) {
  const auto loaded = load_policy_text("p.yaml", R"(policy: 1
tenant: atelier
roles:
  support: { reveal: masked, hours: { days: [mon, tue, wed, thu, fri], from: '08:00', until: '18:00' } }
  dpo: { reveal: clear }
recipients: { crm: { name: CRM, country: FR } }
purposes:
  contact: { basis: contract, retention: { active: P3Y }, reveal: [support, dpo] }
routes:
  - name: form
    match: { path: /form }
    upstream: http://127.0.0.1:9000
    recipient: crm
    purpose: contact
    fields: { form.email: { kind: email, do: tokenise } }
)");
  ASSERT_TRUE(loaded.ok()) << diagnostics_text(loaded.diagnostics);
  const crypto::vault::Id tenant{1};
  const TenantPolicy one[] = {{tenant, &loaded.policy}};
  const AccessRules rules(one);
  crypto::vault::TokenDescription token;
  token.tenant_id = tenant;
  token.kind = crypto::Kind::email;
  token.reversible = true;
  crypto::vault::PurposeClock clock;
  clock.name = "contact";
  clock.created = clock.last_contact = at(11, 1, 0, 0);
  token.purposes = {clock};
  const WallTime noon = at(11, 23, 11, 0);
  const WallTime night = at(11, 23, 17, 0);  // 18:00 in Paris, the zone where nothing is said
  EXPECT_EQ(rules.rule(tenant, "support", "contact", token, noon).verdict, Verdict::allowed);
  EXPECT_EQ(rules.rule(tenant, "support", "contact", token, night).verdict, Verdict::refused);
  EXPECT_EQ(rules.rule(tenant, "dpo", "contact", token, night).verdict, Verdict::allowed);
  EXPECT_TRUE(rules.within_hours(tenant, "support", noon));
  EXPECT_FALSE(rules.within_hours(tenant, "support", night));
  EXPECT_TRUE(rules.within_hours(tenant, "dpo", night));
  // Another tenant's token says nothing of hours.
  token.tenant_id = {2};
  EXPECT_EQ(rules.rule(tenant, "support", "contact", token, night).verdict, Verdict::unavailable);
}

}  // namespace
}  // namespace paravent::policies
