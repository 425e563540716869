#include "core/slot_change.hpp"

#include <utility>

namespace certpair::core {

SlotChange IssueActive(CertificateOrder order, bool keep_inactive) {
  return {From::New, keep_inactive ? From::Stays : From::Nothing, std::move(order),
          ChangeKind::IssueActive};
}

SlotChange IssueInactive(CertificateOrder order) {
  return {From::Stays, From::New, std::move(order), ChangeKind::IssueInactive};
}

SlotChange Regenerate(CertificateOrder order, bool keep_old) {
  return {From::New, keep_old ? From::Other : From::Nothing, std::move(order),
          ChangeKind::Regenerate};
}

SlotChange Activate(bool keep_old) {
  return {From::Other, keep_old ? From::Other : From::Nothing, std::nullopt, ChangeKind::Activate};
}

SlotChange DeleteInactive() {
  return {From::Stays, From::Nothing, std::nullopt, ChangeKind::DeleteInactive};
}

SlotChange Relabel() { return {}; }

bool IsConsistent(const SlotChange& change) {
  const bool makes_active = change.active == From::New;
  const bool makes_inactive = change.inactive == From::New;
  return !(makes_active && makes_inactive) &&
         change.order.has_value() == (makes_active || makes_inactive);
}

std::string_view ToString(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::IssueActive:
      return "issue-active";
    case ChangeKind::IssueInactive:
      return "issue-inactive";
    case ChangeKind::Regenerate:
      return "regenerate";
    case ChangeKind::Activate:
      return "activate";
    case ChangeKind::DeleteInactive:
      return "delete-inactive";
    case ChangeKind::Relabel:
      return "relabel";
  }
  return "";
}

}  // namespace certpair::core
