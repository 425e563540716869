// What a person reads about a certificate that expires: who acts, when, and how.
#include <algorithm>

#include <fmt/format.h>

#include "base/time_format.hpp"
#include "core/conditions.hpp"
#include "core/reasons.hpp"

namespace certpair::core {
namespace {

std::string Operate(const View& view, std::string_view action, const Certificate* certificate) {
  std::string text = fmt::format("a CertificateOperation with systemRef.name: {}, action: {}",
                                 view.o.identity.name, action);
  if (certificate) text += fmt::format(", fingerprint: {}", certificate->fingerprint);
  return text;
}

std::string AdviseHeld(const View& view) {
  std::string text = fmt::format(
      "A new inactive certificate exists. The peer matches by fingerprint: tell it the new "
      "certificate, then create {}.",
      Operate(view, "Activate", view.inactive));
  if (view.o.spec.at_expiry == AtExpiry::Hold) return text + " It is not activated automatically.";
  return text + fmt::format(" Otherwise it is activated on {}.", FormatTime(view.window->lead));
}

std::string AdviseByHand(const View& view) {
  if (view.inactive && view.HasSuccessor()) {
    return fmt::format("Once the peer knows the inactive certificate, create {}.",
                       Operate(view, "Activate", view.inactive));
  }
  std::string text;
  if (view.active && view.inactive) {
    text = fmt::format("The inactive certificate cannot replace it: create {}. Then create ",
                       Operate(view, "Delete", view.inactive));
  } else {
    text = "Create ";
  }
  text += Operate(view, "Generate", nullptr);
  if (view.active) text += "; tell the peer the new certificate, and activate it";
  if (!view.by_fingerprint && !view.o.spec.regeneration_enabled) {
    text += ". Or set spec.automaticRegeneration.enabled: true";
  }
  return text + ".";
}

// The authority expires too soon for the next regeneration. Said early, while there is time to
// renew it.
bool AuthorityWillEndFirst(const View& view) {
  if (view.o.authority.state != AuthorityView::State::Ready || !view.active) return false;
  const sys_seconds start = std::max(view.window->starts, view.o.now);
  const CertificateOrder then{
      {}, {}, start, std::min(start + view.o.spec.validity, view.o.authority.chain_end)};
  return !Outlasts(then, *view.active, view.o.spec);
}

// The newer certificate of a rollback needs no authority to come back.
bool NeedsAuthority(const View& view) { return !(view.RolledBack() && view.HasFreshSuccessor()); }

}  // namespace

bool WillRegenerateByItself(const View& view, const Outcome& automatic) {
  if (!view.regenerating || view.by_fingerprint || automatic.obstacle) return false;
  if (!view.write_failure.empty()) return false;
  if (!NeedsAuthority(view)) return true;
  const bool refused = view.not_issuable && view.not_issuable->reason == reason::kNotAllowed;
  return !refused && !AuthorityWillEndFirst(view);
}

std::string WhatToDo(const View& view, const Outcome& automatic) {
  if (!view.regenerating) return AdviseByHand(view);
  if (automatic.obstacle) return automatic.obstacle->message;
  if (!view.write_failure.empty()) return view.DescribeFailure();
  if (view.by_fingerprint && view.active && view.HasSuccessor()) return AdviseHeld(view);
  if (view.by_fingerprint && view.active && !view.ActiveExpired()) {
    return fmt::format(
        "A new inactive certificate is issued on {}. The peer matches by fingerprint and must then "
        "learn the new certificate.",
        FormatTime(view.window->starts));
  }
  if (view.active && WillRegenerateByItself(view, automatic)) {
    const sys_seconds when = view.RolledBack() ? view.window->last_quarter : view.window->starts;
    return fmt::format("A new one replaces it automatically from {} on.", FormatTime(when));
  }
  if (view.not_issuable) return view.not_issuable->message;
  if (view.active && AuthorityWillEndFirst(view)) {
    return fmt::format(
        "CertificateAuthority \"{}\" expires on {}, too soon for a new certificate. Renew the "
        "authority.",
        view.o.spec.authority, FormatTime(view.o.authority.chain_end));
  }
  return "A new one replaces it automatically.";
}

}  // namespace certpair::core
