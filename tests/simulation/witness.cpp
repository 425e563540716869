#include "simulation/witness.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "core/schedule.hpp"
#include "reconcile/names.hpp"
#include "reconcile/objects.hpp"
#include "reconcile/secret_reading.hpp"
#include "simulation/specimens.hpp"
#include "simulation/trace.hpp"

namespace certpair::sim {
namespace {

using core::OperationAction;
using reconcile::StoredSystem;
using std::chrono::hours;
using std::chrono::minutes;

// Back-off (5 min at most), a slow key and a slow watch.
constexpr minutes kGrace{20};

// Times are rounded on their way.
constexpr minutes kSlack{1};

constexpr std::string_view kSuffix = "-outbound";

std::string_view NameOf(std::string_view key) { return key.substr(key.find('/') + 1); }

bool IsCommonName(std::string_view subject, std::string_view name) {
  constexpr std::string_view kCommonName = "CN=";
  return subject.starts_with(kCommonName) && subject.substr(kCommonName.size()) == name;
}

std::optional<core::Receipt> ReceiptIn(const SecretObject* secret) {
  if (secret == nullptr) return std::nullopt;
  return core::ParseReceipt(secret->metadata.Annotation(reconcile::kReceiptAnnotation));
}

std::string SystemOf(const std::string& secret_key) {
  return secret_key.substr(0, secret_key.size() - kSuffix.size());
}

bool IsNewer(const core::Certificate& one, const core::Certificate& other) {
  return std::tie(one.not_before, one.not_after) > std::tie(other.not_before, other.not_after);
}

// R6: a person activated the older one, and nothing changed since.
bool IsRolledBack(const std::optional<core::Receipt>& receipt, const Pair& pair) {
  const core::Certificate* active = pair.active.certificate;
  const core::Certificate* inactive = pair.inactive.certificate;
  if (!receipt || active == nullptr || inactive == nullptr) return false;
  return receipt->action == OperationAction::Activate &&
         receipt->fingerprint == active->fingerprint &&
         receipt->replaced == inactive->fingerprint && IsNewer(*inactive, *active);
}

// R6: until then a regeneration waits after a rollback.
sys_seconds EndOfRollback(const core::SystemSpec& spec, const core::Certificate& active) {
  return active.not_after - core::EffectiveBefore(spec, &active) / 4;
}

// R15. Its life is counted from its backdated beginning, which is in favour of the operator.
seconds LongestLead(const core::Certificate& active) {
  return std::min<seconds>(minutes{5}, (active.not_after - active.not_before) / 20);
}

bool WasHeld(const StoredSystem& system) {
  const core::Condition* told = system.status.Find("AutomaticRegeneration");
  return told != nullptr && told->reason == "WaitingForActivation";
}

}  // namespace

Witness::Witness(Stage& stage)
    : stage_(stage),
      mail_(
          stage,
          {.accuse = [this](const std::string& key, const std::string& what) { Accuse(key, what); },
           .excused_until =
               [this](const std::string& key) {
                 return std::max(all_excused_until_, accounts_[key].excused_until);
               },
           .look =
               [this](const std::string& key) {
                 return LookAtPair(stage_.world.LiveSecretOf(key + "-outbound").get(), key);
               }}) {
  stage.world.onlookers = {
      .secret = [this](const std::string& key, const SecretPointer& before,
                       const SecretPointer& after,
                       bool by_operator) { SecretChanged(key, before, after, by_operator); },
      .settled = [this](const OperationPointer& operation,
                        const core::OperationVerdict& verdict) { Settled(operation, verdict); },
      .told = [this](const std::string& key, const core::EventNotice& event) { Told(key, event); },
      .mailed = [this](const std::string& key,
                       const core::Notice& notice) { mail_.Mailed(key, notice); },
      .given_up = [this](const std::string& key,
                         const core::Notice& notice) { mail_.GivenUp(key, notice); }};
}

void Witness::Accuse(const std::string& key, const std::string& what) {
  if (!violation_.empty()) return;
  violation_ = fmt::format("{} {}: {}", FormatTime(stage_.world.TrueNow()), key, what);
}

void Witness::Excuse(const std::string& key, World::Delay duration) {
  Account& account = accounts_[key];
  account.excused_until = std::max(account.excused_until, stage_.world.Now() + duration);
  Arm(key);
}

void Witness::ExcuseAll(World::Delay duration) {
  all_excused_until_ = std::max(all_excused_until_, stage_.world.Now() + duration);
}

void Witness::LookAgain(const std::string& key) { Arm(key); }

void Witness::LookAgainAtAll() {
  for (const auto& [key, system] : stage_.world.LiveSystems()) Arm(key);
}

void Witness::ForgetBudgets() {
  for (auto& [key, account] : accounts_) account.automatic.clear();
}

bool Witness::IsExcused(const std::string& key) const {
  const auto now = stage_.world.Now();
  const auto found = accounts_.find(key);
  return now < all_excused_until_ ||
         (found != accounts_.end() && now < found->second.excused_until);
}

Slot Witness::Look(const SecretObject* secret, const reconcile::SlotKeys& keys,
                   std::string_view system_name) const {
  Slot slot;
  if (secret == nullptr) return slot;
  slot.bytes = {secret->Data(keys.certificate), secret->Data(keys.key),
                secret->Data(keys.authority)};
  if (slot.IsEmpty()) return slot;
  const core::Certificate* certificate =
      stage_.mint.Intact(slot.bytes[0], slot.bytes[1], slot.bytes[2]);
  if (certificate != nullptr && IsCommonName(certificate->subject, system_name) &&
      IsCommonName(certificate->issuer, kAuthority))
    slot.certificate = certificate;
  return slot;
}

Pair Witness::LookAtPair(const SecretObject* secret, const std::string& key) const {
  const std::string_view name = NameOf(key);
  Pair pair{Look(secret, reconcile::kActiveKeys, name),
            Look(secret, reconcile::kInactiveKeys, name)};
  if (pair.active.certificate != nullptr && pair.active.certificate == pair.inactive.certificate)
    pair.inactive.certificate = nullptr;
  return pair;
}

void Witness::SecretChanged(const std::string& secret_key, const SecretPointer& before,
                            const SecretPointer& after, bool by_operator) {
  if (!secret_key.ends_with(kSuffix)) return;  // a password
  const std::string key = SystemOf(secret_key);
  mail_.Changed(key);
  if (!after) {
    // With the Secret went the receipts: what is open may be done again. Of the issuances the
    // status remembers as many as it was told.
    auto& issuances = accounts_[key].automatic;
    const auto system = stage_.world.LiveSystem(key);
    const std::size_t known = system ? system->status.automatic_issuances.size() : 0;
    if (issuances.size() > known)
      issuances.erase(issuances.begin(), issuances.end() - static_cast<std::ptrdiff_t>(known));
    LoseReceipts(key);
  }
  if (IsTracing())
    Trace(stage_.world.TrueNow(), key, "Secret by {}: {} became {} {}",
          by_operator ? "the operator" : "others", LookAtPair(before.get(), key).Describe(),
          LookAtPair(after.get(), key).Describe(),
          after ? after->metadata.Annotation(reconcile::kReceiptAnnotation) : "");
  if (by_operator) {
    const auto due = accounts_[key].due;
    if (due && !IsExcused(key) && *due <= stage_.world.TrueNow() + hours{24})
      ++counts_.deadlines_met;
    OperatorWrote(key, before, after);
  }
  Arm(key);
}

void Witness::LoseReceipts(const std::string& key) {
  for (auto& [uid, operation] : accounts_[key].operations)
    operation.lost = !operation.finished && operation.effects > 0;
}

// R5, as whoever reads the Secret sees it.
void Witness::OperatorWrote(const std::string& key, const SecretPointer& before,
                            const SecretPointer& after) {
  ++counts_.operator_writes;
  JudgeOwnership(key, before, after);
  const Pair was = LookAtPair(before.get(), key);
  const Pair is = LookAtPair(after.get(), key);
  const bool damaged_before = before && was.active.certificate == nullptr;
  if (is.active.certificate == nullptr && !(damaged_before && is.active.bytes == was.active.bytes))
    Accuse(key, "the active slot that was written is not intact (R5)");
  if (!is.inactive.IsEmpty() && is.inactive.certificate == nullptr &&
      is.inactive.bytes != was.inactive.bytes)
    Accuse(key, "the inactive slot that was written is not intact (R5)");
  JudgeKeystore(key, *after, is);
  const auto receipt_before = ReceiptIn(before.get());
  const auto receipt = ReceiptIn(after.get());
  if (receipt && receipt != receipt_before)
    JudgeEffect(key, *receipt, was, is);
  else
    JudgeAutomatic(key, before, was, is);
}

// R13: what the operator writes holds no key store of a certificate that is not in the pair.
void Witness::JudgeKeystore(const std::string& key, const SecretObject& secret, const Pair& pair) {
  if (secret.metadata.Annotation(reconcile::kKeystoreAnnotation).empty()) return;
  ++counts_.keystores_judged;
  const std::string_view bytes = secret.Data(reconcile::kKeystoreKey);
  const auto is_of = [&](const Slot& slot) {
    return slot.certificate != nullptr && bytes.starts_with(Mint::KeystorePrefix(slot.bytes[0]));
  };
  if (!is_of(pair.active) && !is_of(pair.inactive) && pair.active.certificate != nullptr)
    Accuse(key, "keystore.p12 holds no certificate of the pair (R13)");
}

// R13: where its password is there, the key store is the active certificate's, and opens with it.
void Witness::JudgeKeystoreInQuiet(const std::string& key, const StoredSystem& system,
                                   const SecretObject& secret, const Pair& pair) {
  const auto& wanted = system.spec.secret.pkcs12;
  const bool ours = !secret.metadata.Annotation(reconcile::kKeystoreAnnotation).empty();
  const core::Condition* told = system.status.Find("KeystoreWritten");
  if (!wanted) {
    if (ours || told != nullptr) Accuse(key, "a key store that nobody wants any more (R13)");
    return;
  }
  const auto holder =
      stage_.world.LiveSecretOf(reconcile::ObjectKey(World::kNamespace, wanted->name));
  const std::string password{holder ? holder->Data(wanted->key) : std::string_view{}};
  const bool usable = !password.empty() && password.find('\n') == std::string::npos;
  const std::string_view bytes = secret.Data(reconcile::kKeystoreKey);
  const std::string prefix = Mint::KeystorePrefix(pair.active.bytes[0]);
  ++counts_.keystores_judged;
  if (usable && bytes != prefix + password)
    Accuse(key, fmt::format("keystore.p12 is \"{}\", not \"{}\" (R13)", bytes, prefix + password));
  const bool current = ours && bytes.starts_with(prefix);
  if (told == nullptr || (told->status == core::ConditionStatus::True) != current)
    Accuse(key, fmt::format("KeystoreWritten is {} ({}), and keystore.p12 is \"{}\"",
                            told ? core::ToString(told->status) : "absent",
                            told ? told->reason : "", bytes));
}

// R20.
void Witness::JudgeOwnership(const std::string& key, const SecretPointer& before,
                             const SecretPointer& after) {
  if (!before) return;
  if (before->immutable) Accuse(key, "an immutable Secret was written");
  const auto& was = before->metadata;
  const auto annotation = was.Annotation(reconcile::kSystemUidAnnotation);
  if (annotation == after->metadata.Annotation(reconcile::kSystemUidAnnotation)) return;
  const bool owned = std::ranges::any_of(
      was.owners, [](const auto& owner) { return owner.kind == "ProvisioningSystem"; });
  if (annotation.empty() || owned || was.Label(reconcile::kSystemLabel) != NameOf(key))
    Accuse(key, "a Secret that is not the system's was written (R20)");
  if (LookAtPair(before.get(), key).active.certificate == nullptr)
    Accuse(key, "a Secret without an intact certificate was adopted (R20)");
  const auto owned_after = std::ranges::any_of(
      after->metadata.owners, [](const auto& owner) { return owner.kind == "ProvisioningSystem"; });
  if (owned_after) Accuse(key, "a retained Secret was adopted to go with its system (R20)");
}

// Exactly once, and exactly what was asked for.
void Witness::JudgeEffect(const std::string& key, const core::Receipt& receipt, const Pair& before,
                          const Pair& after) {
  ++counts_.effects;
  OperationAccount& account = accounts_[key].operations[receipt.operation_uid];
  if (account.effects > 0 && !account.lost)
    Accuse(key, "operation " + receipt.operation_uid + " was done twice");
  account.effects = 1;
  account.lost = false;
  if (account.finished)
    Accuse(key, "operation " + receipt.operation_uid + " was done after it had ended");
  account.outcome = receipt.fingerprint;
  const auto* made_active = after.active.NewSince(before);
  const auto* made_inactive = after.inactive.NewSince(before);
  const auto is_of = [&](const core::Certificate* certificate) {
    return certificate != nullptr && certificate->fingerprint == receipt.fingerprint;
  };
  bool right = false;
  switch (receipt.action) {
    case OperationAction::Generate:
      right = before.active.certificate == nullptr
                  ? is_of(made_active) && made_inactive == nullptr && after.KeepsInactive(before)
                  : after.active == before.active && before.inactive.certificate == nullptr &&
                        is_of(made_inactive);
      break;
    case OperationAction::Activate:
      right = after.IsSwapOf(before) && is_of(after.active.certificate);
      break;
    case OperationAction::Delete:
      right = after.active == before.active && after.inactive.IsEmpty() &&
              is_of(before.inactive.certificate);
      break;
  }
  if (!right)
    Accuse(key,
           fmt::format("operation {} ({}) had another effect: {} became {}", receipt.operation_uid,
                       core::ToString(receipt.action), before.Describe(), after.Describe()));
  for (const auto& [operation_key, operation] : stage_.world.LiveOperations())
    if (operation->operation.uid == receipt.operation_uid) JudgeOrder(key, operation);
}

void Witness::JudgeOrder(const std::string& key, const OperationPointer& operation) {
  for (const auto& [other_key, other] : stage_.world.LiveOperations()) {
    const bool older = other->system == operation->system && !other->operation.finished &&
                       reconcile::CreatedBefore(*other, *operation);
    if (older)
      Accuse(key, fmt::format("operation {} overtook {}", operation->operation.name,
                              other->operation.name));
  }
}

void Witness::JudgeAutomatic(const std::string& key, const SecretPointer& secret_before,
                             const Pair& before, const Pair& after) {
  const bool relabelled = secret_before && before == after;
  const auto system = stage_.world.LiveSystem(key);
  if (const auto receipt = ReceiptIn(secret_before.get()); receipt && !relabelled) {
    for (const auto& [operation_key, operation] : stage_.world.LiveOperations())
      if (operation->operation.uid == receipt->operation_uid && !operation->operation.finished)
        Accuse(key, "the Secret changed before the end of " + operation->operation.name +
                        " was durable");
  }
  if (relabelled || !system) return;
  const core::Certificate* successor = after.active.certificate;
  if (successor != nullptr && successor != before.active.certificate)
    mail_.Renewed(key, successor->fingerprint, before.active.certificate != nullptr);
  if (after.active.NewSince(before) != nullptr) {
    CountIssuance(key, *system, before.active.certificate);
    return JudgeNewActive(key, *system, secret_before, before, after);
  }
  if (after.active == before.active && after.inactive.NewSince(before) != nullptr) {
    CountIssuance(key, *system, before.active.certificate);
    return JudgeNewInactive(key, *system, before, after);
  }
  if (!after.IsSwapOf(before))
    return Accuse(key, fmt::format("an automatic change that no rule explains: {} became {}",
                                   before.Describe(), after.Describe()));
  JudgeSwap(key, *system, secret_before, before);
}

void Witness::JudgeSwap(const std::string& key, const StoredSystem& system,
                        const SecretPointer& secret_before, const Pair& before) {
  if (IsExcused(key)) return;
  ++counts_.policies_judged;
  ++counts_.swaps_judged;
  const core::SystemSpec& spec = system.spec;
  if (!spec.regeneration_enabled)
    Accuse(key, "a certificate was activated by itself though regeneration is OFF (R7)");
  if (spec.peer_matching == core::PeerMatching::Fingerprint)
    return JudgeSwapForFingerprintPeer(key, spec, before);
  // Held until now, for a peer that matched by fingerprint (R15).
  if (WasHeld(system)) return;
  const bool rolled_back = IsRolledBack(ReceiptIn(secret_before.get()), before);
  if (!rolled_back)
    Accuse(key, "a certificate was activated by itself that was neither held nor gone back from");
  else if (stage_.world.TrueNow() + kSlack < EndOfRollback(spec, *before.active.certificate))
    Accuse(key, "a rollback was undone before the last quarter of the window (R6)");
}

// R15. Of a damaged one nothing is left to wait for.
void Witness::JudgeSwapForFingerprintPeer(const std::string& key, const core::SystemSpec& spec,
                                          const Pair& before) {
  const core::Certificate* active = before.active.certificate;
  if (active == nullptr) return;
  if (spec.at_expiry == core::AtExpiry::Hold)
    Accuse(key, "a held certificate was activated by itself in spite of Hold (R15)");
  if (stage_.world.TrueNow() + kSlack < active->not_after - LongestLead(*active))
    Accuse(key, "a held certificate was activated by itself before the lead time (R15)");
}

void Witness::JudgeNewActive(const std::string& key, const StoredSystem& system,
                             const SecretPointer& secret_before, const Pair& before,
                             const Pair& after) {
  const core::SystemSpec& spec = system.spec;
  const core::Certificate* old = before.active.certificate;
  const bool keeps = old != nullptr ? after.inactive == before.active : after.KeepsInactive(before);
  if (!keeps)
    Accuse(key, fmt::format("a regeneration left something else beside the new certificate: {} "
                            "became {} (R6)",
                            before.Describe(), after.Describe()));
  if (IsExcused(key)) return;
  ++counts_.policies_judged;
  const sys_seconds now = stage_.world.TrueNow();
  if (old == nullptr) {
    const bool first = before.active.IsEmpty() && before.inactive.IsEmpty();
    if (!first && !spec.regeneration_enabled)
      Accuse(key, "a damaged certificate was replaced though regeneration is OFF");
    return;
  }
  if (!spec.regeneration_enabled) Accuse(key, "a regeneration though it is OFF (R7)");
  if (spec.peer_matching == core::PeerMatching::Fingerprint && now < old->not_after)
    Accuse(key, "a regeneration at a peer that matches by fingerprint (R15)");
  if (now + kSlack < old->not_after - core::EffectiveBefore(spec, old))
    Accuse(key, "a regeneration before its window (R6)");
  if (IsRolledBack(ReceiptIn(secret_before.get()), before)) {
    ++counts_.rollbacks_judged;
    if (now + kSlack < EndOfRollback(spec, *old))
      Accuse(key, "a regeneration after a rollback, before the last quarter of the window (R6)");
  }
  if (after.active.certificate->not_after < old->not_after + spec.validity / 10)
    Accuse(key, "a regeneration that wins too little (R22)");
}

// R15: made for a peer that matches by fingerprint, and never in place of one that it may know.
void Witness::JudgeNewInactive(const std::string& key, const StoredSystem& system,
                               const Pair& before, const Pair&) {
  if (IsExcused(key)) return;
  ++counts_.policies_judged;
  const core::SystemSpec& spec = system.spec;
  if (!spec.regeneration_enabled || spec.peer_matching != core::PeerMatching::Fingerprint)
    Accuse(key, "an inactive certificate was made by itself for a peer that needs none (R15)");
  const core::Certificate* held = before.inactive.certificate;
  const core::Certificate* active = before.active.certificate;
  if (held == nullptr || active == nullptr || held->not_after <= active->not_after) return;
  const sys_seconds now = stage_.world.TrueNow();
  if (now >= held->not_before && now + kSlack < held->not_after - core::EffectiveBefore(spec, held))
    Accuse(key, "a valid newer inactive certificate was discarded (R15)");
}

// R27.
void Witness::CountIssuance(const std::string& key, const StoredSystem& system,
                            const core::Certificate* active) {
  ++counts_.automatic;
  auto& issuances = accounts_[key].automatic;
  const auto now = stage_.world.TrueNow();
  const auto before = core::EffectiveBefore(system.spec, active);
  std::erase_if(issuances, [&](sys_seconds at) { return at + before <= now; });
  issuances.push_back(now);
  if (issuances.size() > 6) Accuse(key, "more than six automatic issuances in one window (R27)");
}

void Witness::Settled(const OperationPointer& operation, const core::OperationVerdict& verdict) {
  using Kind = core::OperationVerdict::Kind;
  if (verdict.kind == Kind::Mark) return;
  const std::string key = reconcile::ObjectKey(World::kNamespace, operation->system);
  OperationAccount& account = accounts_[key].operations[operation->operation.uid];
  Trace(stage_.world.TrueNow(), key, "{} settled: {} {}", operation->operation.uid,
        verdict.reason.empty() ? "removed" : verdict.reason, verdict.fingerprint);
  if (verdict.kind == Kind::Remove) {
    if (!operation->operation.finished) Accuse(key, "an operation was removed before its end");
    return;
  }
  if (account.finished) Accuse(key, "operation " + verdict.name + " ended twice");
  account.finished = true;
  const bool has_effect = verdict.kind == Kind::Complete && verdict.reason != "AlreadyActive";
  // With the system went its Secret, and with that the effect.
  const bool vanished = verdict.reason == "SystemNotFound";
  if (account.effects != (has_effect ? 1 : 0) && !account.lost && !vanished)
    Accuse(key, fmt::format("operation {} ended as {} with {} effects", verdict.name,
                            verdict.reason, account.effects));
  if (has_effect && verdict.fingerprint != account.outcome)
    Accuse(key, "operation " + verdict.name + " tells another certificate than it made");
}

// R9: once a certificate and threshold.
void Witness::Told(const std::string& key, const core::EventNotice& event) {
  Trace(stage_.world.TrueNow(), key, "told {}: {}", event.reason, event.message);
  if (event.reason != "ExpiringSoon") return;
  const auto system = stage_.world.LiveSystem(key);
  if (!system) return;
  Account& account = accounts_[key];
  account.thresholds.insert(system->spec.warn_before.begin(), system->spec.warn_before.end());
  constexpr std::string_view kBefore = "certificate ";
  const auto at = event.message.find(kBefore) + kBefore.size();
  const std::string fingerprint = event.message.substr(at, event.message.find(' ', at) - at);
  // One more: a third of the life stands in where no threshold fits.
  if (++account.warned[fingerprint] > static_cast<int>(account.thresholds.size()) + 1)
    Accuse(key, "warned of one certificate more often than there are thresholds (R9)");
}

bool Witness::MayIssue(const StoredSystem& system, const core::Certificate* present) const {
  const auto authority = stage_.world.LiveAuthority(system.spec.authority);
  const Ca* ca = stage_.mint.Find(system.spec.authority);
  const sys_seconds now = stage_.world.TrueNow();
  if (!authority || ca == nullptr || !ca->signs || authority->allow.empty()) return false;
  if (authority->status.conditions[0].status != core::ConditionStatus::True) return false;
  const sys_seconds end = std::min(now + system.spec.validity, ca->chain_end);
  return end > now && (present == nullptr || end >= present->not_after + system.spec.validity / 10);
}

std::optional<std::pair<sys_seconds, const char*>> Witness::Deadline(const std::string& key) const {
  using Answer = std::pair<sys_seconds, const char*>;
  const auto system = stage_.world.LiveSystem(key);
  if (!system || system->identity.being_deleted) return std::nullopt;
  const core::SystemSpec& spec = system->spec;
  const auto secret =
      stage_.world.LiveSecretOf(reconcile::ObjectKey(World::kNamespace, spec.secret.name));
  const sys_seconds now = stage_.world.TrueNow();
  if (!secret) {
    if (spec.issuance == core::Issuance::Manual || !MayIssue(*system, nullptr)) return std::nullopt;
    return Answer{now, "there is no certificate, and one could be made (R1)"};
  }
  const bool ours =
      secret->metadata.Annotation(reconcile::kSystemUidAnnotation) == system->identity.uid;
  if (!ours || secret->immutable || !spec.regeneration_enabled) return std::nullopt;
  const Pair pair = LookAtPair(secret.get(), key);
  const core::Certificate* active = pair.active.certificate;
  const core::Certificate* inactive = pair.inactive.certificate;
  const bool by_fingerprint = spec.peer_matching == core::PeerMatching::Fingerprint;
  if (active == nullptr) {
    if (!MayIssue(*system, nullptr)) return std::nullopt;
    return Answer{now, "the active certificate is damaged, and regeneration is ON"};
  }
  const bool successor = inactive != nullptr && inactive->not_after > active->not_after &&
                         inactive->not_before <= now && now < inactive->not_after;
  if (by_fingerprint && spec.at_expiry == core::AtExpiry::Activate && successor)
    return Answer{active->not_after, "the held certificate was not activated at the end (R15)"};
  if (by_fingerprint && successor) return std::nullopt;
  if (!MayIssue(*system, active)) return std::nullopt;
  const seconds before = core::EffectiveBefore(spec, active);
  if (!by_fingerprint && IsRolledBack(ReceiptIn(secret.get()), pair))
    return Answer{EndOfRollback(spec, *active), "no regeneration after a rollback (R6)"};
  return Answer{active->not_after - before + std::min<seconds>(hours{24}, before / 4),
                by_fingerprint ? "nothing was made for the fingerprint peer (R15)"
                               : "no regeneration within the window (R6)"};
}

void Witness::Arm(const std::string& key) {
  Account& account = accounts_[key];
  const auto deadline = Deadline(key);
  ++account.alarm;
  account.due.reset();
  if (!deadline) return;
  account.due = deadline->first;
  const auto now = stage_.world.Now();
  auto at = now + std::max<seconds>(deadline->first - stage_.world.TrueNow(), seconds{0});
  at = std::max({at, account.excused_until, all_excused_until_}) + kGrace;
  stage_.world.At(at, [this, key, alarm = account.alarm] { Alarm(key, alarm); });
}

void Witness::Alarm(const std::string& key, std::uint64_t alarm) {
  const Account& account = accounts_[key];
  if (account.alarm != alarm) return;
  const auto deadline = Deadline(key);
  if (!deadline) return;
  const auto now = stage_.world.Now();
  const bool early = deadline->first + kGrace > stage_.world.TrueNow() + seconds{1} &&
                     deadline->first != stage_.world.TrueNow();
  const bool excused = now < all_excused_until_ + kGrace || now < account.excused_until + kGrace;
  if (early || excused) return Arm(key);
  if (IsHeldByBudget(key)) {
    accounts_[key].excused_until = now + hours{1};
    return Arm(key);
  }
  const auto system = stage_.world.LiveSystem(key);
  const auto secret =
      stage_.world.LiveSecretOf(reconcile::ObjectKey(World::kNamespace, system->spec.secret.name));
  Accuse(key, fmt::format("{}: due since {}; {}", deadline->second, FormatTime(deadline->first),
                          LookAtPair(secret.get(), key).Describe()));
}

// R27 holds the operator back as it should.
bool Witness::IsHeldByBudget(const std::string& key) const {
  const auto system = stage_.world.LiveSystem(key);
  const auto secret =
      stage_.world.LiveSecretOf(reconcile::ObjectKey(World::kNamespace, system->spec.secret.name));
  const auto budget = core::Merge(
      secret ? reconcile::ParseBudget(secret->metadata.Annotation(reconcile::kBudgetAnnotation))
             : core::Budget{},
      {system->status.automatic_issuances});
  const sys_seconds since =
      stage_.world.TrueNow() - hours{1} - core::EffectiveBefore(system->spec, nullptr);
  return std::ranges::count_if(budget.automatic, [&](sys_seconds at) { return at > since; }) >= 6;
}

void Witness::JudgeQuiet() {
  for (const auto& [key, operation] : stage_.world.LiveOperations()) {
    if (!operation->operation.finished && !operation->operation.being_deleted)
      Accuse(key, "an operation never ended");
  }
  for (const auto& [key, system] : stage_.world.LiveSystems()) {
    JudgeStatus(key, *system);
    mail_.Judge(key);
  }
}

void Witness::JudgeStatus(const std::string& key, const StoredSystem& system) {
  if (system.identity.being_deleted) return;
  const auto secret =
      stage_.world.LiveSecretOf(reconcile::ObjectKey(World::kNamespace, system.spec.secret.name));
  const core::SystemStatus& status = system.status;
  if (status.observed_generation != system.identity.generation)
    Accuse(key, "status is of another generation than the spec");
  const bool ours =
      secret && secret->metadata.Annotation(reconcile::kSystemUidAnnotation) == system.identity.uid;
  const Pair pair = ours ? LookAtPair(secret.get(), key) : Pair{};
  const auto same = [](const std::optional<core::Certificate>& told, const Slot& slot) {
    return told ? slot.certificate != nullptr && told->fingerprint == slot.certificate->fingerprint
                : slot.certificate == nullptr;
  };
  const sys_seconds now = stage_.world.TrueNow();
  const core::Certificate* active = pair.active.certificate;
  const bool valid = active != nullptr && active->not_before <= now && now < active->not_after;
  const bool whole =
      active != nullptr && (pair.inactive.certificate != nullptr || pair.inactive.IsEmpty());
  // Of an immutable Secret without an active certificate nothing more is told than that.
  if (ours && secret->immutable && active == nullptr) return;
  if (!same(status.active, pair.active) || !same(status.inactive, pair.inactive))
    Accuse(key, "status tells other certificates than the Secret holds: " + pair.Describe());
  const core::Condition* ready = status.Find("Ready");
  if (ready == nullptr || (ready->status == core::ConditionStatus::True) != valid)
    Accuse(key, fmt::format("Ready is {} ({}) and the active certificate is {}",
                            ready ? core::ToString(ready->status) : "absent",
                            ready ? ready->reason : "", valid ? "valid" : "not valid"));
  if (ours && whole && !secret->immutable) JudgeKeystoreInQuiet(key, system, *secret, pair);
  if (ours && whole && !secret->immutable &&
      status.secret_resource_version != secret->metadata.resource_version)
    Accuse(key, "status describes another version of the Secret");
}

}  // namespace certpair::sim
