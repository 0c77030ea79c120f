#include "bench/support/form_pool.h"

#include <cstdio>
#include <initializer_list>

namespace paravent::bench {
namespace {

// SplitMix64 (Steele, Lea, Flood 2014): the same sequence everywhere, unlike std::distributions.
class Sequence {
 public:
  explicit Sequence(std::uint64_t seed) : state_(seed) {}

  std::uint64_t below(std::uint64_t limit) {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return (z ^ (z >> 31U)) % limit;
  }

  template <std::size_t N>
  std::string_view pick(const std::array<std::string_view, N>& from) {
    return from[below(N)];
  }

 private:
  std::uint64_t state_;
};

constexpr std::array<std::string_view, 24> kFirstNames = {
    "Camille", "Jean-Pierre", "Amélie", "Nadia", "Thomas", "Inès", "Olivier", "Chloé",
    "Mehdi",   "Françoise",   "Hugo",   "Manon", "Karim",  "Léa",  "Nicolas", "Sophie",
    "Yann",    "Aurélie",     "Bruno",  "Clara", "David",  "Elsa", "Gérard",  "Zoé"};
constexpr std::array<std::string_view, 24> kLastNames = {
    "Martin",  "Lefebvre",  "Moreau", "Garnier",  "Rousseau", "Benali", "Fontaine", "Mercier",
    "Dupuis",  "Chevalier", "Robin",  "Gauthier", "Perrin",   "Morel",  "Haddad",   "Barbier",
    "Renault", "Colin",     "Vidal",  "Caron",    "Picard",   "Roy",    "Guyot",    "Lacroix"};
constexpr std::array<std::string_view, 20> kCities = {
    "Lyon",      "Clermont-Ferrand", "Nantes", "Saint-Étienne", "Lille",    "Bordeaux", "Rennes",
    "Toulouse",  "Strasbourg",       "Dijon",  "Grenoble",      "Angers",   "Nîmes",    "Metz",
    "Perpignan", "Besançon",         "Caen",   "Mulhouse",      "Le Havre", "Poitiers"};
constexpr std::array<std::string_view, 6> kOpenings = {
    "Bonjour, je souhaite",   "Madame, Monsieur, j'aimerais", "Bonjour, nous voudrions",
    "Bonsoir, pourriez-vous", "Bonjour, est-il possible de",  "Hello, I would like to"};
constexpr std::array<std::string_view, 6> kWishes = {
    "recevoir un devis pour la réparation", "connaître vos disponibilités",
    "prendre rendez-vous pour une visite",  "savoir quand ma commande sera livrée",
    "modifier la date de mon inscription",  "get a quote for the repair"};
constexpr std::array<std::string_view, 6> kDetails = {
    "d'une machine de type X200 (le modèle de l'an dernier)",
    "avec deux accompagnants et une poussette pour le petit",
    "sachant que je ne suis libre que le mardi et le jeudi",
    "pour l'appareil que vous aviez contrôlé au printemps",
    "comme votre collègue me l'a conseillé par téléphone",
    "of the device that I bought in your shop last month"};
constexpr std::array<std::string_view, 6> kEndings = {
    "avant la fin du mois. Merci.",  "la semaine prochaine. Cordialement.",
    "au plus vite, merci beaucoup.", "dans votre boutique du centre.",
    "pour une personne de plus.",    "next week. Best regards."};

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '*' ||
         c == '-' || c == '.' || c == '_';
}

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) {
    if (!out.empty()) out += ' ';
    out += part;
  }
  return out;
}

std::string email_of(std::string_view last_name, std::size_t number) {
  std::string out;
  for (const char c : last_name) out += static_cast<char>(c | 0x20);
  return out + "." + std::to_string(number) + "@courriel.example";
}

std::string phone_of(Sequence& sequence) {
  const auto digits = static_cast<unsigned>(sequence.below(100000000));
  std::array<char, 32> text{};
  // People write both; the gateway brings both to the same E.164 form.
  const char* format = sequence.below(2) == 0 ? "+336%08u" : "06%08u";
  std::snprintf(text.data(), text.size(), format, digits);
  return text.data();
}

}  // namespace

std::string form_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (c == ' ') {
      out += '+';
    } else if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return out;
}

std::vector<Form> make_forms(std::uint64_t seed, std::size_t count) {
  Sequence sequence(seed);
  std::vector<Form> forms(count);
  for (std::size_t i = 0; i < count; ++i) {
    Form& form = forms[i];
    const std::string_view last_name = sequence.pick(kLastNames);
    form.values[0] = std::string(sequence.pick(kFirstNames)) + " " + std::string(last_name);
    form.values[1] = email_of(last_name, i);
    form.values[2] = phone_of(sequence);
    form.values[3] = sequence.pick(kCities);
    form.values[4] = joined({sequence.pick(kOpenings), sequence.pick(kWishes),
                             sequence.pick(kDetails), sequence.pick(kEndings)});
    for (std::size_t f = 0; f < kFieldCount; ++f) {
      if (f > 0) form.body += '&';
      form.body.append(kFieldNames[f]).append("=").append(form_encode(form.values[f]));
    }
  }
  return forms;
}

}  // namespace paravent::bench
