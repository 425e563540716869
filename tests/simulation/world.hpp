// An API server in memory, with the faults of a real one: what the real reconciler is put upon in
// virtual time. Typed, so that years pass quickly. Not thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reconcile/ports.hpp"
#include "simulation/channel.hpp"
#include "support/manual_clock.hpp"

namespace certpair::sim {

enum class Call {
  ReadSecret,
  ReadSystem,
  ReadOperation,
  CreateSecret,
  PatchSecret,
  WriteStatus,
  Settle,
  Tell
};
inline constexpr std::size_t kCalls = 8;

/// What befalls one call.
enum class Fault {
  None,
  Unreached,    ///< no connection: nothing happened
  LostAnswer,   ///< it happened, and nobody says so
  ServerError,  ///< 500
  Throttled,    ///< 429, come back in two seconds
  Quota,        ///< of a write to a Secret
  Conflict,     ///< of a write
  CrashBefore,  ///< the process dies before it
  CrashAfter    ///< and after it
};

/// What befalls one mail on its way to the mail server.
enum class MailFault {
  None,
  Delay,        ///< 450, or no connection
  CrashBefore,  ///< the process dies before the server has it
  CrashAfter    ///< and after: nobody here knows
};

/// Thrown out of a call: the process is dead.
struct Crash {};

struct SecretObject {
  reconcile::SecretMetadata metadata;
  std::string type = "kubernetes.io/tls";
  bool immutable = false;
  std::map<std::string, std::string, std::less<>> data;

  [[nodiscard]] std::string_view Data(std::string_view key) const;
  friend bool SameContent(const SecretObject& a, const SecretObject& b);
};
using SecretPointer = std::shared_ptr<const SecretObject>;
using SystemPointer = std::shared_ptr<const reconcile::StoredSystem>;
using OperationPointer = std::shared_ptr<const reconcile::StoredOperation>;

/// Who looks on, to judge. All are optional.
struct Onlookers {
  std::function<void(const std::string& key, const SecretPointer& before,
                     const SecretPointer& after, bool by_operator)>
      secret;
  std::function<void(const OperationPointer& operation, const core::OperationVerdict& verdict)>
      settled;
  std::function<void(const std::string& key, const core::EventNotice& event)> told;
  std::function<void(const std::string& key, const core::Notice& notice)> mailed;
  std::function<void(const std::string& key, const core::Notice& notice)> given_up;
};

class World final : public reconcile::View, public reconcile::Cluster {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Delay = std::chrono::milliseconds;
  static constexpr const char* kNamespace = "idm";

  World(test::ManualClock& clock, sys_seconds start) : clock_(clock), start_(start) {}

  // What the caches' news wakes; set by the operator of the day.
  std::function<void(const std::string& system_key, const std::string& resource_version)> wake;
  std::function<Fault(Call)> fault;
  std::function<Delay()> watch_delay;
  std::function<Delay()> collector_delay;
  /// As the admission plugin OwnerReferencesPermissionEnforcement does on OpenShift.
  bool forbids_changes_of_owners = false;
  /// As a mutating admission policy does that takes this label off every Secret. The watch, which
  /// selects by label, then does not show a Secret without app.kubernetes.io/managed-by.
  std::string strips_label;
  std::function<MailFault()> mail_fault;
  std::function<Delay()> mail_delay;
  Onlookers onlookers;

  // The side of people and of other controllers.
  std::string AddSystem(reconcile::StoredSystem system);  ///< answers its key
  void EditSystem(const std::string& key,
                  const std::function<void(reconcile::StoredSystem&)>& edit);
  /// `foreground`: the collector takes the Secret first, the system stays until then.
  void DeleteSystem(const std::string& key, bool foreground = false);
  std::string AddOperation(const std::string& system_name, core::OperationAction action,
                           const std::string& fingerprint, bool generated_name = true);
  void DeleteOperation(const std::string& key);
  void AddSecret(SecretObject secret);
  void EditSecret(const std::string& key, const std::function<void(SecretObject&)>& edit);
  void DeleteSecret(const std::string& key);
  void SetAuthority(reconcile::StoredAuthority authority);
  void RemoveAuthority(const std::string& name);
  /// Nothing: the caches do not know it.
  void SetNamespace(std::optional<reconcile::StoredNamespace> home);

  // What is really there.
  [[nodiscard]] SystemPointer LiveSystem(const std::string& key) const;
  [[nodiscard]] SecretPointer LiveSecretOf(const std::string& key) const;
  [[nodiscard]] OperationPointer LiveOperation(const std::string& key) const;
  [[nodiscard]] std::shared_ptr<const reconcile::StoredAuthority> LiveAuthority(
      const std::string& name) const;
  [[nodiscard]] const auto& LiveSystems() const { return systems_.AllLive(); }
  [[nodiscard]] const auto& LiveOperations() const { return operations_.AllLive(); }
  [[nodiscard]] const auto& LiveSecrets() const { return secrets_.AllLive(); }
  [[nodiscard]] bool IsUidAlive(const std::string& uid) const;

