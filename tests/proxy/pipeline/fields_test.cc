// What the scanner and the protector do with fields that are not plain: unlisted ones, own tokens,
// shapes, JSON of other types, encoded names; and that what no rule touches stays as it came.

#include <gtest/gtest.h>

#include <cctype>

#include "crypto/base/encoding.h"
#include "crypto/tokens/token_text.h"
#include "tests/proxy/pipeline/pipeline_testing.h"

namespace paravent::proxy::testing {
namespace {

using policies::Carrier;

std::string own_token() {
  std::string text;
  const std::array<std::uint8_t, 16> id{1, 2, 3};
  crypto::write_vault_token(9, id, text);
  return text;
}

const std::string kEmail = "      form.email: { kind: email, do: tokenise, shape: email }\n";

TEST(Unlisted, ANameWithNothingInItDoesNotGoOnEither) {
  const std::string rules =
      "      json.email: { do: keep }\n      json.user.name: { do: keep }\n"
      "      json.list[*].id: { do: keep }\n";
  Pipeline refuse(policy_text(rules, "    unlisted: refuse\n"));
  Pipeline drop(policy_text(rules, "    unlisted: drop\n"));
  Pipeline keep(policy_text(rules, "    unlisted: keep\n"));
  // What it is dropped to; "" where refusing lets it through too.
  struct Case {
    const char* body;
    const char* dropped;
    const char* refused;  // the field that is named
  };
  const Case cases[] = {
      {R"({"email":1,"anne@b.fr":{}})", R"({"email":1})", "json.anne@b.fr"},
      {R"({"anne@b.fr":[ ],"email":1})", R"({"email":1})", "json.anne@b.fr"},
      {R"({"anne@b.fr":{"a":[{}]}})", R"({})", "json.anne@b.fr"},
      {R"({"x":{"y":{"z":1}}})", R"({})", "json.x.y.z"},
      {R"({"x":[[1],2,{"y":"a"}],"email":1})", R"({"email":1})", "json.x[0][0]"},
      {R"({"user":{"anne":{},"name":"A"}})", R"({"user":{"name":"A"}})", "json.user.anne"},
      {R"({"user":{"name":"A","b":{"c":1},"d":[]}})", R"({"user":{"name":"A"}})", "json.user.b.c"},
      {R"({"list":[{"anne":{}},{"id":1,"b":[1]}]})", R"({"list":[{},{"id":1}]})",
       "json.list[0].anne"},
      {R"({"user":{},"list":[]})", R"({"user":{},"list":[]})", ""},
      {R"({"list":[{},{}]})", R"({"list":[{},{}]})", ""},
      {R"({})", R"({})", ""},
      {R"([])", R"([])", ""},
      {R"([{},[]])", R"([{},[]])", ""},
  };
  for (const auto& [body, dropped, refused] : cases) {
    EXPECT_EQ(drop.run(json_post(body)).body, dropped) << body;
    EXPECT_EQ(keep.run(json_post(body)).body, body);
    const Outcome outcome = refuse.run(json_post(body));
    EXPECT_EQ(outcome.refused, *refused == '\0' ? "" : "unlisted-field") << body;
    EXPECT_EQ(outcome.field, refused) << body;
  }
  // In each document of several, in the JSON part of a multipart/mixed body, and inside of a value.
  Pipeline lines(
      policy_text("      json[*].email: { do: keep }\n", "    lines: on\n    unlisted: drop\n"));
  EXPECT_EQ(lines.run(json_post("{\"email\":1}\n{\"anne\":{}, \"email\":2}\n")).body,
            "{\"email\":1}\n{\"email\":2}\n");
  Pipeline mixed(
      policy_text("      json.email: { do: keep }\n      json[*].attachment: { do: keep }\n",
                  "    unlisted: drop\n"));
  const std::string head = "--B\r\nContent-Type: application/json\r\n\r\n";
  EXPECT_EQ(mixed
                .run(request_text("POST /f", "Content-Type: multipart/mixed; boundary=B\r\n",
                                  head + R"({"anne":{"x":[]},"email":1})" + "\r\n--B--\r\n"))
                .body,
            head + R"({"email":1})" + "\r\n--B--\r\n");
  Pipeline inside(
      policy_text("      form.d: { do: open, as: json }\n      form.d > json.email: { do: keep }\n",
                  "    unlisted: drop\n"));
  EXPECT_EQ(upstream_values(inside.run(form_post("d="
                                                 R"({"anne":{},"email":1})")),
                            Carrier::form, "d")
                .at(0),
            R"({"email":1})");
  // Below a selector of any depth anything may be listed.
  Pipeline any(policy_text("      json..id: { do: keep }\n", "    unlisted: refuse\n"));
  EXPECT_EQ(any.run(json_post(R"({"x":{}})")).refused, "");
}

TEST(Unlisted, RefuseNamesTheFieldToItsSender) {
  Pipeline pipeline(policy_text(kEmail + "      json.email: { do: keep }\n"));
  Outcome outcome = pipeline.run(form_post("email=a%40b.fr&secret%20name=x"));
  EXPECT_EQ(outcome.refused, "unlisted-field");
  EXPECT_EQ(outcome.field, "form.secret name");
  // Cut at 64 bytes, and never inside a character: 63 bytes and a two-byte one.
  outcome = pipeline.run(form_post(std::string(63, 'n') + "%C3%A9=x"));
  EXPECT_EQ(outcome.field, "form." + std::string(63, 'n'));
  outcome = pipeline.run(form_post(std::string(62, 'n') + "%C3%A9%C3%A9=x"));
  EXPECT_EQ(outcome.field, "form." + std::string(62, 'n') + "\xC3\xA9");
  EXPECT_EQ(pipeline.run(request_text("POST /f?q=1", "")).field, "query.q");
  EXPECT_EQ(pipeline.run(json_post(R"({"a":[{"b":1}]})")).field, "json.a[0].b");
  // Headers and cookies pass unless the policy says otherwise.
  EXPECT_EQ(pipeline.run(form_post("email=", "X-Any: 1\r\nCookie: c=1\r\n")).refused, "");
}

TEST(Unlisted, DropKeepAndEncrypt) {
  Pipeline drop(policy_text(kEmail, "    unlisted: drop\n"));
  EXPECT_EQ(drop.run(form_post("q=1&email=&w=2")).body, "email=");
  EXPECT_EQ(drop.run(form_post("q=1")).body, "");
  EXPECT_EQ(drop.run(request_text("POST /f?q=1", "")).request_line(), "POST /f? HTTP/1.1");
  Pipeline keep(policy_text(kEmail, "    unlisted: keep\n"));
  EXPECT_EQ(keep.run(form_post("q=%7e+&email=&&w")).body, "q=%7e+&email=&&w");
  Pipeline encrypt(policy_text(kEmail, "    unlisted: encrypt\n"));
  const Outcome outcome = encrypt.run(form_post("q=secret&email="));
  EXPECT_EQ(token_class(upstream_values(outcome, Carrier::form, "q").at(0)), "encrypted");
  EXPECT_EQ(outcome.body.find("secret"), std::string::npos);
}

TEST(Unlisted, ValuesHaveALimit) {
  const auto body = [](std::size_t values) {
    std::string text = R"({"email":[1)";
    for (std::size_t i = 1; i < values; ++i) text += ",1";
    return text + "]}";
  };
  const std::string rules = "      json.email[*]: { do: keep }\n";
  Pipeline keep(policy_text(rules, "    unlisted: drop\n"));
  EXPECT_EQ(keep.run(json_post(body(kMaxJobs))).refused, "");
  EXPECT_EQ(keep.run(json_post(body(kMaxJobs + 1))).refused, "too-large");
  for (const char* unlisted : {"drop", "encrypt"}) {
    Pipeline pipeline(policy_text("      json.email[0].a: { do: keep }\n",
                                  std::string("    unlisted: ") + unlisted + "\n"));
    EXPECT_EQ(pipeline.run(json_post(body(kMaxJobs + 1))).refused, "too-large") << unlisted;
  }
}

// Each removal looks at its own place and not at what stands in front of the text.
TEST(Unlisted, RemovedBehindManyBlanks) {
  Pipeline drop(policy_text("      json.x[0].a: { do: keep }\n", "    unlisted: drop\n"));
  const std::string blanks(std::size_t{2} << 20U, ' ');
  std::string text = blanks + R"({"x":[1)";
  for (int i = 1; i < 100'000; ++i) text += ",1";
  EXPECT_EQ(drop.run(json_post(text + "]}")).body, blanks + R"({"x":[]})");
}

TEST(Unlisted, HeadersAndCookiesHaveTheirOwnWord) {
  Pipeline drop(
      policy_text("      form.a: { do: keep }\n      header.X-Known: { do: keep }\n"
                  "      cookie.session: { do: keep }\n",
                  "    unlisted: { body: encrypt, header: drop, cookie: drop }\n"));
  Outcome outcome =
      drop.run(form_post("a=1",
                         "X-Known: k\r\nX-Secret: s\r\nAccept: */*\r\nUser-Agent: curl\r\n"
                         "Cookie: session=1; track=2\r\nCookie: track=3\r\n"));
  EXPECT_EQ(outcome.lines("X-Known"), std::vector<std::string>{"k"});
  EXPECT_TRUE(outcome.lines("X-Secret").empty());
  EXPECT_EQ(outcome.lines("Accept").size() + outcome.lines("User-Agent").size(), 2U);
  EXPECT_EQ(outcome.lines("Cookie"), std::vector<std::string>{"session=1"});
  Pipeline refuse(policy_text("      form.a: { do: keep }\n      header.X-Known: { do: keep }\n",
                              "    unlisted: { body: keep, header: refuse, cookie: refuse }\n"));
  outcome = refuse.run(form_post("a=1", "X-Known: k\r\nX-Secret: s\r\n"));
  EXPECT_EQ(outcome.refused + " " + outcome.field, "unlisted-field header.X-Secret");
  outcome = refuse.run(form_post("a=1", "Cookie: track=2\r\n"));
  EXPECT_EQ(outcome.refused + " " + outcome.field, "unlisted-field cookie.track");
}

TEST(OwnTokens, AreRefusedWhereverTheyWouldPass) {
  const std::string token = own_token();
  Pipeline pipeline(
      policy_text(kEmail + "      form.note: { do: keep }\n      form.text: { do: encrypt }\n"
                           "      cookie.c: { do: keep }\n      form.gone: { do: drop }\n",
                  "    unlisted: keep\n"));
  const auto refused = [&](const std::string& body, const std::string& headers = "") {
    const Outcome outcome = pipeline.run(form_post(body, headers));
    return outcome.refused + " " + outcome.field;
  };
  EXPECT_EQ(refused("note=" + token), "own-token form.note");
  EXPECT_EQ(refused("note=see+" + token + "+please"), "own-token form.note");
  // Encoded as no browser would, and as an application would decode it all the same.
  EXPECT_EQ(refused("note=%70" + token.substr(1)), "own-token form.note");
  EXPECT_EQ(refused("anything=%70" + token.substr(1)), "own-token unlisted");
  EXPECT_EQ(refused("email=" + token + "%40paravent.invalid"), "own-token form.email");
  EXPECT_EQ(refused("text=" + token), "own-token form.text");
  EXPECT_EQ(refused("text=" + token + "+inside+a+text"), " ");
  EXPECT_EQ(refused("gone=" + token), " ");
  EXPECT_EQ(refused("email=", "Cookie: c=" + token + "\r\n"), " ");
  const Outcome query = pipeline.run(request_text("POST /f?q=" + token, ""));
  EXPECT_EQ(query.refused, "own-token");
  // One character wrong: no token, and so nobody's.
  std::string other = token;
  other.back() = other.back() == 'q' ? 'p' : 'q';
  EXPECT_EQ(refused("note=" + other), " ");
}

TEST(OwnTokens, AreFoundInJsonHoweverTheyAreWritten) {
  const std::string token = own_token();
  std::string capitals = token;
  for (char& c : capitals) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::string packed;
  crypto::append_base64(packed, crypto::as_bytes(R"({"deep":")" + token + R"("})"));
  Pipeline pipeline(
      policy_text("      json.note: { do: keep }\n"
                  "      json.packed: { do: open, as: [base64, json] }\n"
                  "      json.packed > json.deep: { do: keep }\n",
                  "    unlisted: keep\n"));
  const auto refused = [&](const std::string& value, const std::string& name = "note") {
    const std::string body = R"({"first":"plain","list":[{")" + name + R"(":")" + value +
                             R"("}],")" + name + R"(":")" + value + R"("})";
    return pipeline.run(json_post(body)).refused;
  };
  EXPECT_EQ(refused("nothing of ours, p v1 and vp"), "");
  for (const std::string& name : {std::string("note"), std::string("unlisted")}) {
    EXPECT_EQ(refused(token, name), "own-token");
    EXPECT_EQ(refused("see " + token + " please", name), "own-token");
    EXPECT_EQ(refused(capitals, name), "own-token");
    // No byte of it begins a token; what an application reads does.
    EXPECT_EQ(refused("\\u0070" + token.substr(1), name), "own-token");
    EXPECT_EQ(refused("p\\u0076" + token.substr(2), name), "own-token");
  }
  // Nor here: it comes out only where the value is opened.
  EXPECT_EQ(packed.find("pv"), std::string::npos);
  EXPECT_EQ(pipeline.run(json_post(R"({"packed":")" + packed + R"("})")).refused, "own-token");
}

