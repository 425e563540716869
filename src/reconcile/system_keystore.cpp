// SystemReconciler: the key store's password, and its bytes (R13).
#include <utility>

#include "base/log.hpp"
#include "reconcile/apply.hpp"
#include "reconcile/keystore.hpp"
#include "reconcile/system_look.hpp"

namespace certpair::reconcile {

// Only where a key store is to be made, and once a day to see whether it is another by now: the
// password's Secret is not in our watch. That it cannot be read is no failure of the pass, since no
// certificate waits for it.
SystemReconciler::ReadResult SystemReconciler::ReadPassword(Look& look) const {
  const core::PasswordReference& reference = *look.system.spec.secret.pkcs12;
  const auto secret = cluster_.ReadSecret(look.system.identity.namespace_, reference.name);
  if (!secret && secret.error().kind == kube::ApiErrorKind::Cancelled)
    return std::unexpected(secret.error());
  PasswordReading reading = reconcile::ReadPassword(reference, secret);
  look.seen.password = std::move(reading.view);
  look.password = std::move(reading.password);
  return {};
}

SystemReconciler::ReadResult SystemReconciler::DecideOnPassword(Look& look) const {
  if (!look.decided.needs_password) return {};
  if (auto read = ReadPassword(look); !read) return read;
  look.decided = core::Decide(look.seen);
  return {};
}

// The bytes that the decided change puts beside the slots. Nothing: they cannot be made, and Decide
// has to be asked again.
std::optional<SecretString> SystemReconciler::EncodeKeystore(
    const std::string& key, Look& look,
    const std::optional<x509::IssuedCertificate>& issued) const {
  const core::PlannedChange& plan = *look.decided.change;
  if (!std::holds_alternative<core::MakeKeystore>(plan.keystore)) return SecretString{};
  const SlotTexts slot = ActiveTextsAfter(plan, issued, look.secret ? &*look.secret : nullptr);
  auto made = certificates_.EncodeKeystore(slot.certificate, slot.key, slot.authority,
                                           look.password, look.system.identity.name);
  if (made) return std::move(*made);
  log::Error("a key store could not be made", {{"system", key}, {"error", made.error().message}});
  look.seen.password = {
      .state = core::PasswordView::State::Unusable, .version = {}, .problem = made.error().message};
  return std::nullopt;
}

}  // namespace certpair::reconcile
