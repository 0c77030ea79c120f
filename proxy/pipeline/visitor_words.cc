#include "proxy/pipeline/visitor_words.h"

#include <cstdint>

namespace paravent::proxy {

VisitorWords visitor_words(Reason reason) noexcept {
  const std::uint16_t status = reason_status(reason);
  if (status == 404) {
    return {"Page introuvable", "Cette page n'existe pas ici.", "There is no such page here."};
  }
  if (status == 413) {
    return {"Envoi trop volumineux", "L'envoi est trop volumineux.", "What was sent is too large."};
  }
  if (reason == Reason::upstream_failed || reason == Reason::upstream_timeout) {
    // Part or all of it may have reached the site: whoever sends an order twice has two.
    return {"Pas de réponse du site",
            "Le site n'a pas répondu comme prévu. Votre envoi lui est peut-être parvenu ; "
            "vérifiez-le avant de recommencer.",
            "The site did not answer as expected. It may have received what you sent; please check "
            "before you send it again."};
  }
  // What the sender asks for and nobody here speaks (501, 505) does not pass by waiting.
  if (status >= 500 && status != 501 && status != 505) {
    return {
        "Service indisponible",
        "Le service est momentanément indisponible. Rien n'a été transmis ; réessayez plus tard.",
        "The service is not available at the moment. Nothing was passed on; please try later."};
  }
  if (status == 429) {
    return {"Trop de demandes",
            "Trop de demandes à la fois. Rien n'a été transmis ; réessayez dans un instant.",
            "Too many requests at once. Nothing was passed on; please try again in a moment."};
  }
  if (reason == Reason::missing_field) {
    return {"Champ manquant", "Il manque un champ obligatoire.", "A required field is missing."};
  }
  return {"Envoi refusé", "L'envoi n'a pas pu être accepté et n'a pas été transmis.",
          "What was sent could not be accepted and was not passed on."};
}

}  // namespace paravent::proxy
