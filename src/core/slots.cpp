#include "core/slots.hpp"

#include <utility>
#include <variant>

#include "base/match.hpp"

namespace certpair::core {
namespace {

const Certificate* Borrow(const std::optional<Certificate>& slot) {
  return slot ? &*slot : nullptr;
}

std::optional<Certificate> Copy(const Certificate* certificate) {
  return certificate ? std::optional{*certificate} : std::nullopt;
}

Slots Borrow(const CertificatePair& pair) { return {&pair.active, Borrow(pair.inactive)}; }
Slots Borrow(const std::optional<CertificatePair>& pair) { return pair ? Borrow(*pair) : Slots{}; }

const Certificate* Fill(From from, const Certificate* own, const Certificate* other,
                        const Certificate* made) {
  switch (from) {
    case From::Stays:
      return own;
    case From::Other:
      return other;
    case From::New:
      return made;
    case From::Nothing:
      break;
  }
  return nullptr;
}

SecretState StateOf(const Slots& slots) {
  if (!slots.active) return Damaged{{}, Copy(slots.inactive), "the active slot: it is damaged"};
  return CertificatePair{*slots.active, Copy(slots.inactive)};
}

// A retained Secret is adopted by any write.
bool StaysAsItIs(const SecretState& before, const SlotChange& change) {
  return change.active == From::Stays && change.inactive == From::Stays &&
         !std::holds_alternative<Retained>(before);
}

std::optional<Keystore> MadeKeystore(const KeystoreChange& change, const Certificate* active) {
  const auto* make = std::get_if<MakeKeystore>(&change);
  if (!make || !active) return std::nullopt;
  return Keystore{active->fingerprint, make->password, make->password_version};
}

}  // namespace

Slots SlotsOf(const SecretState& state) {
  return std::visit(
      Match{[](const Missing&) { return Slots{}; }, [](const NotOurs&) { return Slots{}; },
            [](const Retained& retained) { return Borrow(retained.adoptable); },
            [](const Immutable& immutable) { return Borrow(immutable.pair); },
            [](const Damaged& damaged) {
              return Slots{Borrow(damaged.intact_active), Borrow(damaged.intact_inactive)};
            },
            [](const CertificatePair& pair) { return Borrow(pair); }},
      state);
}

Slots After(const Slots& before, const SlotChange& change, const Certificate* made) {
  return {Fill(change.active, before.active, before.inactive, made),
          Fill(change.inactive, before.inactive, before.active, made)};
}

WriteOutcome OutcomeOf(const PlannedChange& plan, const SecretState& before,
                       const Certificate* made) {
  const Slots slots = After(SlotsOf(before), plan.slots, made);
  WriteOutcome outcome{StaysAsItIs(before, plan.slots) ? before : StateOf(slots), plan.receipt, "",
                       MadeKeystore(plan.keystore, slots.active)};
  if (outcome.receipt && made) outcome.receipt->fingerprint = made->fingerprint;
  if (plan.renews && slots.active) outcome.renewed = slots.active->fingerprint;
  return outcome;
}

Observation AfterWrite(Observation before, const PlannedChange& plan, const Certificate* made,
                       std::string version) {
  Observation after = std::move(before);
  WriteOutcome outcome = OutcomeOf(plan, after.secret, made);
  after.secret = std::move(outcome.secret);
  after.secret_resource_version = std::move(version);
  after.secret_metadata_differs = !after.changed_metadata.empty();
  if (after.owner_refusal.empty()) after.secret_owner_differs = false;
  if (outcome.receipt) after.receipt = std::move(outcome.receipt);
  after.budget = plan.budget;
  if (plan.renews) after.renewed = std::move(outcome.renewed);
  if (outcome.keystore) {
    after.keystore = std::move(outcome.keystore);
    after.keystore_damaged = false;
  } else if (std::holds_alternative<RemoveKeystore>(plan.keystore)) {
    after.keystore.reset();
    after.keystore_damaged = false;
  }
  after.write_failure.clear();
  after.write_fails_since.reset();
  after.written_in_this_pass = true;
  after.live.secret = true;  // its content is known by the write
  return after;
}

}  // namespace certpair::core
