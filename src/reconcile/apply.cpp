#include "reconcile/apply.hpp"

#include <utility>

#include "reconcile/keystore.hpp"
#include "reconcile/names.hpp"

namespace certpair::reconcile {
namespace {

template <class... Cases>
struct Match : Cases... {
  using Cases::operator()...;
};

// The two slots of a Secret that was read, as far as they are intact.
struct Slots {
  std::optional<core::Certificate> active;
  std::optional<core::Certificate> inactive;
};

Slots SlotsOf(const core::SecretState& state) {
  return std::visit(
      Match{[](const core::CertificatePair& pair) { return Slots{pair.active, pair.inactive}; },
            [](const core::Damaged& damaged) {
              return Slots{damaged.intact_active, damaged.intact_inactive};
            },
            [](const core::Retained& retained) {
              return retained.adoptable
                         ? Slots{retained.adoptable->active, retained.adoptable->inactive}
                         : Slots{};
            },
            [](const auto&) { return Slots{}; }},
      state);
}

void Clear(SecretDraft& draft, const LiveSecret* secret, const SlotKeys& keys) {
  for (const std::string_view key : {keys.certificate, keys.key, keys.authority})
    if (secret != nullptr && secret->data.contains(key))
      draft.data[std::string{key}] = std::nullopt;
}

void Put(SecretDraft& draft, const SlotKeys& keys, x509::IssuedCertificate& issued) {
  draft.data[std::string{keys.certificate}] = SecretString{issued.certificate_pem};
  draft.data[std::string{keys.key}] = std::move(issued.key_pem);
  draft.data[std::string{keys.authority}] = SecretString{issued.ca_pem};
}

// Copies the slot `from` of the Secret that was read into the slot `to` of the draft.
void Move(SecretDraft& draft, const LiveSecret& secret, const SlotKeys& from, const SlotKeys& to) {
  Clear(draft, &secret, to);
  const auto copy = [&](std::string_view source, std::string_view target) {
    if (const auto found = secret.data.find(source); found != secret.data.end())
      draft.data[std::string{target}] = found->second.Clone();
  };
  copy(from.certificate, to.certificate);
  copy(from.key, to.key);
  copy(from.authority, to.authority);
}

void WriteSlots(const core::SecretChange& change, std::optional<x509::IssuedCertificate>& issued,
                const LiveSecret* secret, const Slots& slots, SecretDraft& draft) {
  std::visit(Match{[&](const core::IssueActive& c) {
                     Put(draft, kActiveKeys, *issued);
                     if (!c.keep_inactive || !slots.inactive) Clear(draft, secret, kInactiveKeys);
                   },
                   [&](const core::IssueInactive&) { Put(draft, kInactiveKeys, *issued); },
                   [&](const core::ReplaceInactive&) { Put(draft, kInactiveKeys, *issued); },
                   [&](const core::Regenerate& c) {
                     if (c.keep_old && secret != nullptr) {
                       Move(draft, *secret, kActiveKeys, kInactiveKeys);
                     } else {
                       Clear(draft, secret, kInactiveKeys);
                     }
                     Put(draft, kActiveKeys, *issued);
                   },
                   [&](const core::Activate& c) {
                     if (secret == nullptr) return;
                     Move(draft, *secret, kInactiveKeys, kActiveKeys);
                     if (c.keep_old) {
                       Move(draft, *secret, kActiveKeys, kInactiveKeys);
                     } else {
                       Clear(draft, secret, kInactiveKeys);
                     }
                   },
                   [&](const core::DeleteInactive&) { Clear(draft, secret, kInactiveKeys); },
                   [&](const core::Relabel&) {}},
             change);
}

void WriteKeystore(const core::PlannedChange& plan, const LiveSecret* secret,
                   const core::SecretState& after, SecretString keystore, SecretDraft& draft) {
  const std::string data{kKeystoreKey};
  const std::string annotation{kKeystoreAnnotation};
  if (const auto made = KeystoreAfter(plan, std::nullopt, after); made && !keystore.empty()) {
    draft.annotations[annotation] = FormatKeystore(*made, keystore.Reveal());
    draft.data[data] = std::move(keystore);
  } else if (std::holds_alternative<core::RemoveKeystore>(plan.keystore) && secret != nullptr) {
    draft.annotations[annotation].reset();
    if (secret->data.contains(data)) draft.data[data].reset();
  }
}

}  // namespace

SlotTexts ActiveTextsAfter(const core::PlannedChange& plan,
                           const std::optional<x509::IssuedCertificate>& issued,
                           const LiveSecret* secret) {
  const bool makes_active = std::holds_alternative<core::IssueActive>(plan.what) ||
                            std::holds_alternative<core::Regenerate>(plan.what);
  if (makes_active && issued)
    return {.certificate = issued->certificate_pem,
            .key = issued->key_pem.Reveal(),
            .authority = issued->ca_pem};
  if (secret == nullptr) return {};
  const SlotKeys& keys =
      std::holds_alternative<core::Activate>(plan.what) ? kInactiveKeys : kActiveKeys;
  return {.certificate = secret->Data(keys.certificate),
          .key = secret->Data(keys.key),
          .authority = secret->Data(keys.authority)};
}

const core::CertificateOrder* OrderOf(const core::SecretChange& change) {
  return std::visit(
      [](const auto& c) -> const core::CertificateOrder* {
        if constexpr (requires { c.order; }) {
          return &c.order;
        } else {
          return nullptr;
        }
      },
      change);
}

std::optional<core::Receipt> ReceiptOf(const core::PlannedChange& plan,
                                       const std::optional<x509::IssuedCertificate>& issued) {
  auto receipt = plan.receipt;
  if (receipt && issued) receipt->fingerprint = issued->details.fingerprint;
  return receipt;
}

std::string RenewedBy(const core::PlannedChange& plan,
                      const std::optional<x509::IssuedCertificate>& issued) {
  if (!plan.renews) return {};
  if (issued) return issued->details.fingerprint;
  const auto* activates = std::get_if<core::Activate>(&plan.what);
  return activates != nullptr ? activates->fingerprint : std::string{};
}

SecretDraft DraftOf(const core::PlannedChange& plan, std::optional<x509::IssuedCertificate>& issued,
                    const LiveSecret* secret, const core::SecretState& state,
                    const StoredSystem& system, const core::Installation& installation,
                    SecretString keystore) {
  WantedMetadata wanted = WantedMetadataOf(system, installation);
  SecretDraft draft{.namespace_ = system.identity.namespace_,
                    .name = system.spec.secret.name,
                    .resource_version = secret != nullptr ? secret->metadata.resource_version : "",
                    .uid = secret != nullptr ? secret->metadata.uid : "",
                    .data = {},
                    .labels = {},
                    .annotations = {},
                    .owners = {}};
  if (!plan.keep_owners || secret == nullptr)
    draft.owners = OwnersAfter(
        secret != nullptr ? secret->metadata.owners : std::vector<OwnerReference>{}, system);
  for (auto& [name, value] : wanted.labels) draft.labels[name] = std::move(value);
  for (auto& [name, value] : wanted.annotations) draft.annotations[name] = std::move(value);
  if (secret != nullptr) {
    const StaleMetadata stale = StaleMetadataOf(secret->metadata, system, installation);
    for (const std::string& name : stale.labels) draft.labels[name].reset();
    for (const std::string& name : stale.annotations) draft.annotations[name].reset();
  }
  if (const auto receipt = ReceiptOf(plan, issued))
    draft.annotations[std::string{kReceiptAnnotation}] = core::FormatReceipt(*receipt);
  if (!plan.budget.automatic.empty())
    draft.annotations[std::string{kBudgetAnnotation}] = FormatBudget(plan.budget);
  if (auto renewed = RenewedBy(plan, issued); !renewed.empty())
    draft.annotations[std::string{kRenewedAnnotation}] = std::move(renewed);
  WriteKeystore(plan, secret, StateAfter(plan, state, issued), std::move(keystore), draft);
  WriteSlots(plan.what, issued, secret, SlotsOf(state), draft);
  return draft;
}

core::SecretState StateAfter(const core::PlannedChange& plan, const core::SecretState& before,
                             const std::optional<x509::IssuedCertificate>& issued) {
  Slots slots = SlotsOf(before);
  const auto made = [&] { return issued ? issued->details : core::Certificate{}; };
  const bool stays_as_it_is = std::holds_alternative<core::Relabel>(plan.what) &&
                              !std::holds_alternative<core::Retained>(before);
  if (stays_as_it_is) return before;
  std::visit(Match{[&](const core::IssueActive& c) {
                     slots.active = made();
                     if (!c.keep_inactive) slots.inactive.reset();
                   },
                   [&](const core::IssueInactive&) { slots.inactive = made(); },
                   [&](const core::ReplaceInactive&) { slots.inactive = made(); },
                   [&](const core::Regenerate& c) {
                     slots.inactive = c.keep_old ? std::exchange(slots.active, {}) : std::nullopt;
                     slots.active = made();
                   },
                   [&](const core::Activate& c) {
                     std::swap(slots.active, slots.inactive);
                     if (!c.keep_old) slots.inactive.reset();
                   },
                   [&](const core::DeleteInactive&) { slots.inactive.reset(); },
                   [&](const core::Relabel&) {}},
             plan.what);
  if (!slots.active)
    return core::Damaged{.intact_active = {},
                         .intact_inactive = std::move(slots.inactive),
                         .what = "the active slot: it is damaged"};
  return core::CertificatePair{.active = std::move(*slots.active),
                               .inactive = std::move(slots.inactive)};
}

}  // namespace certpair::reconcile
