// What a write does to the two slots of a pair, as a value.
#pragma once

#include <optional>
#include <string_view>

#include "core/certificate.hpp"

namespace certpair::core {

/// Where the content of a slot comes from when a change is written.
enum class From {
  Stays,    ///< the slot keeps what it has
  Other,    ///< it takes what the other slot had
  New,      ///< it takes the certificate that is made for the order
  Nothing,  ///< it becomes empty
};

/// Which change it is: for the log and the metrics. What is written follows from the slots alone.
enum class ChangeKind {
  IssueActive,     ///< the first certificate, or one in place of a damaged active one
  IssueInactive,   ///< a certificate for the inactive slot, empty or not
  Regenerate,      ///< R6
  Activate,        ///< R3, R6, R15
  DeleteInactive,  ///< R4
  Relabel,         ///< only what stands beside the slots; also how a retained Secret is adopted
};

struct SlotChange {
  From active = From::Stays;
  From inactive = From::Stays;
  std::optional<CertificateOrder> order;  ///< present exactly where one slot is From::New
  ChangeKind kind = ChangeKind::Relabel;
  friend bool operator==(const SlotChange&, const SlotChange&) = default;
};

/// A certificate for the active slot. Makes the Secret, or fills a damaged slot. `keep_inactive`
/// false empties the inactive slot.
[[nodiscard]] SlotChange IssueActive(CertificateOrder order, bool keep_inactive = true);
/// A certificate for the inactive slot.
[[nodiscard]] SlotChange IssueInactive(CertificateOrder order);
/// R6: the new certificate becomes active, the old active one inactive. `keep_old` false drops the
/// old one, which is damaged.
[[nodiscard]] SlotChange Regenerate(CertificateOrder order, bool keep_old = true);
/// The slots change places. `keep_old` false drops the old active one, which is damaged.
[[nodiscard]] SlotChange Activate(bool keep_old = true);
[[nodiscard]] SlotChange DeleteInactive();
/// Labels, annotations, the ownerReference, and with PlannedChange::keystore the key store.
[[nodiscard]] SlotChange Relabel();

/// Whether an order is present exactly where it is needed. Each change that the functions above
/// make is consistent.
[[nodiscard]] bool IsConsistent(const SlotChange& change);

/// `issue-active`, …: a word for the log and the metrics.
[[nodiscard]] std::string_view ToString(ChangeKind kind);

}  // namespace certpair::core