TEST(Shape, EmailIsEncodedForItsCarrier) {
  Pipeline pipeline(
      policy_text(kEmail +
                  "      multipart.email: { kind: email, do: tokenise, shape: email }\n"
                  "      json.email: { kind: email, do: tokenise, shape: email, max-len: 63 }\n"));
  const Outcome form = pipeline.run(form_post("email=Jane%40Example.org"));
  const std::string address = upstream_values(form, Carrier::form, "email").at(0);
  EXPECT_TRUE(address.ends_with("@paravent.invalid")) << address;
  EXPECT_EQ(token_class(address), "vault");
  EXPECT_EQ(address.size(), 63U);
  EXPECT_EQ(form.body.find('@'), std::string::npos);
  EXPECT_TRUE(form.body.ends_with("%40paravent.invalid"));
  const Outcome json = pipeline.run(json_post(R"({"email":"jane@example.org"})"));
  // Of one space, however it was written: the same person.
  EXPECT_EQ(json.body, "{\"email\":\"" + address + "\"}");
  const Outcome parts =
      pipeline.run(multipart_post(part("email", "jane@example.org") + std::string(kMultipartEnd)));
  EXPECT_EQ(upstream_values(parts, Carrier::multipart, "email"), std::vector{address});
}

TEST(Json, OtherTypesThanStrings) {
  Pipeline pipeline(
      policy_text("      json.phone: { kind: text, do: tokenise }\n"
                  "      json.flag: { do: mask }\n"
                  "      json.kept: { do: keep }\n"
                  "      json.never: { do: refuse }\n",
                  "    unlisted: keep\n"));
  const Outcome outcome =
      pipeline.run(json_post(R"({"phone": 33612345678 ,"flag":true, "n":1.50e3})"));
  ASSERT_EQ(outcome.refused, "") << outcome.field;
  EXPECT_EQ(token_class(upstream_values(outcome, Carrier::json, "phone").at(0)), "vault");
  EXPECT_NE(outcome.body.find(R"("flag":"********", "n":1.50e3})"), std::string::npos);
  const std::string null = R"({"phone":null,"flag":null,"kept":{"a":[]}})";
  EXPECT_EQ(pipeline.run(json_post(null)).body, null);
  for (const char* body : {R"({"phone":{}})", R"({"phone":["x"]})", R"({"flag":[]})"}) {
    EXPECT_EQ(pipeline.run(json_post(body)).refused, "transform-failed") << body;
  }
  EXPECT_EQ(pipeline.run(json_post(R"({"never":{}})")).refused, "refused-field");
  EXPECT_EQ(pipeline.run(json_post(R"({"never":null})")).refused, "refused-field");
  EXPECT_EQ(pipeline.run(json_post(R"({"a":1,"a":2})")).refused, "malformed-body");
}