  // Time. The clock may be skewed; the world's own time is not.
  [[nodiscard]] sys_seconds TrueNow() const;
  [[nodiscard]] Time Now() const { return clock_.Steady(); }
  [[nodiscard]] test::ManualClock& clock() { return clock_; }
  void At(Time at, std::function<void()> action);
  void In(Delay delay, std::function<void()> action) { At(Now() + delay, std::move(action)); }
  /// Everything that is due: news, timers. Answers whether there was anything.
  bool Deliver();
  [[nodiscard]] std::optional<Time> NextEvent() const;
  /// A new process: its caches show what is there.
  void List();

  // The mail server.
  [[nodiscard]] static bool RefusesMailTo(const std::string& email) {
    return email.starts_with("refused");
  }
  void Accept(const std::string& key, const core::Notice& notice) {
    if (mails.size() < mails_kept) mails.push_back(notice);
    if (onlookers.mailed) onlookers.mailed(key, notice);
  }
  /// It put the mail off for so long that it is not tried any more.
  void GiveUp(const std::string& key, const core::Notice& notice) const {
    if (onlookers.given_up) onlookers.given_up(key, notice);
  }
  std::vector<core::Notice> mails;  ///< accepted, at most `mails_kept`
  std::size_t mails_kept = 1000;

  // Counting.
  [[nodiscard]] int Count(Call call) const { return counts_.at(static_cast<std::size_t>(call)); }
  [[nodiscard]] int Writes() const;
  [[nodiscard]] int Reads() const;
  void ResetCounts() { counts_.fill(0); }
  std::vector<core::EventNotice> events;  ///< told, at most 1,000
  std::size_t events_kept = 1000;

  // View.
  SystemPointer System(const std::string& key) const override { return systems_.Cached(key); }
  std::shared_ptr<const reconcile::SecretMetadata> Secret(const std::string& key) const override;
  std::vector<OperationPointer> OperationsOf(const std::string& system_key) const override;
  std::shared_ptr<const reconcile::StoredAuthority> Authority(
      const std::string& name) const override {
    return authorities_.Cached(name);
  }
  std::optional<reconcile::StoredNamespace> Namespace(const std::string&) const override {
    return home_;
  }
  std::shared_ptr<const reconcile::SecretMetadata> AuthoritySecret(
      const std::string&) const override {
    return nullptr;
  }

  // Cluster.
  kube::ApiResult<std::optional<reconcile::LiveSecret>> ReadSecret(
      const std::string& namespace_, const std::string& name) override;
  kube::ApiResult<std::optional<reconcile::StoredSystem>> ReadSystem(
      const std::string& namespace_, const std::string& name) override;
  kube::ApiResult<std::optional<reconcile::StoredOperation>> ReadOperation(
      const std::string& namespace_, const std::string& name) override;
  kube::ApiResult<reconcile::Written> CreateSecret(const reconcile::SecretDraft& draft) override;
  kube::ApiResult<reconcile::Written> PatchSecret(const reconcile::SecretDraft& draft) override;
  kube::ApiResult<std::optional<reconcile::Written>> WriteStatus(
      const reconcile::StoredSystem& before, const core::SystemStatus& after) override;
  kube::ApiResult<std::optional<reconcile::Written>> WriteStatus(const reconcile::StoredAuthority&,
                                                                 const core::AuthorityStatus&,
                                                                 const std::string&) override;
  kube::ApiResult<void> Settle(const reconcile::StoredOperation& operation,
                               const core::OperationVerdict& verdict, sys_seconds now) override;
  void Tell(const core::SystemIdentity& system, const core::EventNotice& event) override;
  void Tell(const core::AuthorityIdentity&, const core::AuthorityEvent&) override {}

 private:
  template <class T, class Effect>
  kube::ApiResult<T> Perform(Call call, Effect effect);
  std::string NextVersion() { return std::to_string(++version_); }
  std::string NextUid(const char* prefix) { return prefix + std::to_string(++uids_); }
  [[nodiscard]] Time News() const { return Now() + (watch_delay ? watch_delay() : Delay{0}); }
  void PutSecret(const std::string& key, std::shared_ptr<SecretObject> secret, bool by_operator);
  void PutSystem(const std::string& key, std::shared_ptr<reconcile::StoredSystem> system);
  void CollectSoon(const std::string& secret_key);
  void Collect(const std::string& secret_key);
  void OperationNews(const std::string& key, const OperationPointer& before,
                     const OperationPointer& after);
  void IndexOperations();
  void WakeAll();

  test::ManualClock& clock_;
  const sys_seconds start_;
  std::uint64_t version_ = 1000;
  std::uint64_t uids_ = 0;
  Channel<reconcile::StoredSystem> systems_;
  Channel<SecretObject> secrets_;
  Channel<reconcile::StoredOperation> operations_;
  Channel<reconcile::StoredAuthority> authorities_;
  std::unordered_map<std::string, std::vector<OperationPointer>> operations_of_;  // cached
  std::unordered_map<std::string, std::string> alive_;                            // uid to key
  std::optional<reconcile::StoredNamespace> home_ = reconcile::StoredNamespace{};
  std::multimap<Time, std::function<void()>> timers_;
  std::array<int, kCalls> counts_{};
};

}  // namespace certpair::sim
