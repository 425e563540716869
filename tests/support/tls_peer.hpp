// A TLS peer that is called every 100 ms with what a Secret holds: see tls_peer.py.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "support/child.hpp"
#include "support/control_plane.hpp"

namespace certpair::test {

class TlsPeer {
 public:
  /// Calls begin at once; the Secret must be there.
  TlsPeer(const ControlPlane& control_plane, const std::string& namespace_,
          const std::string& secret);
  /// Calls an HTTPS server that is there already, whose certificate is the file `url_ca`.
  TlsPeer(const ControlPlane& control_plane, const std::string& namespace_,
          const std::string& secret, const std::string& url, const std::string& url_ca);
  /// Waits until `more` further calls have ended: what happens next is seen from before and after.
  void AwaitCalls(int more);
  /// Ends the calls: {"calls", "refused", "fingerprints", "errors"}.
  nlohmann::json Finish();

 private:
  [[nodiscard]] nlohmann::json Told() const;

  ScratchFolder folder_;
  Child child_;
};

/// `--server`, `--ca` and `--token-file` of an administrator, for the scripts beside these tests;
/// the files are put into `folder`.
[[nodiscard]] std::vector<std::string> AdministratorArguments(const ControlPlane& control_plane,
                                                              const ScratchFolder& folder);

}  // namespace certpair::test
