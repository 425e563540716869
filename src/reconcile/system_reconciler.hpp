// The passes over ProvisioningSystems, one system at a time, and what is remembered between them.
#pragma once

#include <chrono>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "reconcile/pass/memory.hpp"
#include "reconcile/pass/pass_tools.hpp"
#include "reconcile/pass_result.hpp"

namespace certpair::reconcile {

/// Thread-safe for different keys. The work queue sees to it that one thread at a time works on a
/// key.
class SystemReconciler {
 public:
  /// Each Secret is read and checked in depth every `check_in_depth_every` (positive), whatever its
  /// system's status says. `postbox` null: mail is not configured.
  SystemReconciler(const View& view, Cluster& cluster, CertificateSource& certificates,
                   const Clock& clock, core::Installation installation, PassObserver observer = {},
                   seconds check_in_depth_every = std::chrono::hours{24},
                   notify::Postbox* postbox = nullptr);

  /// `key`: `namespace/name`.
  PassResult Pass(const std::string& key);

  /// Begins as after a restart: another leader may have acted since.
  void ForgetAll() { memories_.Lock()->clear(); }

  /// Takes note of a cache's news. True: it is only the echo of our own write and needs no pass.
  [[nodiscard]] bool IsEcho(const std::string& key, const std::string& resource_version);

 private:
  PassResult PassWithout(const std::string& key);

  const PassTools tools_;
  Guarded<std::unordered_map<std::string, Memory>> memories_;  // by key
};

}  // namespace certpair::reconcile
