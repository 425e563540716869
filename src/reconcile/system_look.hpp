// Private to this folder: what SystemReconciler has in hand during one pass.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reconcile/system_reconciler.hpp"

namespace certpair::reconcile {

// Everything that one pass sees and decides.
struct SystemReconciler::Look {
  const StoredSystem& system;                              // as cached when the pass began
  std::string resource_version = system.resource_version;  // of our own write, once there is one
  core::Observation seen;
  core::Decision decided;
  std::optional<LiveSecret> secret;                 // read live in this pass
  bool was_read = false;                            // `secret` says what is there, be it nothing
  std::shared_ptr<const SecretMetadata> described;  // by status, which can be believed
  SecretString password;                            // of the key store, where it was read
  std::vector<std::shared_ptr<const StoredOperation>> operations;
  core::Budget remembered;  // by this process, of this system's automatic issuances (R27)

  void TakeOver(SecretReading reading) {
    seen.secret = std::move(reading.state);
    seen.secret_resource_version = std::move(reading.resource_version);
    seen.secret_metadata_differs = reading.metadata_differs;
    seen.secret_owner_differs = reading.owner_differs;
    seen.receipt = std::move(reading.receipt);
    seen.budget = core::Merge(std::move(reading.budget), remembered);
    seen.renewed = std::move(reading.renewed);
    seen.keystore = std::move(reading.keystore);
    seen.keystore_damaged = reading.keystore_damaged;
  }
};

}  // namespace certpair::reconcile
