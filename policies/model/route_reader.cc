#include <algorithm>
#include <array>
#include <utility>

#include "policies/model/policy_reader.h"
#include "policies/model/rule_parts.h"

namespace paravent::policies {
namespace {

constexpr std::array<Word<OnObjection>, 2> kOnObjectionWords = {
    {{"refuse", OnObjection::refuse}, {"drop", OnObjection::drop}}};

constexpr std::array<Word<ClientAddress>, 5> kAddressWords = {
    {{"drop", ClientAddress::drop},
     {"truncate", ClientAddress::truncate},
     {"pseudonym", ClientAddress::pseudonym},
     {"fixed", ClientAddress::fixed},
     {"keep", ClientAddress::keep}}};

constexpr std::array<Word<Shape>, 2> kAddressShapeWords = {
    {{"ip", Shape::ip}, {"ipv4", Shape::ipv4}}};

constexpr std::array<Word<Unlisted>, 4> kUnlistedWords = {{{"refuse", Unlisted::refuse},
                                                           {"drop", Unlisted::drop},
                                                           {"keep", Unlisted::keep},
                                                           {"encrypt", Unlisted::encrypt}}};

// Encrypting every header would break the protocol; cookies that no rule names are dropped or kept.
constexpr std::array<Word<Unlisted>, 3> kUnlistedHeaderWords = {
    {{"refuse", Unlisted::refuse}, {"drop", Unlisted::drop}, {"keep", Unlisted::keep}}};

constexpr std::array<Word<StreamOrder>, 2> kStreamWords = {
    {{"fields-first", StreamOrder::fields_first}, {"any-order", StreamOrder::any}}};
constexpr std::array<Word<Lines>, 3> kLinesWords = {
    {{"off", Lines::none}, {"on", Lines::each}, {"envelope", Lines::envelope}}};
constexpr std::array<Word<bool>, 2> kSwitchWords = {{{"on", true}, {"off", false}}};
constexpr std::array<Word<bool>, 1> kClientCertificateWords = {{{"required", true}}};
constexpr std::array<Word<bool>, 1> kElsewhereWords = {{{"pass", true}}};

// Of the registry of methods (RFC 9110, 16.1) what a site or an application may be asked by: those
// of RFC 9110, RFC 5789, RFC 3253, RFC 4918 and RFC 5323.
constexpr std::array<std::string_view, 16> kRegisteredMethods = {
    "GET",       "HEAD",  "POST", "PUT",  "PATCH", "DELETE", "OPTIONS", "PROPFIND",
    "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK",  "UNLOCK", "REPORT",  "SEARCH"};

constexpr std::string_view kDefaultFixedAddress = "0.0.0.0";

bool is_method(std::string_view text) {
  return !text.empty() && text.size() <= 32 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || c == '-';
  });
}

void read_hosts(MapReader& map, RouteMatchRule& match) {
  const YamlNode* node = map.find("host");
  if (node == nullptr) return;
  for (auto& host : read_texts(*node, map.key("host"), true, map.diagnostics())) {
    for (char& c : host.value) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    if (!is_host_name(host.value) && !is_ipv4(host.value)) {
      map.diagnostics().error(host.at, map.key("host"), in_quotes(host.value) + " is no host name",
                              "Without scheme and port, for example www.example.org");
      continue;
    }
    match.hosts.push_back(std::move(host));
  }
}

void read_paths(MapReader& map, RouteMatchRule& match) {
  const YamlNode* node = map.require("path", "For example /contact or /blog/*");
  if (node == nullptr) return;
  for (const auto& text : read_texts(*node, map.key("path"), true, map.diagnostics())) {
    auto parsed = PathPattern::parse(text.value);
    if (auto* fault = std::get_if<PathFault>(&parsed)) {
      map.diagnostics().error(text.at, map.key("path"), fault->message, fault->hint);
      continue;
    }
    match.paths.push_back(std::move(*std::get_if<PathPattern>(&parsed)));
  }
}

void read_match(MapReader& route, RouteMatchRule& match) {
  const YamlNode* node = route.require("match", "For example { method: POST, path: /contact }");
  if (node == nullptr) return;
  match.at = node->at;
  MapReader map(*node, route.key("match"), route.diagnostics());
  match.methods = read_methods(map, "method");
  read_hosts(map, match);
  read_paths(map, match);
  if (const YamlNode* when = map.find("when")) {
    match.when = read_conditions(*when, map.key("when"), map.diagnostics());
  }
  map.finish();
}

