// A pass and the postbox: what is under way, what is taken back, and what is posted.
#include <chrono>
#include <utility>

#include "core/ledger.hpp"
#include "reconcile/system_look.hpp"

namespace certpair::reconcile {
namespace {

// Until a cache shows what was read live.
constexpr std::chrono::seconds kLookAgain{5};

}  // namespace

// In this order: what is not under way any more has left its outcome.
void SystemReconciler::ObserveMail(const std::string& key, Look& look) const {
  if (postbox_ == nullptr) return;
  core::MailView& mail = look.seen.mail;
  mail = {};
  for (std::string& id : core::DueNotices(look.system.status.ledger))
    if (postbox_->IsUnderWay(id)) mail.under_way.push_back(std::move(id));
  mail.outcomes = postbox_->Outcomes(key);
  if (!look.system.spec.subscribers.empty()) mail.room = postbox_->Room(key);
}

// Takes back what nobody wants any more, and decides without it.
void SystemReconciler::TakeBack(const std::string& key, Look& look) const {
  if (postbox_ == nullptr || look.decided.withdrawn.empty()) return;
  postbox_->Withdraw(key, look.decided.withdrawn);
  ObserveMail(key, look);
  look.decided = core::Decide(look.seen);
}

// And reads the certificate that a mail is to bring.
SystemReconciler::ReadResult SystemReconciler::DecideOnMail(const std::string& key, Look& look,
                                                            Memory& memory) {
  TakeBack(key, look);
  if (postbox_ == nullptr || !look.decided.needs_secret || look.was_read) return {};
  if (auto read = Observe(key, look, memory, true); !read) return read;
  look.decided = core::Decide(look.seen);
  return {};
}

// What is due stands in the ledger before it is posted, and outcomes in it before they are let go.
// A ledger that this process did not write is read live: a leader before us may have sent what our
// cache shows as due.
std::optional<PassResult> SystemReconciler::Post(const std::string& key, Look& look,
                                                 const Memory& memory) {
  if (postbox_ == nullptr) return std::nullopt;
  if (!look.seen.mail.outcomes.empty()) {
    postbox_->Acknowledge(key, look.seen.mail.outcomes);
    for (const core::NoticeOutcome& outcome : look.seen.mail.outcomes)
      if (observer_.notified) observer_.notified(outcome.kind);
  }
  if (look.decided.notices.empty()) return std::nullopt;
  if (!memory.wrote_status) {
    const auto live =
        cluster_.ReadSystem(look.system.identity.namespace_, look.system.identity.name);
    if (!live) return FailedBy(live.error());
    if (!*live || (*live)->resource_version != look.resource_version)
      return PassResult{.kind = PassResult::Kind::Waiting, .wake_at = look.seen.now + kLookAgain};
  }
  for (core::Notice& notice : look.decided.notices) postbox_->Post(key, std::move(notice));
  return std::nullopt;
}

}  // namespace certpair::reconcile
