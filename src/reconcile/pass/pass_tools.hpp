// What all passes share.
#pragma once

#include <functional>
#include <string_view>

#include "base/clock.hpp"
#include "core/notice.hpp"
#include "core/observation.hpp"
#include "notify/postbox.hpp"
#include "reconcile/ports.hpp"

namespace certpair::reconcile {

/// What passes report to the metrics. Called from the threads of the passes.
struct PassObserver {
  std::function<void(std::string_view change)> issued;  ///< the word of a core::ChangeKind
  /// What became of a mail, once the ledger holds it.
  std::function<void(core::NoticeOutcome::Kind outcome)> notified;
};

/// Borrowed by each pass; what it refers to outlives the passes and is thread-safe.
struct PassTools {
  const View& view;
  Cluster& cluster;
  CertificateSource& certificates;
  const Clock& clock;
  core::Installation installation;
  PassObserver observer;
  seconds check_in_depth_every;
  notify::Postbox* postbox = nullptr;  ///< null: mail is not configured
};

}  // namespace certpair::reconcile
