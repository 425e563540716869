// A system whose mails are delivered at once, or as a test has it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "unit/core/builders.hpp"

namespace certpair::core::testing {

/// Passes over one observation, and what its subscribers got.
class Correspondent {
 public:
  explicit Correspondent(Observation observation) : o(std::move(observation)) {
    o.installation.mail_configured = true;
    o.mail.room = 1000;
  }

  /// A pass: what is posted arrives, and a second pass enters that. `Expiring 720h to anna`, one
  /// for each mail.
  std::vector<std::string> PassAt(sys_seconds now) {
    o.now = now;
    last = RunPass(o, signer).last;
    std::vector<std::string> got;
    for (const Notice& notice : last.notices) got.push_back(Describe(notice));
    Deliver(last.notices);
    return got;
  }
  /// All of `notices` are sent, and the ledger says so.
  void Deliver(const std::vector<Notice>& notices,
               NoticeOutcome::Kind kind = NoticeOutcome::Kind::Sent, std::string words = "") {
    for (const Notice& notice : notices) o.mail.outcomes.push_back({kind, notice.id, words, o.now});
    after = RunPass(o, signer).last;
    o.mail.outcomes.clear();
  }
  /// Nothing but a look: what would be posted, and the status as it would be.
  Decision LookAt(sys_seconds now) {
    o.now = now;
    return Decide(o);
  }
  void Subscribe(const std::string& name) {
    o.spec.subscribers.push_back({name, name + "@example.com"});
  }
  void Unsubscribe(const std::string& name) {
    std::erase_if(o.spec.subscribers, [&](const Subscriber& s) { return s.display_name == name; });
  }

  static std::string Describe(const Notice& notice) {
    constexpr const char* kKinds[] = {"Expiring", "Expired", "Failing", "Held", "Renewed"};
    return fmt::format("{} {} to {}", kKinds[static_cast<int>(notice.kind)], notice.threshold,
                       notice.recipient.display_name);
  }

  Observation o;
  Signer signer;
  Decision last;   ///< of the last pass
  Decision after;  ///< and of the one that entered what became of its mails
};

}  // namespace certpair::core::testing
