// The judge of mails (R10, R11): each must be true when the mail server takes it, stand in the
// ledger as due before, come once, and come at all. It shares no code with Decide but the length of
// `before` and of a life.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include "simulation/daemon.hpp"
#include "simulation/pair_view.hpp"

namespace certpair::sim {

/// What the judge of mails asks the judge of everything else.
struct Court {
  std::function<void(const std::string& key, const std::string& what)> accuse;
  /// Until when something keeps, or kept, the operator from its duty.
  std::function<World::Time(const std::string& key)> excused_until;
  std::function<Pair(const std::string& key)> look;  ///< at what is in the Secret
};

class MailWitness {
 public:
  MailWitness(Stage& stage, Court court) : stage_(stage), court_(std::move(court)) {}

  void Mailed(const std::string& key, const core::Notice& notice);
  /// The mail server put it off until nobody tried any more: nobody has to have it.
  void GivenUp(const std::string& key, const core::Notice& notice);
  /// The operator made `fingerprint` the active certificate by itself. `for_sure`: in the place of
  /// one that was intact, so subscribers must be told.
  void Renewed(const std::string& key, const std::string& fingerprint, bool for_sure);
  /// Secret, spec or subscribers are others than before.
  void Changed(const std::string& key);
  /// The ledger was tampered with, or is another system's.
  void ForgetLedger(const std::string& key);
  /// Who must have been told by now was told.
  void Judge(const std::string& key);

  struct Counts {
    std::uint64_t mails = 0;
    std::uint64_t repeated = 0;  ///< by a crash, with the same Message-ID
    std::uint64_t judged = 0;    ///< recipients of whom it was asked whether they had theirs
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct Got {
    std::string id;
    std::uint64_t process = 0;
    int edits = 0;  // of the ledger, by hand
  };
  struct Expected {
    std::string fingerprint;
    World::Time since{};
    std::set<std::string> recipients;
  };
  struct Account {
    std::map<std::string, Got> got;                 // by system, certificate, threshold, recipient
    std::map<std::string, World::Time> subscribed;  // since when
    std::map<std::string, World::Time> unsubscribed;
    std::set<std::string> given_up;  // as in `got`
    std::set<std::string> renewed;
    std::vector<Expected> expected;
    World::Time changed_at{};
    World::Time edited_at{};
    int edits = 0;
  };

  void JudgeOnce(const std::string& key, const core::Notice& notice, Account& account);
  void JudgeLedger(const std::string& key, const core::Notice& notice, const Account& account);
  void JudgeTruth(const std::string& key, const core::Notice& notice, const Account& account);
  void JudgeUrgency(const std::string& key, const core::Notice& notice,
                    const reconcile::StoredSystem& system, const core::Certificate& active);
  void Expect(const std::string& key, const Account& account, const std::string& uid,
              const std::string& fingerprint, const std::string& threshold,
              const std::string& email);

  Stage& stage_;
  const Court court_;
  std::unordered_map<std::string, Account> accounts_;
  std::unordered_map<std::string, std::string> ids_;  // what each Message-ID stands for
  Counts counts_;
};

}  // namespace certpair::sim
