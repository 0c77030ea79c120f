// Carriers beyond forms and JSON: segments of the path, bodies of several documents, values packed
// with gzip, and names inside of fields as PHP reads them.

#include <gtest/gtest.h>

#include <string>

#include "proxy/body/wrapping.h"
#include "tests/proxy/body/packing.h"
#include "tests/proxy/pipeline/pipeline_testing.h"

namespace paravent::proxy::testing {
namespace {

using policies::Carrier;

const std::string kKeep = "    unlisted: keep\n";

std::string path_policy(const std::string& rules, const std::string& paths) {
  std::string text = policy_text(rules, kKeep);
  const std::string from = "{ method: POST, path: /f }";
  return text.replace(text.find(from), from.size(), "{ method: [GET, POST], path: " + paths + " }");
}

std::string line_of(Pipeline& pipeline, const std::string& target) {
  const Outcome outcome = pipeline.run(request_text("GET " + target, ""));
  return outcome.refused.empty() ? outcome.request_line() : outcome.refused;
}

TEST(PathCarrier, NamedSegmentsAreFields) {
  Pipeline pipeline(
      path_policy("      path.id: { do: mask }\n"
                  "      path.mail: { kind: email, do: tokenise, shape: email }\n",
                  "['/users/{id}/orders', '/mail/{mail}', '/mail/{mail}/{id}']"));
  EXPECT_EQ(line_of(pipeline, "/users/4711/orders?x=1"),
            "GET /users/%2A%2A%2A%2A%2A%2A%2A%2A/orders?x=1 HTTP/1.1");
  const std::string mail = line_of(pipeline, "/mail/Anne%40example.fr/7");
  ASSERT_TRUE(mail.starts_with("GET /mail/pvv1")) << mail;
  EXPECT_TRUE(mail.ends_with("%40paravent.invalid/%2A%2A%2A%2A%2A%2A%2A%2A HTTP/1.1")) << mail;
  // The same address, however it is spelled, is the same token.
  EXPECT_EQ(line_of(pipeline, "/mail/anne@example.fr/7"), mail);
  EXPECT_EQ(line_of(pipeline, "/mail/none"), "transform-failed");
  for (const char* other : {"/users/orders", "/users/1/2/orders", "/mail/"}) {
    EXPECT_EQ(line_of(pipeline, other), "no-route") << other;
  }
}

TEST(PathCarrier, EveryPathThatMatchesGivesItsRules) {
  const std::string rules =
      "      path.id: { do: mask }\n"
      "      path.mail: { do: replace, with: m }\n";
  const std::string mask = "%2A%2A%2A%2A%2A%2A%2A%2A";
  for (const char* paths : {"['/users/{id}/*', '/users/{any}/mail/{mail}']",
                            "['/users/{any}/mail/{mail}', '/users/{id}/*']",
                            "['/*/*/*/{mail}', '/users/{id}/*', '/users/{id}/mail/{any}']"}) {
    Pipeline pipeline(path_policy(rules, paths));
    EXPECT_EQ(line_of(pipeline, "/users/7/mail/anne@example.fr"),
              "GET /users/" + mask + "/mail/m HTTP/1.1")
        << paths;
    EXPECT_EQ(line_of(pipeline, "/users/7/x"), "GET /users/" + mask + "/x HTTP/1.1") << paths;
  }
  // A rule that keeps gives way; of two others the first path's counts.
  Pipeline pipeline(path_policy(rules + "      path.tab: { do: keep }\n",
                                "['/u/{tab}', '/u/{mail}', '/{tab}/{id}']"));
  EXPECT_EQ(line_of(pipeline, "/u/7"), "GET /u/m HTTP/1.1");
  EXPECT_EQ(line_of(pipeline, "/v/7"), "GET /v/" + mask + " HTTP/1.1");
}

TEST(PathCarrier, NothingElseOfTheLineChanges) {
  Pipeline pipeline(
      path_policy("      path.id: { do: keep }\n      query.q: { do: drop }\n", "'/users/{id}'"));
  EXPECT_EQ(line_of(pipeline, "/users/a%C3%A9~b?x=%7e&q=1"), "GET /users/a%C3%A9~b?x=%7e HTTP/1.1");
}

// What is written must stay one segment, whoever reads it.
TEST(PathCarrier, NoResultClimbsOutOfItsSegment) {
  Pipeline pipeline(path_policy("      path.id: { do: truncate, length: 2 }\n", "'/users/{id}'"));
  EXPECT_EQ(line_of(pipeline, "/users/..x"), "transform-failed");
  EXPECT_EQ(line_of(pipeline, "/users/ab%25"), "GET /users/ab HTTP/1.1");
  EXPECT_EQ(line_of(pipeline, "/users/%25%25x"), "GET /users/%25%25 HTTP/1.1");
  Pipeline token(path_policy("      path.id: { kind: name, do: tokenise, own-tokens: accept }\n",
                             "'/users/{id}'"));
  const std::string once = line_of(token, "/users/Anne");
  ASSERT_TRUE(once.starts_with("GET /users/pvv1")) << once;
  const std::string target = once.substr(4, once.rfind(' ') - 4);
  EXPECT_EQ(line_of(token, target), once);
}

std::string text_post(const std::string& body, const std::string& type = "text/plain") {
  return request_text("POST /f", "Content-Type: " + type + "\r\n", body);
}

TEST(Lines, JsonDocumentsOneALine) {
  Pipeline pipeline(
      policy_text("      json..mail: { do: replace, with: m }\n"
                  "      json[1].b: { do: drop }\n",
                  "    lines: on\n    text-plain: json\n" + kKeep));
  const std::string body = "{\"mail\":\"a\"}\n{\"mail\":\"b\",\"b\":1}\r\n[{\"mail\":1}]\n";
  const std::string expected = "{\"mail\":\"m\"}\n{\"mail\":\"m\"}\r\n[{\"mail\":\"m\"}]\n";
  for (const char* type : {"application/x-ndjson", "application/jsonl", "application/ndjson",
                           "application/json", "text/plain"}) {
    EXPECT_EQ(pipeline.run(text_post(body, type)).body, expected) << type;
  }
  EXPECT_EQ(pipeline.run(text_post("{\"a\":1}\n{\"a\":[1.0,\"\\u00e9\"]}")).body,
            "{\"a\":1}\n{\"a\":[1.0,\"\\u00e9\"]}");
  for (const char* bad : {"{}\n\n{}", "{}\n{", "{\n}"}) {
    EXPECT_EQ(pipeline.run(text_post(bad)).refused, "malformed-body") << bad;
  }
  // Without lines the same body is no JSON, and the type not known.
  Pipeline one(policy_text("      json..mail: { do: mask }\n", "    text-plain: json\n" + kKeep));
  EXPECT_EQ(one.run(text_post(body)).refused, "malformed-body");
  EXPECT_EQ(one.run(text_post(body, "application/x-ndjson")).refused, "unsupported-type");
}

TEST(Lines, FormsOneALineUnderTextPlain) {
  Pipeline pipeline(policy_text("      form.ep.mail: { do: drop }\n      form.uid: { do: mask }\n",
                                "    lines: on\n    text-plain: form\n" + kKeep));
  EXPECT_EQ(pipeline.run(text_post("en=view&ep.mail=a\r\nep.mail=b\r\nuid=7&x=%7e")).body,
            "en=view\r\n\r\nuid=%2A%2A%2A%2A%2A%2A%2A%2A&x=%7e");
  EXPECT_EQ(pipeline.run(text_post("en=view\nx;y")).refused, "malformed-body");
  // A form by its type is one.
  EXPECT_EQ(pipeline.run(form_post("a=1\nb=2")).refused, "malformed-body");
}

TEST(Lines, EnvelopesWithTheirLengths) {
  Pipeline pipeline(
      policy_text("      json..email: { do: drop }\n"
                  "      json..user.id: { do: pseudonymise, because: test }\n"
                  "      json[*].replay_recording: { do: drop }\n"
                  "      json[*].attachment: { do: keep }\n",
                  "    lines: envelope\n    text-plain: [json, gzip]\n" + kKeep));
  const std::string payload = R"({"user":{"id":"4711","email":"a@b.fr"}})";
  const std::string body =
      "{\"dsn\":\"d\"}\n{\"type\":\"event\",\"length\":" + std::to_string(payload.size()) + "}\n" +
      payload +
      "\n{\"type\":\"replay_recording\",\"length\":2}\n\n\n\n"
      "{\"type\":\"attachment\",\"length\":3}\n\x01\xFF\n\n";
  const Outcome outcome = pipeline.run(text_post(body));
  ASSERT_EQ(outcome.refused, "");
  const std::size_t begin = outcome.body.find("{\"user\"");
  const std::size_t end = outcome.body.find('\n', begin);
  EXPECT_NE(outcome.body.find("\"length\":" + std::to_string(end - begin) + "}"),
            std::string::npos);
  EXPECT_EQ(outcome.body.find("4711"), std::string::npos);
  EXPECT_EQ(outcome.body.find("replay_recording"), std::string::npos);
  EXPECT_TRUE(outcome.body.ends_with("{\"type\":\"attachment\",\"length\":3}\n\x01\xFF\n\n"));
  // Packed without saying so, and as the type of its own.
  const std::string packed = body::test::pack(body::ContentCoding::gzip, body);
  EXPECT_EQ(pipeline.run(text_post(packed)).body, outcome.body);
  EXPECT_EQ(pipeline.run(text_post(body, "application/x-sentry-envelope")).body, outcome.body);
  // What no rule names is not passed unseen.
  Pipeline strict(policy_text("      json..email: { do: drop }\n",
                              "    lines: envelope\n    text-plain: json\n" + kKeep));
  EXPECT_EQ(strict.run(text_post(body)).refused, "unsupported-type");
  Pipeline masked(policy_text("      json[*].attachment: { do: mask }\n",
                              "    lines: envelope\n    text-plain: json\n" + kKeep));
  EXPECT_EQ(masked.run(text_post("{}\n{\"type\":\"attachment\"}\nx\n")).refused,
            "unsupported-type");
}

TEST(GzipInside, IsOpenedAndPackedAgain) {
  Pipeline pipeline(
      policy_text("      form.data: { do: open, as: [base64, gzip, json] }\n"
                  "      form.data > json.mail: { do: replace, with: m }\n",
                  kKeep));
  const auto wrapped = [](const std::string& text) {
    std::string out;
    body::wrap_base64(body::test::pack(body::ContentCoding::gzip, text),
                      body::Base64Alphabet::standard, true, out);
    std::string value;
    for (const char c : out) value += c == '+' ? "%2B" : c == '/' ? "%2F" : std::string(1, c);
    return value;
  };
  const Outcome outcome = pipeline.run(form_post("data=" + wrapped(R"({"mail":"a","b":1.0})")));
  ASSERT_EQ(outcome.refused, "");
  std::string packed;
  std::string text;
  bool padded = false;
  ASSERT_TRUE(body::unwrap_base64(upstream_values(outcome, Carrier::form, "data").at(0),
                                  body::Base64Alphabet::standard, padded, packed));
  ASSERT_EQ(body::unwrap_gzip(packed, text), body::ScanStatus::ok);
  EXPECT_EQ(text, R"({"mail":"m","b":1.0})");
  // Nothing inside changes: not packed anew.
  const std::string same = "data=" + wrapped(R"({"b":[1.0]})");
  EXPECT_EQ(pipeline.run(form_post(same)).body, same);
  EXPECT_EQ(pipeline.run(form_post("data=eA%3D%3D")).refused, "transform-failed");
  EXPECT_EQ(pipeline.run(form_post("data=" + wrapped("{"))).refused, "transform-failed");
  const std::string bomb = wrapped("\"" + std::string(std::size_t{9} << 20U, 'a') + "\"");
  EXPECT_EQ(pipeline.run(form_post("data=" + bomb)).refused, "too-large");
}

TEST(PhpNames, HoldInsideOfFieldsToo) {
  Pipeline pipeline(
      policy_text("      json.requests[*]: { do: open, as: query }\n"
                  "      json.requests[*] > query.cip: { do: drop }\n",
                  "    php-names: on\n" + kKeep));
  EXPECT_EQ(
      pipeline
          .run(json_post(
              R"({"requests":["?a=1&+cip=1.2.3.4","cip[]=1.2.3.4&b=2","%20cip=1","c.ip=1"]})"))
          .body,
      R"({"requests":["?a=1","b=2","","c.ip=1"]})");
}

TEST(Csv, ColumnsAreFields) {
  Pipeline pipeline(
      policy_text("      csv.email: { kind: email, do: tokenise, shape: email }\n"
                  "      csv.note: { do: replace, with: 'a, \"b\"' }\n"
                  "      csv.phone: { do: drop }\n"
                  "      csv.id: { do: keep }\n",
                  "    unlisted: refuse\n"));
  const auto run = [&](const std::string& body) {
    return pipeline.run(request_text("POST /f", "Content-Type: text/csv; charset=utf-8\r\n", body));
  };
  const Outcome outcome =
      run("id,email,note,phone\r\n1,a@b.fr,x,06\r\n2,,\"y\r\nz\",\r\n3,A@b.fr,,07");
  ASSERT_EQ(outcome.refused, "");
  const std::size_t at = outcome.body.find("pvv1");
  const std::string token = outcome.body.substr(at, outcome.body.find(',', at) - at);
  EXPECT_EQ(outcome.body, "id,email,note,phone\r\n1," + token +
                              ",\"a, \"\"b\"\"\",\r\n2,,\"a, \"\"b\"\"\",\r\n3," + token + ",,");
  const Outcome unlisted = run("id,other\n1,2\n");
  EXPECT_EQ(unlisted.refused, "unlisted-field");
  EXPECT_EQ(unlisted.field, "csv.other");
  EXPECT_EQ(run("id;email\n1;2\n").refused, "unlisted-field");
  EXPECT_EQ(run("id,id\n1,2\n").refused, "malformed-body");
  EXPECT_EQ(run("id\n" + token + "\n").refused, "own-token");
  const std::string same = "id\n\"1\"\n1.0";
  EXPECT_EQ(run(same).body, same);
  Pipeline forms(policy_text("      form.id: { do: keep }\n", kKeep));
  EXPECT_EQ(forms.run(request_text("POST /f", "Content-Type: text/csv\r\n", same)).refused,
            "unsupported-type");
}

TEST(Xml, ElementsAndAttributesAreFields) {
  Pipeline pipeline(
      policy_text("      xml.*/email: { kind: email, do: tokenise, shape: email }\n"
                  "      xml.order/customer/@name: { do: replace, with: '<\"&' }\n"
                  "      xml.order/note: { do: drop }\n",
                  kKeep));
  const auto run = [&](const std::string& body, const std::string& type = "application/xml") {
    return pipeline.run(request_text("POST /f", "Content-Type: " + type + "\r\n", body));
  };
  const std::string body =
      "<o:order xmlns:o='u'>\n <customer name='Anne'><x:email>a@b.fr</x:email></customer>\n"
      " <note k='1'>secret</note><total>1.50 &#8364;</total>\n</o:order>";
  for (const char* type : {"application/xml", "text/xml", "application/soap+xml; charset=UTF-8"}) {
    const Outcome outcome = run(body, type);
    ASSERT_EQ(outcome.refused, "") << type;
    const std::size_t at = outcome.body.find("pvv1");
    const std::string token = outcome.body.substr(at, outcome.body.find('<', at) - at);
    EXPECT_EQ(outcome.body, "<o:order xmlns:o='u'>\n <customer name='&lt;&quot;&amp;'><x:email>" +
                                token +
                                "</x:email></customer>\n <total>1.50 &#8364;</total>\n</o:order>");
  }
  EXPECT_EQ(run("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>").refused,
            "malformed-body");
  EXPECT_EQ(run("<a><!-- a@b.fr --></a>").refused, "malformed-body");
  EXPECT_EQ(run("<a/>", "application/xml; charset=iso-8859-1").refused, "unsupported-type");
  const std::string same = "<?xml version='1.0'?>\n<a b = \"&#65;\" ><c /></a>\n";
  EXPECT_EQ(run(same).body, same);
}

TEST(Xml, AnElementWithNothingInItDoesNotGoOnUnlisted) {
  const std::string rules = "      xml.order/customer/email: { do: keep }\n";
  const auto post = [](const std::string& body) {
    return request_text("POST /f", "Content-Type: text/xml\r\n", body);
  };
  Pipeline refuse(policy_text(rules, "    unlisted: refuse\n"));
  Pipeline drop(policy_text(rules, "    unlisted: drop\n"));
  for (const std::string empty :
       {"<anne/>", "<anne></anne>", "<anne > </anne>", "<x:anne xmlns:x='u'/>"}) {
    const std::string body = "<order>" + empty + "<customer><email>a</email></customer></order>";
    EXPECT_EQ(refuse.run(post(body)).field, "xml.order/anne") << body;
    EXPECT_EQ(drop.run(post(body)).body, "<order><customer><email>a</email></customer></order>");
  }
  EXPECT_EQ(
      drop.run(post("<order><anne a='1'><b><c>1</c><d/></b><e>2</e></anne><customer/></order>"))
          .body,
      "<order><customer/></order>");
  EXPECT_EQ(drop.run(post("<anne><b>1</b></anne>")).body, "<anne></anne>")
      << "a document has a root";
  EXPECT_EQ(refuse.run(post("<anne/>")).field, "xml.anne");
  EXPECT_EQ(refuse.run(post("<order><customers/></order>")).field, "xml.order/customers");
  EXPECT_EQ(refuse.run(post("<order><custom/></order>")).field, "xml.order/custom");
  for (const std::string body : {"<order/>", "<order></order>", "<order><customer/></order>",
                                 "<order><customer><email/></customer></order>"}) {
    EXPECT_EQ(refuse.run(post(body)).body, body);
    EXPECT_EQ(drop.run(post(body)).body, body);
  }
  Pipeline keep(policy_text(rules, kKeep));
  EXPECT_EQ(keep.run(post("<order><anne/></order>")).body, "<order><anne/></order>");
}

TEST(TablesAndDocuments, NamesInAnotherCaseDoNotGoOnAsIfNoRuleWereAboutThem) {
  const std::string rules =
      "      csv.email: { do: drop }\n      csv.Note: { do: keep }\n"
      "      xml.order/email: { do: drop }\n      xml.order/@id: { do: drop }\n";
  const std::string csv = "Email,note,other\r\na@b.fr,x,1\r\n";
  const std::string xml = "<Order ID='7' n='1'><EMAIL>a@b.fr</EMAIL><a>b</a></Order>";
  const auto post = [](const char* type, const std::string& body) {
    return request_text("POST /f", "Content-Type: " + std::string(type) + "\r\n", body);
  };
  for (const std::string& more : {std::string(), std::string("    php-names: on\n")}) {
    Pipeline keep(policy_text(rules, kKeep + more));
    EXPECT_EQ(keep.run(post("text/csv", csv)).body, "Email,note,other\r\n,x,1\r\n");
    EXPECT_EQ(keep.run(post("text/xml", xml)).body, "<Order n='1'><a>b</a></Order>");
  }
  Pipeline refuse(policy_text(rules, "    unlisted: refuse\n"));
  EXPECT_EQ(refuse.run(post("text/csv", csv)).field, "csv.Email");
  EXPECT_EQ(refuse.run(post("text/xml", xml)).refused, "unlisted-field");
  Pipeline pattern(policy_text("      csv.email: { do: drop }\n      csv.*: { do: keep }\n",
                               "    unlisted: refuse\n"));
  EXPECT_EQ(pattern.run(post("text/csv", csv)).body, "Email,note,other\r\n,x,1\r\n");
}

TEST(Mixed, TheJsonPartIsABodyAndAttachmentsNeedARule) {
  const std::string rules = "      json.actor.name: { do: mask }\n";
  const auto post = [](const std::string& body) {
    return request_text("POST /f", "Content-Type: multipart/mixed; boundary=B\r\n", body);
  };
  const std::string head = "--B\r\nContent-Type: application/json\r\n\r\n";
  const std::string attachment =
      "\r\n--B\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n"
      "X-Experience-API-Hash: 0a\r\n\r\n\x89PNG\r\n";
  const std::string json = R"({"actor":{"name":"Anne"},"n":1.0})";
  const std::string masked = R"({"actor":{"name":"********"},"n":1.0})";
  Pipeline alone(policy_text(rules + "      json[*].attachment: { do: refuse }\n", kKeep));
  EXPECT_EQ(alone.run(post(head + json + "\r\n--B--\r\n")).body, head + masked + "\r\n--B--\r\n");
  EXPECT_EQ(alone.run(post(head + json + attachment + "\r\n--B--")).refused, "refused-field");
  // Where no rule says anything about attachments, such bodies are not taken on at all.
  Pipeline without(policy_text(rules, kKeep));
  EXPECT_EQ(without.run(post(head + json + "\r\n--B--\r\n")).refused, "unsupported-type");
  Pipeline kept(policy_text(rules + "      json[*].attachment: { do: keep }\n", kKeep));
  EXPECT_EQ(kept.run(post(head + json + attachment + "\r\n--B--")).body,
            head + masked + attachment + "\r\n--B--");
  Pipeline dropped(policy_text(rules + "      json[*].attachment: { do: drop }\n", kKeep));
  EXPECT_EQ(dropped.run(post(head + json + attachment + "\r\n--B--")).body,
            head + masked + "\r\n--B--");
  EXPECT_EQ(kept.run(post("--B\r\nContent-Type: text/plain\r\n\r\nx\r\n--B--")).refused,
            "unsupported-type");
  Pipeline forms(policy_text("      form.a: { do: keep }\n", kKeep));
  EXPECT_EQ(forms.run(post(head + json + "\r\n--B--")).refused, "unsupported-type");
}

}  // namespace
}  // namespace paravent::proxy::testing