TEST(Json, RemovalTakesTheComma) {
  Pipeline pipeline(policy_text("      json..ip: { do: drop }\n", "    unlisted: keep\n"));
  EXPECT_EQ(pipeline.run(json_post(R"({"ip":"1", "a":{"ip":2},"b":[3, {"ip":4,"c":5}]})")).body,
            R"({"a":{},"b":[3, {"c":5}]})");
}

TEST(Fields, EveryMatchOfARuleIsTreated) {
  Pipeline pipeline(policy_text("      form.item*: { kind: name, do: pseudonymise }\n"));
  const Outcome outcome = pipeline.run(form_post("item=a&item=b&item%5B2%5D=a&items="));
  const auto items = upstream_values(outcome, Carrier::form, "item");
  ASSERT_EQ(items.size(), 2U);
  EXPECT_NE(items[0], items[1]);
  EXPECT_EQ(upstream_values(outcome, Carrier::form, "item[2]"), std::vector{items[0]});
  EXPECT_EQ(upstream_values(outcome, Carrier::form, "items"), std::vector<std::string>{""});
}

TEST(Fields, MoreRequiredRulesThanBitsInAWord) {
  std::string rules;
  std::string body;
  for (int i = 0; i < 70; ++i) {
    rules += "      form.f" + std::to_string(i) + ": { do: keep, required: true }\n";
    body += "&f" + std::to_string(i) + "=1";
  }
  Pipeline pipeline(policy_text(rules));
  EXPECT_EQ(pipeline.run(form_post(body.substr(1))).refused, "");
  // The 65th is missing although the first is there.
  const std::size_t at = body.find("&f64=1");
  const Outcome outcome = pipeline.run(form_post(body.substr(1, at - 1) + body.substr(at + 6)));
  EXPECT_EQ(outcome.refused + " " + outcome.field, "missing-field form.f64");
}

