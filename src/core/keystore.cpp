#include "core/keystore.hpp"

#include <string>

#include <fmt/format.h>

#include "core/reasons.hpp"
#include "core/slots.hpp"

namespace certpair::core {
namespace {

using State = PasswordView::State;

// The pair once a change is written, as far as its certificates are known now.
struct PairAfter {
  bool makes_active = false;  // with a certificate that the change orders
  Slots slots;

  PairAfter(const SlotChange& change, const View& view)
      : makes_active(change.active == From::New),
        slots(After({view.active, view.inactive}, change, nullptr)) {}
  [[nodiscard]] bool Holds(const std::string& fingerprint) const {
    return (slots.active && slots.active->fingerprint == fingerprint) ||
           (slots.inactive && slots.inactive->fingerprint == fingerprint);
  }
};

// What cannot be told from the Secret alone is told where the password was read; but of a Secret
// that cannot be written the daily check is to tell no other tale than each other pass.
bool Fits(const View& view, const Certificate& active) {
  const auto& wanted = view.o.spec.secret.pkcs12;
  const auto& there = view.o.keystore;
  if (!there || view.o.keystore_damaged) return false;
  if (there->fingerprint != active.fingerprint || there->password != *wanted) return false;
  return view.o.password.state != State::There || view.not_writable ||
         there->password_version == view.o.password.version;
}

bool IsMissing(const View& view, const PairAfter& after) {
  return after.makes_active || (after.slots.active && !Fits(view, *after.slots.active));
}

// The pair's own Secret changes with each key store: one that hung on it would never be done.
bool NamesOwnSecret(const View& view) {
  return view.o.spec.secret.pkcs12->name == view.o.spec.secret.name;
}

struct Trouble {
  std::string_view reason;
  std::string message;
};

std::optional<Trouble> TroubleWithPassword(const View& view) {
  if (NamesOwnSecret(view)) {
    return Trouble{reason::kPasswordUnusable,
                   fmt::format("spec.secret.pkcs12.passwordSecretRef.name is \"{}\", the Secret of "
                               "the pair itself: name another Secret.",
                               view.o.spec.secret.name)};
  }
  const PasswordView& password = view.o.password;
  if (password.state == State::Missing) return Trouble{reason::kPasswordMissing, password.problem};
  if (password.state == State::Unusable) {
    return Trouble{reason::kPasswordUnusable, password.problem};
  }
  return std::nullopt;
}

Statement Say(bool holds, std::string_view reason, std::string message) {
  return {condition::kKeystoreWritten, holds ? ConditionStatus::True : ConditionStatus::False,
          reason, std::move(message)};
}

}  // namespace

KeystoreChange KeystoreBeside(const SlotChange& change, const View& view) {
  const auto& there = view.o.keystore;
  const auto& wanted = view.o.spec.secret.pkcs12;
  if (!wanted) return there ? KeystoreChange{RemoveKeystore{}} : KeystoreChange{};
  const PairAfter after(change, view);
  const bool is_missing = IsMissing(view, after);
  if (is_missing && view.o.password.state == State::There && !NamesOwnSecret(view)) {
    return MakeKeystore{*wanted, view.o.password.version};
  }
  if (!there || (after.slots.active && !is_missing)) return {};
  // One that cannot be renewed serves for as long as the pair holds its certificate, and beside a
  // damaged active slot.
  const bool is_spare = view.inactive && view.inactive->fingerprint == there->fingerprint;
  const bool is_damaged_active = !after.slots.active && !after.makes_active && !is_spare;
  const bool serves =
      !view.o.keystore_damaged && (after.Holds(there->fingerprint) || is_damaged_active);
  return serves ? KeystoreChange{} : KeystoreChange{RemoveKeystore{}};
}

bool NeedsPassword(const std::optional<PlannedChange>& change, const View& view) {
  if (!view.o.spec.secret.pkcs12 || view.Leaving() || view.not_writable) return false;
  if (view.o.password.state != State::NotRead || NamesOwnSecret(view)) return false;
  return IsMissing(view, PairAfter(change ? change->slots : Relabel(), view)) ||
         IsMissing(view, PairAfter(Relabel(), view));
}

std::optional<sys_seconds> LookAgainAtPassword(const View& view) {
  if (!view.o.spec.secret.pkcs12 || view.not_writable || NamesOwnSecret(view)) return std::nullopt;
  if (!TroubleWithPassword(view) || !IsMissing(view, PairAfter(Relabel(), view))) {
    return std::nullopt;
  }
  return LookAgainAtUnwatched(view.o, condition::kKeystoreWritten);
}

std::optional<Statement> DescribeKeystore(const View& view) {
  if (!view.o.spec.secret.pkcs12) return std::nullopt;
  if (!view.active) {
    return Say(false, reason::kNoCertificate,
               "The system has no active certificate for keystore.p12.");
  }
  if (Fits(view, *view.active)) {
    return Say(true, reason::kCurrent,
               fmt::format("keystore.p12 in Secret \"{}\" holds the active certificate.",
                           view.o.spec.secret.name));
  }
  const std::string rest =
      view.o.keystore
          ? fmt::format(" keystore.p12 still holds certificate {}.", view.o.keystore->fingerprint)
          : "";
  if (view.not_writable) {
    return Say(false, view.not_writable->reason, view.not_writable->message + rest);
  }
  if (auto trouble = TroubleWithPassword(view)) {
    return Say(false, trouble->reason, trouble->message + rest);
  }
  if (!view.o.write_failure.empty()) {
    return Say(false, view.FailureReason(), view.DescribeFailure() + rest);
  }
  return Say(false, reason::kIssuing, "keystore.p12 is being made." + rest);
}

}  // namespace certpair::core
