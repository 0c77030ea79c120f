#include "proxy/pipeline/generalise/user_agent.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "proxy/pipeline/generalise/scan.h"

namespace paravent::proxy {
namespace {

using generalise::is_digit;
using generalise::is_letter;
using generalise::lower;

// The less, the more it says: browsers built on another one name that one too.
enum class Family : std::uint8_t {
  edge,
  opera,
  samsung,
  vivaldi,
  firefox,
  chrome,
  safari,
  unknown,
};

struct Product {
  std::string_view name;  // as it stands in the header before its slash
  Family family;
};

constexpr std::array<Product, 17> kProducts = {{
    {"Edg", Family::edge},
    {"EdgA", Family::edge},
    {"EdgiOS", Family::edge},
    {"Edge", Family::edge},
    {"OPR", Family::opera},
    {"OPT", Family::opera},
    {"OPiOS", Family::opera},
    {"OPX", Family::opera},
    {"SamsungBrowser", Family::samsung},
    {"Vivaldi", Family::vivaldi},
    {"FxiOS", Family::firefox},
    {"Firefox", Family::firefox},
    {"CriOS", Family::chrome},
    {"Chrome", Family::chrome},
    {"HeadlessChrome", Family::chrome},
    {"Chromium", Family::chrome},
    {"Safari", Family::safari},
}};

std::string_view token_of(Family family) {
  switch (family) {
    case Family::edge:
      return "Edg";
    case Family::opera:
      return "OPR";
    case Family::samsung:
      return "SamsungBrowser";
    case Family::vivaldi:
      return "Vivaldi";
    case Family::firefox:
      return "Firefox";
    case Family::chrome:
      return "Chrome";
    case Family::safari:
      return "Safari";
    case Family::unknown:
      break;
  }
  return {};
}

// In lower case and sorted. A word is found wherever it stands, also inside another one
// ("Googlebot").
constexpr std::array<std::string_view, 27> kBotWords = {
    "aiohttp",       "archiver",    "bot",        "chatgpt",     "crawl",   "curl/",
    "externalagent", "facebookext", "feedfetch",  "go-http-",    "google-", "googleother",
    "httpclient",    "libwww",      "lighthouse", "mediapartne", "monitor", "phantomjs",
    "pingdom",       "preview",     "python",     "scrapy",      "slurp",   "spider",
    "uptime",        "wget/",       "whatsapp/"};
static_assert(std::is_sorted(kBotWords.begin(), kBotWords.end()));

// The words of the list that begin with one letter.
struct WordRange {
  std::uint8_t begin = 0;
  std::uint8_t end = 0;
};

constexpr std::array<WordRange, 256> kBotWordsBy = [] {
  std::array<WordRange, 256> ranges{};
  for (std::uint8_t i = 0; i < kBotWords.size(); ++i) {
    WordRange& range = ranges[static_cast<unsigned char>(kBotWords[i].front())];
    if (range.end == 0) range.begin = i;
    range.end = static_cast<std::uint8_t>(i + 1);
  }
  return ranges;
}();

// Whether some word of the list may begin with these two characters, case aside: few places of a
// header pass, so that the words themselves are hardly ever compared.
constexpr std::size_t pair_index(char first, char second) {
  return (static_cast<std::size_t>(first) & 31U) * 32 + (static_cast<std::size_t>(second) & 31U);
}

constexpr std::array<bool, 1024> kMayBeginBotWord = [] {
  std::array<bool, 1024> may{};
  for (const std::string_view word : kBotWords) may[pair_index(word[0], word[1])] = true;
  return may;
}();

bool stands_at(std::string_view text, std::size_t at, std::string_view word) {
  if (text.size() - at < word.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (lower(text[at + i]) != word[i]) return false;
  }
  return true;
}

bool is_bot_word(std::string_view agent, std::size_t at) {
  const WordRange range = kBotWordsBy[static_cast<unsigned char>(lower(agent[at]))];
  for (std::size_t i = range.begin; i < range.end; ++i) {
    if (!stands_at(agent, at, kBotWords[i])) continue;
    // CUBOT makes telephones.
    if (kBotWords[i] == "bot" && at >= 2 && stands_at(agent, at - 2, "cubot")) continue;
    return true;
  }
  return false;
}

std::string_view leading_digits(std::string_view text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  // Four digits hold every major version there is; more would be somebody's serial number.
  return text.substr(0, std::min<std::size_t>(4, static_cast<std::size_t>(end - text.begin())));
}

struct Browser {
  bool bot = false;
  Family family = Family::unknown;
  std::string_view major;  // not empty unless unknown
};

// What the one pass over the header gathers.
struct Findings {
  Family family = Family::unknown;
  std::string_view version;      // behind the family's product
  std::string_view own_version;  // behind "Version/": Safari's and old Opera's own
  bool webkit = false;           // names its engine, which our own results do not
  bool android = false;
  bool old_opera = false;  // "Opera/9.80", which stopped counting there
};

void note_product(std::string_view name, std::string_view behind, Findings& found) {
  if (name == "Version") {
    found.own_version = behind;
  } else if (name == "AppleWebKit") {
    found.webkit = true;
  } else if (name == "Opera") {
    found.old_opera = true;
  } else {
    for (const Product& product : kProducts) {
      if (product.name != name || product.family >= found.family) continue;
      if (leading_digits(behind).empty()) continue;
      found.family = product.family;
      found.version = behind;
    }
  }
}

// "CPU iPhone OS 17_5 like Mac OS X" and "CPU OS 17_5": the version of the engine of every browser
// there.
std::string_view ios_version(std::string_view agent) {
  constexpr std::string_view kBefore = "CPU ";
  constexpr std::string_view kSystem = "OS ";
  const std::size_t cpu = agent.find(kBefore);
  if (cpu == std::string_view::npos) return {};
  const std::size_t system = agent.find(kSystem, cpu);
  return system == std::string_view::npos ? std::string_view()
                                          : leading_digits(agent.substr(system + kSystem.size()));
}

Browser browser_of(const Findings& found, std::string_view agent) {
  if (found.family < Family::safari) return {false, found.family, leading_digits(found.version)};
  if (found.old_opera) {
    const std::string_view major = leading_digits(found.own_version);
    return major.empty() ? Browser{} : Browser{false, Family::opera, major};
  }
  if (!found.webkit) {
    // Our own result: the number behind "Safari/" is the right one already.
    if (found.family != Family::safari) return {};
    return {false, Family::safari, leading_digits(found.version)};
  }
  // The number behind "Safari/" is WebKit's.
  if (found.android) return {};  // the browser of Android 4 and older
  std::string_view major = leading_digits(found.own_version);
  if (major.empty()) major = ios_version(agent);
  return major.empty() ? Browser{} : Browser{false, Family::safari, major};
}

Browser recognise(std::string_view agent) {
  Findings found;
  std::size_t word = 0;  // where the run of letters begins that ends here
  for (std::size_t i = 0; i < agent.size(); ++i) {
    const char c = agent[i];
    const char next = i + 1 < agent.size() ? agent[i + 1] : ' ';
    if (kMayBeginBotWord[pair_index(c, next)] && is_bot_word(agent, i)) {
      return {true, Family::unknown, {}};
    }
    if (is_letter(c)) continue;
    const std::string_view name = agent.substr(word, i - word);
    if (c == '/') note_product(name, agent.substr(i + 1), found);
    if (name == "Android") found.android = true;
    word = i + 1;
  }
  return browser_of(found, agent);
}

}  // namespace

void append_browser_family(std::string_view user_agent, std::string& out) {
  const Browser browser = recognise(user_agent);
  out.append("Mozilla/5.0");
  if (browser.bot) {
    out.append(" (bot)");
  } else if (!browser.major.empty()) {
    out.append(" ").append(token_of(browser.family)).append("/").append(browser.major).append(".0");
  }
}

void append_browser_version(std::string_view user_agent, std::string& out) {
  const Browser browser = recognise(user_agent);
  if (browser.bot) {
    out.append("bot");
  } else if (browser.major.empty()) {
    out.append("other");
  } else {
    out.append(token_of(browser.family)).append("/").append(browser.major);
  }
}

}  // namespace paravent::proxy