TEST(Fields, RequiredOfAnotherKindOfBodyDoesNotApply) {
  Pipeline pipeline(
      policy_text("      form.a: { do: keep, required: true }\n"
                  "      json.a: { do: keep, required: true }\n"
                  "      header.X-Need: { do: keep, required: true }\n"));
  EXPECT_EQ(pipeline.run(form_post("a=1", "X-Need: 1\r\n")).refused, "");
  EXPECT_EQ(pipeline.run(json_post(R"({"a":1})", "X-Need: 1\r\n")).refused, "");
  EXPECT_EQ(pipeline.run(json_post(R"({"a":1})")).field, "header.X-Need");
  EXPECT_EQ(pipeline.run(request_text("POST /f", "X-Need: 1\r\n")).field, "form.a");
}

TEST(Fields, FilesAreNotYetTakenOn) {
  Pipeline pipeline(policy_text("      multipart.cv: { do: keep }\n", "    unlisted: keep\n"));
  const std::string file =
      "--B\r\nContent-Disposition: form-data; name=\"cv\"; "
      "filename=\"a.pdf\"\r\n\r\nx\r\n--B--\r\n";
  EXPECT_EQ(pipeline.run(multipart_post(file)).refused, "unsupported-type");
  std::string other = file;
  other.replace(other.find("\"cv\""), 4, "\"zz\"");
  EXPECT_EQ(pipeline.run(multipart_post(other)).refused, "unsupported-type");
}

