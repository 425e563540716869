// Faults between the operator and a real API server: see fault_proxy.py.
#pragma once

#include <csignal>
#include <map>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "support/child.hpp"
#include "support/control_plane.hpp"

namespace certpair::test {

class FaultProxy {
 public:
  /// In front of `control_plane`, as its administrator. The test fails if it does not start.
  explicit FaultProxy(const ControlPlane& control_plane);

  /// For the operator; it holds no credentials.
  [[nodiscard]] std::string Kubeconfig() const { return folder_ / "kubeconfig"; }
  /// One command, as the script's head lists them; its answer.
  nlohmann::json Do(const nlohmann::json& command) const;
  /// From now on it takes connections and answers nothing, as a server that stalls.
  void Freeze() const { child_.Signal(SIGSTOP); }
  /// Writes that were carried out since the last reset, but for Leases and Events.
  [[nodiscard]] int Writes() const;

 private:
  ScratchFolder folder_;
  Child child_;
  int control_port_ = 0;
};

}  // namespace certpair::test
