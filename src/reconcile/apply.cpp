#include "reconcile/apply.hpp"

#include <utility>

#include "core/slots.hpp"
#include "reconcile/keystore.hpp"
#include "reconcile/names.hpp"

namespace certpair::reconcile {
namespace {

const core::Certificate* MadeOf(const std::optional<x509::IssuedCertificate>& issued) {
  return issued ? &issued->details : nullptr;
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

// Fills the slot `own`, whose content comes from `from`.
void WriteSlot(core::From from, const SlotKeys& own, const SlotKeys& other,
               std::optional<x509::IssuedCertificate>& issued, const LiveSecret* secret,
               SecretDraft& draft) {
  switch (from) {
    case core::From::Stays:
      return;
    case core::From::Other:
      if (secret != nullptr) Move(draft, *secret, other, own);
      return;
    case core::From::New:
      Put(draft, own, *issued);
      return;
    case core::From::Nothing:
      Clear(draft, secret, own);
  }
}

void WriteKeystore(const core::PlannedChange& plan, const std::optional<core::Keystore>& made,
                   const LiveSecret* secret, SecretString keystore, SecretDraft& draft) {
  const std::string data{kKeystoreKey};
  const std::string annotation{kKeystoreAnnotation};
  if (made && !keystore.empty()) {
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
  const auto texts_of = [&](const SlotKeys& keys) {
    return secret == nullptr ? SlotTexts{}
                             : SlotTexts{.certificate = secret->Data(keys.certificate),
                                         .key = secret->Data(keys.key),
                                         .authority = secret->Data(keys.authority)};
  };
  switch (plan.slots.active) {
    case core::From::Stays:
      return texts_of(kActiveKeys);
    case core::From::Other:
      return texts_of(kInactiveKeys);
    case core::From::New:
      return {.certificate = issued->certificate_pem,
              .key = issued->key_pem.Reveal(),
              .authority = issued->ca_pem};
    case core::From::Nothing:
      break;
  }
  return {};
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
  core::WriteOutcome outcome = core::OutcomeOf(plan, state, MadeOf(issued));
  if (outcome.receipt)
    draft.annotations[std::string{kReceiptAnnotation}] = core::FormatReceipt(*outcome.receipt);
  if (!plan.budget.automatic.empty())
    draft.annotations[std::string{kBudgetAnnotation}] = FormatBudget(plan.budget);
  if (!outcome.renewed.empty())
    draft.annotations[std::string{kRenewedAnnotation}] = std::move(outcome.renewed);
  WriteKeystore(plan, outcome.keystore, secret, std::move(keystore), draft);
  WriteSlot(plan.slots.active, kActiveKeys, kInactiveKeys, issued, secret, draft);
  WriteSlot(plan.slots.inactive, kInactiveKeys, kActiveKeys, issued, secret, draft);
  return draft;
}

}  // namespace certpair::reconcile