TEST(Fields, VaultValuesHaveABound) {
  Pipeline pipeline(policy_text("      form.x: { kind: text, do: tokenise }\n"));
  EXPECT_EQ(pipeline.run(form_post("x=" + std::string(4096, 'a'))).refused, "");
  EXPECT_EQ(pipeline.run(form_post("x=" + std::string(4097, 'a'))).refused, "transform-failed");
  const auto under = [](const char* on_error) {
    Pipeline other(policy_text("      form.x: { kind: text, do: tokenise, on-error: " +
                               std::string(on_error) + " }\n      form.y: { do: keep }\n"));
    const Outcome outcome = other.run(form_post("x=" + std::string(4097, 'a') + "&y=1"));
    return outcome.refused.empty() ? outcome.body : outcome.refused;
  };
  EXPECT_EQ(under("drop"), "y=1");
  EXPECT_EQ(under("mask"), "x=%2A%2A%2A%2A%2A%2A%2A%2A&y=1");
  EXPECT_EQ(under("protect-raw"), "transform-failed");
}

TEST(Identity, WhatNoRuleTouchesStaysAsItCame) {
  Pipeline pipeline(
      policy_text("      form.never: { do: mask }\n      multipart.never: { do: mask }\n"
                  "      json.never: { do: mask }\n",
                  "    unlisted: keep\n"));
  for (const char* body :
       {"a=%e9%E9+%20&&b&=c&a=2&%c3%A9=1", "a", "&", "a=1&", "never=", "x=%00%0d%0a"}) {
    const Outcome outcome = pipeline.run(form_post(body));
    EXPECT_EQ(outcome.body, body) << outcome.refused;
  }
  for (const char* body :
       {"{\"a\" : 1.0E+2,\r\n\t\"\\u0062\":\"\\/\\u00e9\\ud83d\\ude00\", \"c\":[ ] }", "[1,2 , 3]",
        "\"top\"", " null ", "-0.0", R"({"never":null,"":""})"}) {
    const Outcome outcome = pipeline.run(json_post(body));
    EXPECT_EQ(outcome.body, body) << outcome.refused;
  }
  const std::string parts =
      "--B\r\nContent-Disposition:form-data;name=\"a\"\r\nX-Odd:  1\r\n\r\n\r\n"
      "--B\r\ncontent-type: text/plain; charset=utf-8\r\n"
      "content-disposition: form-data; name=b\r\n\r\n\x01\xFF \r\n--B--\r\n";
  EXPECT_EQ(pipeline.run(multipart_post(parts)).body, parts);
  const Outcome query = pipeline.run(request_text("POST /f?b=%7E&&a=[1]+%c3%a9", ""));
  EXPECT_EQ(query.request_line(), "POST /f?b=%7E&&a=[1]+%c3%a9 HTTP/1.1");
}

