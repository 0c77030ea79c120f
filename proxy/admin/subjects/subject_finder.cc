#include "proxy/admin/subjects/subject_finder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/tokens/normaliser.h"
#include "proxy/admin/asked.h"

namespace paravent::proxy::admin {
namespace {

namespace audit = crypto::audit;
namespace reveal = crypto::reveal;
using crypto::vault::Id;
using crypto::vault::SubjectInfo;

class Finder {
 public:
  Finder(const AdminParts& parts, const reveal::Principal& principal) noexcept
      : parts_(parts), principal_(principal) {}

  MeantSubjects find(const SubjectRequest& request) const {
    MeantSubjects meant;
    if (request.tokens.empty()) {
      if (request.reference) {
        add(parts_.subjects.find(principal_.tenant(), *request.reference), meant);
      } else {
        add_by_identifier(request, meant);
      }
      meant.by_token.clear();
      return meant;
    }
    for (const std::string& text : request.tokens) add(by_token(text), meant);
    return meant;
  }

 private:
  void add_by_identifier(const SubjectRequest& request, MeantSubjects& meant) const {
    const auto kind = crypto::kind_from_name(request.kind);
    if (!kind) return;
    const std::string region = parts_.access->phone_region(principal_);
    std::string normal;
    normal.reserve(2 * request.value.size() + 64);
    const crypto::NormaliserOptions options{.region = region};
    if (!crypto::normalise(*kind, request.value, options, normal)) {
      crypto::wipe(normal);
      meant.malformed = true;
      return;
    }
    add(parts_.subjects.find(principal_.tenant(), *kind, normal), meant);
    if (*kind == crypto::Kind::phone) {
      for (std::string& form : crypto::earlier_phone_forms(normal)) {
        add(parts_.subjects.find(principal_.tenant(), *kind, form), meant);
        crypto::wipe(form);
      }
    }
    crypto::wipe(normal);
  }

  crypto::Result<Id> by_token(const std::string& text) const {
    const auto token = crypto::parse_token(crypto::strip_email_shape(text));
    if (token) return parts_.subjects.of_token(principal_.tenant(), *token);
    return parts_.subjects.of_shaped(principal_.tenant(), text);
  }

  void add(const crypto::Result<Id>& found, MeantSubjects& meant) const {
    auto info = found ? parts_.subjects.info(*found) : crypto::Result<SubjectInfo>(found.error());
    if (!info) {
      switch (info.error().kind()) {
        case crypto::ErrorKind::refused:
        case crypto::ErrorKind::malformed:
          break;
        case crypto::ErrorKind::sealed:
          meant.key_out_of_use = true;
          break;
        default:
          meant.unreachable = true;
      }
      meant.by_token.emplace_back();
      return;
    }
    const auto known = std::find_if(meant.subjects.begin(), meant.subjects.end(),
                                    [&](const SubjectInfo& other) { return other.id == info->id; });
    meant.by_token.emplace_back(static_cast<std::size_t>(known - meant.subjects.begin()));
    if (known == meant.subjects.end()) meant.subjects.push_back(std::move(*info));
  }

  const AdminParts& parts_;
  const reveal::Principal& principal_;
};

}  // namespace

MeantSubjects find_subjects(const AdminParts& parts, const reveal::Principal& principal,
                            const SubjectRequest& request) {
  return Finder(parts, principal).find(request);
}

void watch_subjects_for_honey(const AdminParts& parts, const Operator& who,
                              const MeantSubjects& meant,
                              const std::vector<audit::AuditToken>& named) {
  if (!hears_honey(parts)) return;
  for (const SubjectInfo& subject : meant.subjects) {
    const auto kept = parts.subjects.tokens(subject.id);
    if (!kept) continue;
    std::vector<std::string> texts;
    for (const auto& token : *kept) texts.push_back(token.text);
    auto tokens = recorded_tokens(parts, who.tenant, texts);
    std::erase_if(tokens, [&](const audit::AuditToken& token) {
      return std::find(named.begin(), named.end(), token) != named.end();
    });
    watch_for_honey(parts, who, {}, tokens);
  }
}

}  // namespace paravent::proxy::admin