void read_unlisted(MapReader& route, Route& out) {
  const YamlNode* node = route.find("unlisted");
  if (node == nullptr) return;
  if (!node->is_map()) {
    if (const auto word = route.word<Unlisted>("unlisted", kUnlistedWords, {"scan"})) {
      out.unlisted = *word;
    }
    return;
  }
  MapReader map(*node, route.key("unlisted"), route.diagnostics());
  if (const auto body = map.word<Unlisted>("body", kUnlistedWords, {"scan"})) out.unlisted = *body;
  if (const auto header = map.word<Unlisted>("header", kUnlistedHeaderWords, {"encrypt", "scan"})) {
    out.unlisted_header = header->value;
  }
  if (const auto cookie = map.word<Unlisted>("cookie", kUnlistedHeaderWords, {"encrypt", "scan"})) {
    out.unlisted_cookie = cookie->value;
  }
  map.reserve("path");
  map.finish();
}

void read_text_plain(MapReader& map, Route& route) {
  const YamlNode* node = map.find("text-plain");
  if (node == nullptr) return;
  route.text_plain.at = node->at;
  TextPlain& text = route.text_plain.value;
  for (const auto& word : read_texts(*node, map.key("text-plain"), true, map.diagnostics())) {
    if (word.value == "json") {
      text.json = true;
    } else if (word.value == "form") {
      text.form = true;
    } else if (word.value == "gzip") {
      text.gzip = true;
    } else {
      map.diagnostics().error(word.at, map.key("text-plain"),
                              "unknown word " + in_quotes(word.value),
                              "One or more of json, form, gzip");
    }
  }
}

// The only thing that a route may do without the keys of the vault.
void read_when_sealed(MapReader& map, Route& route) {
  constexpr std::string_view kWord = "encrypt-to ";
  auto text = map.text("when-sealed");
  if (!text) return;
  if (!text->value.starts_with(kWord) || text->value.size() == kWord.size()) {
    map.diagnostics().error(text->at, map.key("when-sealed"),
                            in_quotes(text->value) + " is not what a sealed route can do",
                            "Write encrypt-to NAME, with a name of public-keys");
    return;
  }
  text->value.erase(0, kWord.size());
  route.when_sealed = std::move(*text);
}

void read_rules(MapReader& route, Route& out) {
  const YamlNode* node = route.find("fields");
  if (node == nullptr) return;
  const MapReader only_checks_the_type(*node, route.key("fields"), route.diagnostics());
  for (const YamlEntry& entry : node->entries) {
    read_rule(entry, route.key("fields"), route.diagnostics(), out.rules);
  }
  add_content_rules(out);
}

// The name first, so that every later diagnostic of the route can carry it.
std::string route_key(const YamlNode& node, std::size_t index) {
  for (const YamlEntry& entry : node.entries) {
    if (entry.key == "name" && entry.value.is_scalar() && is_name(entry.value.text)) {
      return "routes." + entry.value.text;
    }
  }
  return "routes." + std::to_string(index + 1);
}

void read_name_of_route(MapReader& map, Route& route) {
  if (auto name = map.name("name")) route.name = std::move(*name);
  map.require("name", "It names the route in metrics and refusals");
  if (route.name.value == kElsewhereName) {
    map.diagnostics().error(route.name.at, map.key("name"), "no route may be called elsewhere",
                            "Choose another name");
  }
}

}  // namespace

std::vector<Located<std::string>> read_methods(MapReader& map, std::string_view name) {
  const YamlNode* node = map.find(name);
  if (node == nullptr) return {};
  std::vector<Located<std::string>> methods;
  for (auto& method : read_texts(*node, map.key(name), true, map.diagnostics())) {
    if (!is_method(method.value)) {
      map.diagnostics().error(method.at, map.key(name), in_quotes(method.value) + " is no method",
                              "Methods are upper case, for example POST");
    } else if (method.value == "CONNECT" || method.value == "TRACE") {
      map.diagnostics().error(method.at, map.key(name), method.value + " is never let through");
    } else {
      // A route of a misspelt method is a form that nobody protects.
      if (std::ranges::find(kRegisteredMethods, method.value) == kRegisteredMethods.end()) {
        map.diagnostics().warning(
            method.at, map.key(name), in_quotes(method.value) + " is no registered method",
            suggestion(method.value, {kRegisteredMethods.begin(), kRegisteredMethods.end()},
                       "Requests of other methods pass this route by"));
      }
      methods.push_back(std::move(method));
    }
  }
  return methods;
}

