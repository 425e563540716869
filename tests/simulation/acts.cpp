// What people do to one system, by the API or by hand.
#include <algorithm>

#include "core/schedule.hpp"
#include "reconcile/names.hpp"
#include "reconcile/secret_reading.hpp"
#include "simulation/fleet.hpp"
#include "simulation/trace.hpp"

namespace certpair::sim {

using std::chrono::hours;
using std::chrono::minutes;

namespace {

constexpr std::string_view kSlots[] = {"tls.crt", "inactive.crt"};
// By then the operator has noticed an edit, and its back-off has passed.
constexpr minutes kToNotice{10};

}  // namespace

void Fleet::ScheduleAct(const std::string& key) {
  const auto mean = std::chrono::duration_cast<Delay>(settings_.weather.between_acts);
  stage_.world.In(chance_.Exponential(mean), [this, key] {
    if (calm_) return;
    Act(key);
    // Some act in haste, one thing after the other.
    for (std::uint64_t more = chance_.Below(8); more >= 6; --more) Act(key);
    ScheduleAct(key);
  });
}

void Fleet::Act(const std::string& key) {
  ++acts_;
  const bool exists = stage_.world.LiveSystem(key) != nullptr;
  const std::uint64_t what = chance_.Below(20);
  if (!exists && what >= 10) return;
  if (what < 10) return Operate(key);
  if (what < 14) return EditSpec(key);
  if (!settings_.weather.hand_edits) return Operate(key);
  if (what < 17) return EditSecret(key);
  if (what < 19) return EditStatus(key);
  Replace(key);
}

std::string Fleet::FingerprintIn(const std::string& key, std::string_view slot) const {
  const auto secret = stage_.world.LiveSecretOf(SecretKey(key));
  const auto* known = secret ? stage_.mint.Known(secret->Data(slot)) : nullptr;
  return known != nullptr ? known->fingerprint : "";
}

void Fleet::Operate(const std::string& key) {
  using core::OperationAction;
  constexpr OperationAction kActions[] = {OperationAction::Generate, OperationAction::Activate,
                                          OperationAction::Delete};
  const OperationAction action = chance_.OneOf(kActions);
  std::string fingerprint;
  if (action != OperationAction::Generate) {
    // Mostly the inactive one; some name another.
    fingerprint = FingerprintIn(key, chance_.OneIn(4) ? kSlots[0] : kSlots[1]);
    if (fingerprint.empty() || chance_.OneIn(10)) fingerprint = Mint::CaFingerprint(77);
  }
  Trace(stage_.world.TrueNow(), key, "asked to {} {}", core::ToString(action), fingerprint);
  const bool for_nobody = chance_.OneIn(25);
  const auto operation =
      stage_.world.AddOperation(for_nobody ? "nobody" : key.substr(key.find('/') + 1), action,
                                fingerprint, !chance_.OneIn(5));
  if (chance_.OneIn(30)) stage_.world.DeleteOperation(operation);
}

// Some subscribe twice, in other case; some addresses the mail server refuses.
void Fleet::Subscribe(core::SystemSpec& spec) {
  constexpr const char* kReaders[] = {"anna@example.com", "bert@example.com", "Anna@Example.com",
                                      "refused@example.com", "list@example.com"};
  const std::string email = chance_.OneOf(kReaders);
  const auto known = std::ranges::find(spec.subscribers, email, &core::Subscriber::email);
  if (known == spec.subscribers.end()) spec.subscribers.push_back({"somebody", email});
}

void Fleet::EditSpec(const std::string& key) {
  stage_.world.EditSystem(key, [this, &key](reconcile::StoredSystem& system) {
    core::SystemSpec& spec = system.spec;
    switch (chance_.Below(14)) {
      case 12:
      case 13:
        if (spec.secret.pkcs12 && chance_.OneIn(2))
          spec.secret.pkcs12.reset();
        else
          WantKeystore(system.identity.name, spec);
        break;
      case 8:
      case 9:
        Subscribe(spec);
        break;
      case 10:
      case 11:
        if (!spec.subscribers.empty())
          spec.subscribers.erase(
              spec.subscribers.begin() +
              static_cast<std::ptrdiff_t>(chance_.Below(spec.subscribers.size())));
        break;
      case 0:
      case 1:
        spec.regeneration_enabled = !spec.regeneration_enabled;
        break;
      case 2:
        spec.peer_matching = spec.peer_matching == core::PeerMatching::Fingerprint
                                 ? core::PeerMatching::SubjectAndIssuer
                                 : core::PeerMatching::Fingerprint;
        break;
      case 3:
        spec.at_expiry = spec.at_expiry == core::AtExpiry::Hold ? core::AtExpiry::Activate
                                                                : core::AtExpiry::Hold;
        break;
      case 4:
        spec.validity = hours{24 * (10 + static_cast<int>(chance_.Below(400)))};
        spec.regenerate_before.reset();
        break;
      case 5:
        spec.regenerate_before = spec.validity / (2 + chance_.Below(30));
        break;
      case 6:
        spec.warn_before = {hours{24 * (1 + static_cast<int>(chance_.Below(40)))}, hours{72}};
        break;
      default:
        spec.secret.deletion_policy = spec.secret.deletion_policy == core::DeletionPolicy::Retain
                                          ? core::DeletionPolicy::Delete
                                          : core::DeletionPolicy::Retain;
        break;
    }
    Trace(stage_.world.TrueNow(), key, "spec: {} {} {} validity {} before {}",
          spec.regeneration_enabled ? "ON" : "OFF", core::ToString(spec.peer_matching),
          spec.at_expiry == core::AtExpiry::Hold ? "Hold" : "Activate",
          FormatDuration(spec.validity), FormatDuration(core::EffectiveBefore(spec, nullptr)));
  });
  witness_.SpecChanged(key);
  witness_.ForgetBudget(key);  // another `before` may stand for another count
  witness_.Excuse(key, kToNotice);
}

void Fleet::Damage(SecretObject& secret) {
  const auto move = [&](const reconcile::SlotKeys& from, const reconcile::SlotKeys& to) {
    secret.data[std::string{to.certificate}] = secret.Data(from.certificate);
    secret.data[std::string{to.key}] = secret.Data(from.key);
    secret.data[std::string{to.authority}] = secret.Data(from.authority);
  };
  switch (chance_.Below(10)) {
    case 8:
      secret.data["keystore.p12"] = "garbage";
      break;
    case 9:
      secret.data.erase("keystore.p12");
      break;
    case 0:
      secret.data["tls.key"] = "garbage";
      break;
    case 1:
      secret.data["inactive.key"] = "garbage";
      break;
    case 2:
      secret.data.erase("tls.crt");
      break;
    case 3:
      for (const char* name : {"inactive.crt", "inactive.key", "inactive-ca.crt"})
        secret.data.erase(name);
      break;
    case 4:  // both slots the same
      move(reconcile::kActiveKeys, reconcile::kInactiveKeys);
      break;
    case 5:  // swapped, as a whole
      for (const auto& [one, other] : {std::pair{"tls.crt", "inactive.crt"},
                                       {"tls.key", "inactive.key"},
                                       {"ca.crt", "inactive-ca.crt"}}) {
        const std::string first{secret.Data(one)};
        secret.data[one] = secret.Data(other);
        secret.data[other] = first;
      }
      break;
    case 6:
      secret.data["ca.crt"] = "ca:999";
      break;
    default:
      secret.data.clear();
      break;
  }
}

void Fleet::DeleteByHand(const std::string& key) {
  const auto secret = stage_.world.LiveSecretOf(SecretKey(key));
  if (!secret) return;
  // Without its label it is out of the watch: noticed when it is read in depth.
  const bool watched = !secret->metadata.labels.empty();
  witness_.Excuse(
      key, watched ? Delay{kToNotice} : Delay{2 * settings_.check_in_depth_every + kToNotice});
  stage_.world.DeleteSecret(SecretKey(key));
}

// Something overwrites what the operator mends: R27 ends that.
void Fleet::BreakAgainAndAgain(const std::string& key, int times) {
  witness_.Excuse(key, kToNotice);
  stage_.world.EditSecret(SecretKey(key), [](auto& secret) {
    if (!secret.immutable) secret.data["tls.key"] = "garbage";
  });
  if (times == 1 || calm_) return;
  stage_.world.In(minutes{30}, [this, key, times] { BreakAgainAndAgain(key, times - 1); });
}

void Fleet::EditSecret(const std::string& key) {
  const std::string secret_key = SecretKey(key);
  witness_.Excuse(key, kToNotice);
  if (chance_.OneIn(20)) return BreakAgainAndAgain(key, 12);
  if (chance_.OneIn(5)) return EditPassword(key);
  switch (chance_.Below(8)) {
    case 0:
      return DeleteByHand(key);
    case 1:  // what is not in the watch is noticed when it is read in depth, at the latest
      stage_.world.EditSecret(secret_key, [](auto& secret) { secret.metadata.labels.clear(); });
      return;
    case 2:
      stage_.world.EditSecret(secret_key, [](auto& secret) { secret.metadata.owners.clear(); });
      return;
    case 3: {
      stage_.world.EditSecret(secret_key, [](auto& secret) { secret.immutable = true; });
      // Somebody notices, and deletes it.
      stage_.world.In(chance_.Exponential(hours{48}), [this, key, secret_key] {
        const auto secret = stage_.world.LiveSecretOf(secret_key);
        if (calm_ || !secret || !secret->immutable) return;
        DeleteByHand(key);
      });
      return;
    }
    default:
      stage_.world.EditSecret(secret_key, [this](auto& secret) {
        if (!secret.immutable) Damage(secret);
      });
  }
}

// Of the key store: another, an unusable one, none.
void Fleet::EditPassword(const std::string& key) {
  Trace(stage_.world.TrueNow(), key, "password edited");
  if (chance_.OneIn(2)) return PutPassword(key);
  PutPasswordLater(key);
  if (chance_.OneIn(3)) return stage_.world.DeleteSecret(PasswordKey(key));
  stage_.world.EditSecret(PasswordKey(key), [this](auto& secret) {
    constexpr const char* kUnusable[] = {"", "with a newline\n"};
    secret.data["password"] = chance_.OneOf(kUnusable);
    if (chance_.OneIn(3)) secret.data.clear();
  });
}

void Fleet::EditStatus(const std::string& key) {
  witness_.ForgetWarnings(key);
  Trace(stage_.world.TrueNow(), key, "status edited by hand");
  stage_.world.EditSystem(key, [this](reconcile::StoredSystem& system) {
    core::SystemStatus& status = system.status;
    switch (chance_.Below(4)) {
      case 0:
        status = {};
        system.pems_digest = reconcile::PemsDigest({});
        break;
      case 1:
        std::swap(status.active, status.inactive);
        break;
      case 2:
        for (auto& condition : status.conditions) condition.reason = "Edited";
        break;
      default:
        if (status.active) status.active->not_after += hours{24 * 365};
        break;
    }
  });
  // A process that starts upon it believes it, until it reads the Secret in depth.
  const Delay down =
      std::max(Delay{0}, std::chrono::duration_cast<Delay>(down_until_ - stage_.world.Now()));
  witness_.Excuse(key, down + 2 * settings_.check_in_depth_every + kToNotice);
}

// Deleted, and after a while made again under the same name.
void Fleet::Replace(const std::string& key) {
  const auto live = stage_.world.LiveSystem(key);
  if (!live) return;
  auto again = *live;
  Trace(stage_.world.TrueNow(), key, "replaced");
  again.identity.being_deleted = false;
  witness_.Excuse(key, hours{2});
  witness_.ForgetWarnings(key);
  stage_.world.DeleteSystem(key, chance_.OneIn(2));
  witness_.Replaced(key);
  stage_.world.In(chance_.Exponential(minutes{10}), [this, key, again] {
    if (stage_.world.LiveSystem(key)) return;
    witness_.Excuse(key, hours{2});
    stage_.world.AddSystem(again);
    witness_.Replaced(key);
    witness_.LookAgain(key);
    // Where what was retained does not fit, somebody clears it away.
    stage_.world.In(chance_.Exponential(hours{6}), [this, key] {
      const auto system = stage_.world.LiveSystem(key);
      const auto secret = stage_.world.LiveSecretOf(SecretKey(key));
      if (!system || !secret || reconcile::IsOurs(secret->metadata, system->identity)) return;
      witness_.Excuse(key, minutes{20});
      stage_.world.DeleteSecret(SecretKey(key));
    });
  });
}

}  // namespace certpair::sim