// A field whose name is encoded is explained under its name, whatever its value.
class Names final : public ScanObserver {
 public:
  void on_field(std::string_view path, std::string_view value, bool listed,
                const policies::FieldAction*) override {
    seen.push_back(std::string(path) + "=" + std::string(value) + (listed ? "" : " (unlisted)"));
  }
  std::vector<std::string> seen;
};

TEST(Observer, SeesDecodedNamesAndValues) {
  Pipeline pipeline(
      policy_text("      form.'first name': { do: mask }\n      json.a.b: { do: mask }\n",
                  "    unlisted: encrypt\n"));
  Names names;
  pipeline.observer = &names;
  EXPECT_EQ(pipeline.run(form_post("first+name=a+longer%20value&o%74her=%C3%A9")).refused, "");
  EXPECT_EQ(names.seen, (std::vector<std::string>{"form.first name=a longer value",
                                                  "form.other=\xC3\xA9 (unlisted)"}));
  names.seen.clear();
  EXPECT_EQ(pipeline.run(json_post(R"({"a":{"b":"x\n"},"c":[7]})")).refused, "");
  EXPECT_EQ(names.seen, (std::vector<std::string>{"json.a.b=x\n", "json.c[0]=7 (unlisted)"}));
}

TEST(Buffers, AreWipedBehindALongerValueToo) {
  Pipeline pipeline(policy_text("      form.a: { do: keep }\n      form.b: { do: mask }\n"));
  pipeline.run(form_post("a=" + std::string(200, 'S') + "&b=x"));
  // The long value was decoded into the same buffer before the short one.
  const std::string& value = pipeline.buffers().value;
  ASSERT_EQ(value, "x");
  ASSERT_GE(value.capacity(), 200U);
  EXPECT_EQ(std::string_view(value.data() + 2, 198).find('S'), std::string_view::npos);
}