void read_client_address(MapReader& map, bool has_keys, ClientAddress& mode, std::string& fixed,
                         Shape& shape) {
  const auto word = map.word<ClientAddress>("client-address", kAddressWords);
  if (word && word->value == ClientAddress::pseudonym && !has_keys) {
    map.diagnostics().error(word->at, map.key("client-address"),
                            "a pseudonym needs a recipient and a purpose, which elsewhere has not",
                            "One of drop, truncate, fixed, keep");
  } else if (word) {
    mode = word->value;
  }
  const auto address = map.text("fixed-address");
  if (mode == ClientAddress::fixed) fixed = kDefaultFixedAddress;
  if (address && mode != ClientAddress::fixed) {
    map.diagnostics().error(address->at, map.key("fixed-address"),
                            "only client-address: fixed has a fixed-address");
  } else if (address && !is_ipv4(address->value) && !is_ipv6(address->value)) {
    map.diagnostics().error(address->at, map.key("fixed-address"),
                            in_quotes(address->value) + " is no address");
  } else if (address) {
    fixed = address->value;
  }
  const auto literal = map.word<Shape>("address-shape", kAddressShapeWords);
  if (literal && mode != ClientAddress::pseudonym) {
    map.diagnostics().error(literal->at, map.key("address-shape"),
                            "only client-address: pseudonym has an address-shape");
  } else if (literal) {
    shape = literal->value;
  }
}

// One address, or a list of them that serve the same.
Located<UpstreamAddress> read_upstream(MapReader& map, std::vector<UpstreamAddress>& alternatives) {
  constexpr std::size_t kMost = 16;
  const YamlNode* const node =
      map.require("upstream", "Where the requests go, for example http://127.0.0.1:9000");
  if (node == nullptr) return {};
  const std::string key = map.key("upstream");
  const auto texts = read_texts(*node, key, true, map.diagnostics());
  if (texts.size() > kMost) {
    map.diagnostics().error(node->at, key, "more than " + std::to_string(kMost) + " addresses");
    return {};
  }
  std::vector<UpstreamAddress> all;
  for (const Located<std::string>& text : texts) {
    auto parsed = parse_upstream(text.value);
    if (const auto* fault = std::get_if<UpstreamFault>(&parsed)) {
      map.diagnostics().error(text.at, key, fault->message, fault->hint);
      return {};
    }
    auto& address = *std::get_if<UpstreamAddress>(&parsed);
    const bool twice = std::any_of(all.begin(), all.end(), [&](const UpstreamAddress& other) {
      return same_target(address, other);
    });
    if (twice) map.diagnostics().error(text.at, key, in_quotes(text.value) + " is listed twice");
    all.push_back(std::move(address));
  }
  if (all.empty()) return {};
  alternatives.assign(all.begin() + 1, all.end());
  return {std::move(all.front()), node->at};
}

Route read_route(const YamlNode& node, std::size_t index, Diagnostics& out) {
  Route route;
  route.key = route_key(node, index);
  route.at = node.at;
  MapReader map(node, route.key, out);
  if (!map.is_map()) return route;
  read_name_of_route(map, route);
  read_match(map, route.match);
  route.upstream = read_upstream(map, route.alternatives);
  if (auto recipient = map.text("recipient")) route.recipient = std::move(*recipient);
  if (auto purpose = map.text("purpose")) route.purpose = std::move(*purpose);
  if (auto domain = map.name("domain")) route.domain = std::move(*domain);
  read_client_address(map, true, route.client_address, route.fixed_address, route.address_shape);
  if (auto subject = map.text("subject")) route.subject = std::move(*subject);
  route.on_objection = map.word<OnObjection>("on-objection", kOnObjectionWords);
  read_text_plain(map, route);
  route.lines = map.word<Lines>("lines", kLinesWords);
  if (const auto php = map.word<bool>("php-names", kSwitchWords)) route.php_names = php->value;
  if (map.word<bool>("client-certificate", kClientCertificateWords)) {
    route.client_certificate = true;
  }
  route.on_error = map.word<OnError>("on-error", kOnErrorWords);
  read_rules(map, route);
  if (route.php_names) {
    fold_names(route.match.when);
    for (Rule& rule : route.rules) fold_names(rule.when);
  }
  read_unlisted(map, route);
  route.stream = map.word<StreamOrder>("stream", kStreamWords);
  read_when_sealed(map, route);
  for (const std::string_view later : {"response", "mode", "when", "websocket"}) {
    map.reserve(later);
  }
  map.finish();
  return route;
}

Elsewhere read_elsewhere(const YamlNode& node, Diagnostics& out) {
  Elsewhere elsewhere;
  elsewhere.at = node.at;
  MapReader map(node, std::string(kElsewhereName), out);
  if (!map.is_map()) return elsewhere;
  elsewhere.methods = read_methods(map, "methods");
  map.require("methods", "For example [GET, HEAD]");
  elsewhere.upstream = read_upstream(map, elsewhere.alternatives);
  map.word<bool>("do", kElsewhereWords);
  map.require("do", "Write do: pass, so that it is said by name");
  if (map.word<bool>("client-certificate", kClientCertificateWords)) {
    elsewhere.client_certificate = true;
  }
  Shape unused = Shape::ip;
  read_client_address(map, false, elsewhere.client_address, elsewhere.fixed_address, unused);
  map.finish();
  return elsewhere;
}

}  // namespace paravent::policies
