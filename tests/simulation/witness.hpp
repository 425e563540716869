// The judge: looks at every write as a reader of the Secret would, keeps account of each operation,
// and knows by when something must have happened. It shares no code with Decide but the length of
// `before` (R23).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "reconcile/names.hpp"
#include "simulation/daemon.hpp"
#include "simulation/mail_witness.hpp"
#include "simulation/pair_view.hpp"

namespace certpair::sim {

class Witness {
 public:
  /// Watches `stage` from now on.
  explicit Witness(Stage& stage);

  /// The first rule that was broken, with time and system; empty: none.
  [[nodiscard]] const std::string& Violation() const { return violation_; }
  void Accuse(const std::string& key, const std::string& what);

  /// What is done to the system now keeps the operator from its duty for that long.
  void Excuse(const std::string& key, World::Delay duration);
  void ExcuseAll(World::Delay duration);
  /// The state of a system changed otherwise than by its Secret: looks at its deadlines anew.
  void LookAgain(const std::string& key);
  void LookAgainAtAll();
  /// The annotation that bounds issuances, or the clock, was tampered with.
  void ForgetBudget(const std::string& key) { accounts_[key].automatic.clear(); }
  void ForgetBudgets();
  /// The system is replaced by another of its name, which inherits what is asked of it.
  void Replaced(const std::string& key) {
    LoseReceipts(key);
    mail_.ForgetLedger(key);
    ForgetBudget(key);  // R27 counts for each system
  }
  /// The ledger of warnings was tampered with.
  void ForgetWarnings(const std::string& key) {
    accounts_[key].warned.clear();
    mail_.ForgetLedger(key);
  }
  /// The spec, or who is subscribed, is another.
  void SpecChanged(const std::string& key) { mail_.Changed(key); }
  void JudgeMail(const std::string& key) { mail_.Judge(key); }
  [[nodiscard]] const MailWitness::Counts& mail_counts() const { return mail_.counts(); }

  /// After quiet: spec, Secret and status of every system agree, and no operation is open.
  void JudgeQuiet();

  struct Counts {
    std::uint64_t operator_writes = 0;
    std::uint64_t effects = 0;        ///< of operations
    std::uint64_t automatic = 0;      ///< issuances
    std::uint64_t deadlines_met = 0;  ///< by a write, where nothing excused the operator
    std::uint64_t policies_judged = 0;
    std::uint64_t swaps_judged = 0;      ///< of these, automatic activations
    std::uint64_t rollbacks_judged = 0;  ///< and what came after a rollback
    std::uint64_t keystores_judged = 0;
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  struct OperationAccount {
    int effects = 0;
    bool lost = false;  // the receipt went with the Secret: it may be done again, or refused now
    bool finished = false;
    std::string outcome;
  };
  struct Account {
    World::Time excused_until{};
    std::uint64_t alarm = 0;
    std::optional<sys_seconds> due;  // what the alarm is set for
    std::vector<sys_seconds> automatic;
    std::map<std::string, OperationAccount> operations;
    std::map<std::string, int> warned;  // by fingerprint
    std::set<seconds> thresholds;       // ever asked for
  };

  void SecretChanged(const std::string& secret_key, const SecretPointer& before,
                     const SecretPointer& after, bool by_operator);
  void LoseReceipts(const std::string& key);
  void OperatorWrote(const std::string& key, const SecretPointer& before,
                     const SecretPointer& after);
  void JudgeOwnership(const std::string& key, const SecretPointer& before,
                      const SecretPointer& after);
  void JudgeKeystore(const std::string& key, const SecretObject& secret, const Pair& pair);
  void JudgeKeystoreInQuiet(const std::string& key, const reconcile::StoredSystem& system,
                            const SecretObject& secret, const Pair& pair);
  void JudgeEffect(const std::string& key, const core::Receipt& receipt, const Pair& before,
                   const Pair& after);
  void JudgeOrder(const std::string& key, const OperationPointer& operation);
  void JudgeAutomatic(const std::string& key, const SecretPointer& secret_before,
                      const Pair& before, const Pair& after);
  void JudgeSwap(const std::string& key, const reconcile::StoredSystem& system,
                 const SecretPointer& secret_before, const Pair& before);
  void JudgeSwapForFingerprintPeer(const std::string& key, const core::SystemSpec& spec,
                                   const Pair& before);
  void JudgeNewActive(const std::string& key, const reconcile::StoredSystem& system,
                      const SecretPointer& secret_before, const Pair& before, const Pair& after);
  void JudgeNewInactive(const std::string& key, const reconcile::StoredSystem& system,
                        const Pair& before, const Pair& after);
  void CountIssuance(const std::string& key, const reconcile::StoredSystem& system,
                     const core::Certificate* active);
  [[nodiscard]] bool IsHeldByBudget(const std::string& key) const;
  void Settled(const OperationPointer& operation, const core::OperationVerdict& verdict);
  void Told(const std::string& key, const core::EventNotice& event);
  void JudgeStatus(const std::string& key, const reconcile::StoredSystem& system);

  [[nodiscard]] Slot Look(const SecretObject* secret, const reconcile::SlotKeys& keys,
                          std::string_view system_name) const;
  [[nodiscard]] Pair LookAtPair(const SecretObject* secret, const std::string& key) const;
  [[nodiscard]] bool IsExcused(const std::string& key) const;
  [[nodiscard]] bool MayIssue(const reconcile::StoredSystem& system,
                              const core::Certificate* present) const;
  void Arm(const std::string& key);
  void Alarm(const std::string& key, std::uint64_t alarm);
  /// By when something must be otherwise than it is now, if nothing excuses it; and what.
  [[nodiscard]] std::optional<std::pair<sys_seconds, const char*>> Deadline(
      const std::string& key) const;

  Stage& stage_;
  std::string violation_;
  World::Time all_excused_until_{};
  std::unordered_map<std::string, Account> accounts_;
  Counts counts_;
  MailWitness mail_;
};

}  // namespace certpair::sim