// Readers differ about whether `Email` is `email`: where what no rule lists would pass, it is.
TEST(Fields, ANameInAnotherCaseDoesNotSlipPastAsUnlisted) {
  const std::string rules =
      "      json.user.email: { do: mask }\n"
      "      json.fields[name=email].value: { do: drop }\n"
      "      json.open: { do: open, as: json }\n"
      "      json.open > json.tel: { do: mask }\n"
      "      json.ok: { do: keep }\n"
      "      json.note: { do: mask, when: { json.ok: 'yes' }, else: drop }\n";
  Pipeline keep(policy_text(rules, "    unlisted: keep\n"));
  EXPECT_EQ(keep.run(json_post(R"({"user":{"email":"a","Email":"b"},"USER":{"email":1}})")).body,
            R"({"user":{"email":"********","Email":"********"},"USER":{"email":"********"}})");
  EXPECT_EQ(keep.run(json_post(R"({"User":{"e\u006DAIL":"a","mail":"b"},"email":"c"})")).body,
            R"({"User":{"e\u006DAIL":"********","mail":"b"},"email":"c"})");
  EXPECT_EQ(keep.run(json_post(R"({"user":{"EMAIL":{"a":1}}})")).refused, "transform-failed");
  for (const char* name : {"name", "Name", R"(n\u0041me)"}) {
    EXPECT_EQ(
        keep.run(json_post(std::string(R"({"fields":[{"value":"a",")") + name + R"(":"email"}]})"))
            .body,
        std::string(R"({"fields":[{")") + name + R"(":"email"}]})");
  }
  EXPECT_EQ(
      keep.run(json_post(R"({"fields":[{"name":"x","NAME":"y","Name":"email","value":"a"}]})"))
          .body,
      R"({"fields":[{"name":"x","NAME":"y","Name":"email"}]})");
  EXPECT_EQ(keep.run(json_post(R"({"fields":[{"name":1,"value":"a"}]})")).body,
            R"({"fields":[{"name":1,"value":"a"}]})");
  EXPECT_EQ(keep.run(json_post(R"({"open":"{\"Tel\":\"1\"}"})")).body,
            R"({"open":"{\"Tel\":\"********\"}"})");
  // A condition has to be certain.
  EXPECT_EQ(keep.run(json_post(R"({"note":"n","OK":"yes"})")).refused, "ambiguous-field");
  EXPECT_EQ(keep.run(json_post(R"({"note":"n","ok":"yes","OK":"no"})")).refused, "ambiguous-field");
  EXPECT_EQ(keep.run(json_post(R"({"note":"n","ok":"yes","OK":"yes"})")).body,
            R"({"note":"********","ok":"yes","OK":"yes"})");
  Pipeline star(
      policy_text("      json.fields[name=email].value: { do: mask }\n"
                  "      json.fields[*].*: { do: keep }\n"));
  EXPECT_EQ(star.run(json_post(R"({"fields":[{"name":"x","Name":"email","value":"a"}]})")).body,
            R"({"fields":[{"name":"x","Name":"email","value":"********"}]})");
  EXPECT_EQ(star.run(json_post(R"({"fields":[{"Name":"mail","value":"a"}]})")).body,
            R"({"fields":[{"Name":"mail","value":"a"}]})");
  // A keeping rule never wins by resemblance.
  Pipeline doubt(
      policy_text("      json.name: { do: keep }\n"
                  "      json.consent: { do: keep }\n"
                  "      json.*: { do: mask, when: { json.consent: 'no' }, else: keep }\n"));
  EXPECT_EQ(doubt.run(json_post(R"({"name":"v","consent":"no","Name":"Anne"})")).body,
            R"({"name":"v","consent":"no","Name":"********"})");
  // The first wildcard wins, for the exact name as for one that resembles it.
  Pipeline first(
      policy_text("      json.*: { do: keep }\n"
                  "      json..email: { do: mask }\n"));
  EXPECT_EQ(first.run(json_post(R"({"email":"a","Email":"b"})")).body,
            R"({"email":"a","Email":"b"})");
  Pipeline address(policy_text("      json.address: { do: mask }\n", "    unlisted: keep\n"));
  EXPECT_EQ(address.run(json_post("{\"addre\xC5\xBFs\":\"a\",\"addre\\u017fS\":\"b\"}")).body,
            "{\"addre\xC5\xBFs\":\"********\",\"addre\\u017fS\":\"********\"}");
  // Elsewhere it is simply unlisted.
  Pipeline refuse(policy_text(rules));
  EXPECT_EQ(refuse.run(json_post(R"({"user":{"Email":"a"}})")).refused, "unlisted-field");
  Pipeline drop(policy_text(rules, "    unlisted: drop\n"));
  EXPECT_EQ(drop.run(json_post(R"({"user":{"Email":"a"}})")).body, R"({"user":{}})");
}

// Which element it is, readers may tell by a name in another case: a rule that keeps does not win
// by it, and what another reader would have protected is.
// ASP.NET and others find form, query and cookie values without case.
TEST(Fields, NamesOfFormsInAnotherCaseDoNotEither) {
  const std::string rules =
      "      form.Email: { do: keep }\n"
      "      form.email: { do: mask }\n"
      "      form.tel*: { do: mask }\n"
      "      form.OK: { do: keep }\n"
      "      query.mail: { do: mask }\n"
      "      cookie.user: { do: drop }\n";
  Pipeline keep(policy_text(rules, "    unlisted: keep\n"));
  EXPECT_EQ(keep.run(form_post("EMAIL=a&Email=b&TEL1=c&ok=d&other=e")).body,
            "EMAIL=%2A%2A%2A%2A%2A%2A%2A%2A&Email=b&TEL1=%2A%2A%2A%2A%2A%2A%2A%2A&ok=d&other=e");
  EXPECT_EQ(keep.run(request_text("POST /f?Mail=a", "")).request_line(),
            "POST /f?Mail=%2A%2A%2A%2A%2A%2A%2A%2A HTTP/1.1");
  EXPECT_EQ(keep.run(form_post("", "Cookie: User=a; b=1\r\n")).lines("Cookie").at(0), "b=1");
  // A pattern that keeps does not spell the name out; one that does not keep decides.
  Pipeline star(policy_text(rules + "      form.*: { do: keep }\n"));
  EXPECT_EQ(star.run(form_post("EMAIL=a&TEL1=c&ok=d&Email=e")).body,
            "EMAIL=%2A%2A%2A%2A%2A%2A%2A%2A&TEL1=%2A%2A%2A%2A%2A%2A%2A%2A&ok=d&Email=e");
  Pipeline refuse(policy_text(rules));
  EXPECT_EQ(refuse.run(form_post("EMAIL=a")).refused, "unlisted-field");
  // PHP keeps case apart.
  Pipeline php(policy_text(rules, "    php-names: on\n    unlisted: keep\n"));
  EXPECT_EQ(php.run(form_post("EMAIL=a")).body, "EMAIL=a");
}

TEST(Fields, AFilterInAnotherCaseLetsNothingPass) {
  const std::string some =
      "      json.fields[name=lang].value: { do: keep }\n"
      "      json.fields[name=email].value: { do: mask }\n";
  for (const char* unlisted : {"drop", "encrypt", "keep"}) {
    Pipeline listed(policy_text(some + "      json.fields[*].value: { do: mask }\n"
                                       "      json.fields[*].name: { do: keep }\n",
                                std::string("    unlisted: ") + unlisted + "\n"));
    for (const char* names :
         {R"("Name":"lang","name":"email")", R"("name":"lang","Name":"email")"}) {
      const auto sent =
          listed.run(json_post(std::string(R"({"fields":[{)") + names + R"(,"value":"a@b.fr"}]})"));
      EXPECT_EQ(sent.refused, "") << unlisted;
      EXPECT_EQ(sent.body.find("a@b.fr"), std::string::npos) << unlisted << names;
      EXPECT_NE(sent.body.find(R"("value":"********")"), std::string::npos) << unlisted << names;
    }
    EXPECT_EQ(listed.run(json_post(R"({"fields":[{"name":"lang","value":"fr"}]})")).body,
              R"({"fields":[{"name":"lang","value":"fr"}]})");
  }
  Pipeline star(policy_text(some + "      json.fields[*].*: { do: keep }\n"));
  EXPECT_EQ(
      star.run(json_post(R"({"fields":[{"name":"lang","Name":"email","value":"a@b.fr"}]})")).body,
      R"({"fields":[{"name":"lang","Name":"email","value":"********"}]})");
}

// To the form's codec it is a long name that no rule is about; whatever stands in front of it may
// be removed, and then the body is what it begins with.
TEST(Fields, NoPairOfAFormBeginsAsAnotherFormatDoes) {
  Pipeline pipeline(policy_text("      form.mail: { do: drop }\n", "    unlisted: keep\n"));
  for (const std::string pair :
       {"[]=1", "{\"email\":\"a@b.fr\"}", "\"x\"=1", "<x>=1", " {}", "\t[1]", "\xEF\xBB\xBF{}"}) {
    const std::string expected = pair.front() == '\t' ? "malformed-body" : "unsupported-type";
    for (const std::string& form :
         {pair, "mail=1&" + pair, "a=1&" + pair, "a=1&" + pair + "&b=2"}) {
      EXPECT_FALSE(pipeline.run(form_post(form)).refused.empty()) << form;
    }
    EXPECT_EQ(pipeline.run(form_post("mail=1&" + pair)).refused, expected) << pair;
  }
  for (const std::string form : {"a[]=1", "a={}&b=[1]", "%5B%5D=1", "mail=1&a=\"x\"", "1=2&_=3"}) {
    EXPECT_EQ(pipeline.run(form_post(form)).refused, "") << form;
  }
}

}  // namespace
}  // namespace paravent::proxy::testing
