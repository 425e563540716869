#include "core/correspondence.hpp"

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "core/delivery.hpp"
#include "core/ledger.hpp"
#include "core/occasions.hpp"
#include "core/reasons.hpp"

namespace certpair::core {
namespace {

constexpr std::size_t kMostRecipients = 50;               // R11
constexpr seconds kPostAgain = std::chrono::minutes{10};  // a system that finds no room is woken

// One mail that is true now.
struct Wanted {
  const Occasion* occasion = nullptr;
  const Subscriber* recipient = nullptr;
};
using WantedById = std::unordered_map<std::string, Wanted>;

// Enters what is due, and answers everything that is true now.
WantedById Intend(const View& view, const std::vector<Occasion>& occasions,
                  const std::vector<const Subscriber*>& recipients, MailBook& book) {
  WantedById wanted;
  for (const Occasion& occasion : occasions) {
    const std::string& fingerprint = occasion.about->fingerprint;
    const NoticeIds ids(view.o.identity.uid, fingerprint);
    for (const Subscriber* recipient : recipients) {
      std::string id = ids.Of(occasion.threshold, recipient->email);
      if (!occasion.owed_only) book.Intend(fingerprint, occasion.threshold, id);
      wanted.emplace(std::move(id), Wanted{&occasion, recipient});
    }
  }
  return wanted;
}

// R17: subscribers are told also where the certificate is not in use.
std::string RemarkOnUse(const View& view) {
  if (view.o.spec.authentication == reason::kClientCertificate) return "";
  return fmt::format(" The system does not authenticate with it now: spec.authentication is {}.",
                     view.o.spec.authentication);
}

std::string Advise(const View& view, const Outcome& automatic, NoticeKind kind) {
  switch (kind) {
    case NoticeKind::Renewed:
      return view.by_fingerprint
                 ? "The peer matches by fingerprint: make sure that it knows the new certificate."
                 : "The peer matches by subject and issuer: no action is needed.";
    case NoticeKind::Failing:
      return "Once this is fixed, a new certificate is issued automatically.";
    case NoticeKind::Expiring:
    case NoticeKind::Expired:
    case NoticeKind::Held:
      break;
  }
  return WhatToDo(view, automatic);
}

Notice Write(const View& view, const Outcome& automatic, const Wanted& wanted,
             const std::string& id) {
  const NoticeKind kind = wanted.occasion->kind;
  const Observation& o = view.o;
  Notice notice;
  notice.kind = kind;
  notice.id = id;
  notice.threshold = wanted.occasion->threshold;
  notice.recipient = *wanted.recipient;
  notice.system_namespace = o.identity.namespace_;
  notice.system_name = o.identity.name;
  notice.system_uid = o.identity.uid;
  notice.display_name = o.spec.display_name;
  notice.type = o.spec.type;
  notice.peer_matching = o.spec.peer_matching;
  notice.regeneration_enabled = view.regenerating;
  notice.active = *view.active;
  if (view.inactive) notice.inactive = *view.inactive;
  if (kind == NoticeKind::Failing) notice.why = WhatToDo(view, automatic);
  notice.what_to_do = Advise(view, automatic, kind) + RemarkOnUse(view);
  notice.decided_at = o.now;
  return notice;
}

// A mail with the certificate attached needs the certificate.
bool LacksPem(const Occasion& occasion) {
  const bool attached = occasion.kind == NoticeKind::Renewed || occasion.kind == NoticeKind::Held;
  return attached && occasion.about->pem.empty();
}

// What is due and still true is posted while there is room. What is no longer true is taken back.
void Dispatch(const View& view, const Outcome& automatic, const WantedById& wanted, MailBook& book,
              Correspondence& mail) {
  const auto& ids = view.o.mail.under_way;
  const std::unordered_set<std::string> under_way(ids.begin(), ids.end());
  std::vector<std::string> void_ids;
  for (const std::string& id : ids) {
    if (book.Find(id) == nullptr) mail.withdrawn.push_back(id);  // it went with its certificate
  }
  for (const MailEntry* entry : book.Entries()) {
    if (entry->state != MailState::Due) continue;
    const bool waits = under_way.contains(entry->id);
    const auto still = wanted.find(entry->id);
    if (still == wanted.end()) {
      (waits ? mail.withdrawn : void_ids).emplace_back(entry->id);
    } else if (waits) {
      continue;
    } else if (mail.notices.size() == view.o.mail.room) {
      mail.again = view.o.now + kPostAgain;
    } else if (LacksPem(*still->second.occasion)) {
      mail.lacks_attachment = true;
      mail.again = view.o.now + kPostAgain;
    } else {
      mail.notices.push_back(Write(view, automatic, still->second, still->first));
    }
  }
  for (const std::string& id : void_ids) book.Erase(id);
}

}  // namespace

std::vector<const Subscriber*> Recipients(const SystemSpec& spec) {
  std::vector<const Subscriber*> recipients;
  std::unordered_set<std::string> seen;
  for (const Subscriber& subscriber : spec.subscribers) {
    if (recipients.size() == kMostRecipients) break;
    if (seen.insert(FoldAddress(subscriber.email)).second) recipients.push_back(&subscriber);
  }
  return recipients;
}

Correspondence Correspond(const View& view, const Outcome& automatic) {
  Correspondence mail;
  mail.ledger = Prune(view.o.status.ledger, view.active, view.inactive);
  MailBook book(std::move(mail.ledger.entries));
  const auto recipients = Recipients(view.o.spec);
  WantedById wanted;
  if (view.o.installation.mail_configured) {
    const auto occasions = Occasions(view, automatic);
    wanted = Intend(view, occasions, recipients, book);
    Settle(view, recipients, book, mail.events);
    Dispatch(view, automatic, wanted, book, mail);
  }
  NoteReplies(view, recipients, book, mail.ledger);
  mail.delivered = SayDelivered(view, recipients, book, mail.ledger);
  book.Close(mail.ledger, view.active, view.inactive, view.o.now,
             [&](std::string_view id) { return wanted.contains(std::string{id}); });
  return mail;
}

}  // namespace certpair::core
