#include "reconcile/secret_reading.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "reconcile/keystore.hpp"
#include "reconcile/names.hpp"

namespace certpair::reconcile {
namespace {

constexpr std::size_t kMaxBudgetEntries = 16;

struct SlotReading {
  std::optional<core::Certificate> certificate;
  std::string fault;     // empty: intact, or nothing there
  bool present = false;  // some bytes stand in the slot
};

// By fingerprint, the CA certificates whose signature counts in a slot. Nothing: that is not known.
using Issuers = std::optional<std::vector<std::string>>;

// The CAs that the authority has now or had before (R24). An authority that is not there, or that
// has not been looked at yet, cannot tell.
Issuers IssuersOf(const core::AuthorityView& authority) {
  if (authority.fingerprint.empty()) return std::nullopt;
  std::vector<std::string> issuers = authority.earlier_fingerprints;
  issuers.push_back(authority.fingerprint);
  return issuers;
}

// In a Secret of ours the CAs count as well that signed what the system's own status lists: the
// status lists what was intact when it was looked at. An authority that was made anew, or whose
// status was wiped, has forgotten its earlier CAs, and a certificate in hand must outlive that
// (R24). What something else put into the Secret is in no status. Where there is no status at all,
// nothing remembers whose a certificate was, and one that is sound is not destroyed for that.
Issuers IssuersInOurs(const core::AuthorityView& authority, const StoredSystem& system) {
  if (!system.HasStatus()) return std::nullopt;
  Issuers issuers = IssuersOf(authority);
  for (const auto* listed : {&system.status.active, &system.status.inactive}) {
    if (!*listed || (*listed)->issuer_fingerprint.empty()) continue;
    if (!issuers) issuers.emplace();
    issuers->push_back((*listed)->issuer_fingerprint);
  }
  return issuers;
}

bool Contains(const Issuers& issuers, const std::string& fingerprint) {
  return !issuers || std::ranges::find(*issuers, fingerprint) != issuers->end();
}

SlotReading ReadSlot(const LiveSecret& secret, const SlotKeys& keys, std::string_view slot,
                     const StoredSystem& system, const Issuers& issuers,
                     const CertificateSource& source) {
  const auto certificate = secret.Data(keys.certificate);
  const auto key = secret.Data(keys.key);
  const auto ca = secret.Data(keys.authority);
  SlotReading reading{.present = !certificate.empty() || !key.empty() || !ca.empty()};
  if (!reading.present) return reading;
  auto read = source.ReadSlot(certificate, key, ca);
  if (!read) {
    reading.fault = fmt::format("the {} slot: {}", slot, read.error().message);
    return reading;
  }
  const auto wanted = source.SubjectString(system.spec.subject);
  if (wanted && *wanted != read->subject) {
    reading.fault =
        fmt::format("the {} slot: its subject is {}, not {}", slot, read->subject, *wanted);
  } else if (!Contains(issuers, read->issuer_fingerprint)) {
    reading.fault = fmt::format("the {} slot: {} was signed by a CA that {} neither is nor was",
                                slot, read->fingerprint, system.spec.authority);
  } else {
    reading.certificate = std::move(*read);
  }
  return reading;
}

core::SecretState ReadSlots(const LiveSecret& secret, const StoredSystem& system,
                            const Issuers& issuers, const CertificateSource& source) {
  SlotReading active = ReadSlot(secret, kActiveKeys, "active", system, issuers, source);
  SlotReading inactive = ReadSlot(secret, kInactiveKeys, "inactive", system, issuers, source);
  if (active.certificate && inactive.certificate && *active.certificate == *inactive.certificate) {
    inactive.certificate.reset();
    inactive.fault = "the inactive slot: it holds the same certificate as the active one";
  }
  if (active.certificate && inactive.fault.empty())
    return core::CertificatePair{.active = std::move(*active.certificate),
                                 .inactive = std::move(inactive.certificate)};
  std::string what = active.fault;
  if (!active.present) what = "the active slot: it is empty";
  if (!inactive.fault.empty()) what += (what.empty() ? "" : "; ") + inactive.fault;
  return core::Damaged{.intact_active = std::move(active.certificate),
                       .intact_inactive = std::move(inactive.certificate),
                       .what = std::move(what)};
}

const OwnerReference* SystemOwner(const SecretMetadata& metadata) {
  const auto found = std::ranges::find_if(metadata.owners, [](const OwnerReference& owner) {
    return owner.kind == "ProvisioningSystem" && owner.api_version.starts_with(kGroup);
  });
  return found == metadata.owners.end() ? nullptr : &*found;
}

std::string DescribeOwner(const SecretMetadata& metadata) {
  if (const OwnerReference* owner = SystemOwner(metadata))
    return fmt::format("ProvisioningSystem {}", owner->name);
  if (const std::string system = metadata.Label(kSystemLabel); !system.empty())
    return fmt::format("ProvisioningSystem {} (by its label)", system);
  if (const std::string by = metadata.Label(kManagedByLabel); !by.empty())
    return fmt::format("something managed by {}", by);
  if (!metadata.owners.empty())
    return fmt::format("{} {}", metadata.owners.front().kind, metadata.owners.front().name);
  return "its owner is unknown";
}

// R20: not ours by its annotation. Of an earlier system of this name, retained by one, or a
// stranger's.
core::SecretState ReadForeign(const LiveSecret& secret, const StoredSystem& system,
                              const core::AuthorityView& authority,
                              const CertificateSource& source) {
  const SecretMetadata& metadata = secret.metadata;
  const bool of_this_name = metadata.Label(kSystemLabel) == system.identity.name &&
                            !metadata.Annotation(kSystemUidAnnotation).empty();
  const OwnerReference* owner = SystemOwner(metadata);
  if (!of_this_name) return core::NotOurs{.owner = DescribeOwner(metadata)};
  if (metadata.being_deleted || (owner != nullptr && owner->name == system.identity.name))
    return core::NotOurs{.owner = "an earlier ProvisioningSystem of this name",
                         .collectable = true};
  if (owner != nullptr) return core::NotOurs{.owner = DescribeOwner(metadata)};
  if (secret.immutable) return core::Immutable{};
  // Of an authority that cannot tell nothing is adopted.
  const Issuers issuers = IssuersOf(authority).value_or(std::vector<std::string>{});
  core::SecretState slots = ReadSlots(secret, system, issuers, source);
  if (auto* pair = std::get_if<core::CertificatePair>(&slots))
    return core::Retained{.adoptable = std::move(*pair),
                          .why_not = {},
                          .restored = !metadata.Label(kRestoreLabel).empty()};
  return core::Retained{.adoptable = {}, .why_not = std::get<core::Damaged>(slots).what};
}

SecretReading FromMetadata(const SecretMetadata& metadata, const StoredSystem& system,
                           const core::Installation& installation) {
  return {.state = core::Missing{},
          .resource_version = metadata.resource_version,
          .metadata_differs = MetadataDiffers(metadata, system, installation),
          .owner_differs = OwnersAfter(metadata.owners, system).has_value(),
          .receipt = core::ParseReceipt(metadata.Annotation(kReceiptAnnotation)),
          .budget = ParseBudget(metadata.Annotation(kBudgetAnnotation)),
          .renewed = metadata.Annotation(kRenewedAnnotation),
          .keystore = ParseKeystore(metadata.Annotation(kKeystoreAnnotation))};
}

}  // namespace

SecretReading ReadSecretInDepth(const LiveSecret* secret, const StoredSystem& system,
                                const core::AuthorityView& authority,
                                const core::Installation& installation,
                                const CertificateSource& source) {
  if (secret == nullptr) return {.state = core::Missing{}};
  const auto look_at_keystore = [&](SecretReading& reading) {
    const std::string annotation = secret->metadata.Annotation(kKeystoreAnnotation);
    reading.keystore = ParseKeystore(annotation);
    reading.keystore_damaged =
        reading.keystore && !IsKeystoreIntact(annotation, secret->Data(kKeystoreKey));
  };
  if (!IsOurs(secret->metadata, system.identity)) {
    core::SecretState state = ReadForeign(*secret, system, authority, source);
    SecretReading reading{.state = core::Missing{},
                          .resource_version = secret->metadata.resource_version};
    // What stands beside a pair that is taken up stays there: the last operation's receipt, the
    // budget, the mark of a renewal.
    if (std::holds_alternative<core::Retained>(state)) {
      reading = FromMetadata(secret->metadata, system, installation);
      look_at_keystore(reading);
    }
    reading.state = std::move(state);
    return reading;
  }
  SecretReading reading = FromMetadata(secret->metadata, system, installation);
  look_at_keystore(reading);
  reading.state = ReadSlots(*secret, system, IssuersInOurs(authority, system), source);
  if (!secret->immutable) return reading;
  core::Immutable immutable;
  if (auto* pair = std::get_if<core::CertificatePair>(&reading.state))
    immutable.pair = std::move(*pair);
  else if (auto& damaged = std::get<core::Damaged>(reading.state); damaged.intact_active)
    immutable.pair = core::CertificatePair{.active = std::move(*damaged.intact_active),
                                           .inactive = std::move(damaged.intact_inactive)};
  reading.state = std::move(immutable);
  return reading;
}

SecretReading ReadSecretByStatus(const SecretMetadata& metadata, const StoredSystem& system,
                                 const core::Installation& installation) {
  SecretReading reading = FromMetadata(metadata, system, installation);
  if (system.status.active)
    reading.state =
        core::CertificatePair{.active = *system.status.active, .inactive = system.status.inactive};
  return reading;
}

bool IsOurs(const SecretMetadata& metadata, const core::SystemIdentity& identity) {
  return !identity.uid.empty() && metadata.Annotation(kSystemUidAnnotation) == identity.uid;
}

std::string FormatBudget(const core::Budget& budget) {
  std::string text;
  for (const sys_seconds at : budget.automatic)
    text += fmt::format("{}{}", text.empty() ? "" : ",", at.time_since_epoch().count());
  return text;
}

core::Budget ParseBudget(std::string_view text) {
  core::Budget budget;
  while (!text.empty() && budget.automatic.size() < kMaxBudgetEntries) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::int64_t number = 0;
    const char* const last = text.begin() + end;
    const auto [rest, error] = std::from_chars(text.begin(), last, number);
    if (error == std::errc{} && rest == last)
      budget.automatic.push_back(sys_seconds{seconds{number}});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  std::ranges::sort(budget.automatic);
  return budget;
}

}  // namespace certpair::reconcile
