// What the operator's integration tests share: a control plane with CRDs, objects as JSON, and
// waiting for what is to come.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/control_plane.hpp"
#include "support/operator_process.hpp"

namespace certpair::test {

using Json = nlohmann::json;

/// A control plane with the CRDs and the namespaces certpair-system and idm. Each test names its
/// objects after itself, since the control plane is shared.
class OperatorTest : public ControlPlaneTest {
 protected:
  void SetUp() override;

  [[nodiscard]] static OperatorOptions WithAdmin(std::vector<std::string> arguments = {});
  /// Applies by kubectl; the test fails if it is refused.
  static void Apply(const Json& object);
  /// The object as it is now; nothing if there is none.
  [[nodiscard]] static std::optional<Json> Get(const std::string& resource, const std::string& name,
                                               const std::string& namespace_ = "idm");
  /// Waits until the condition `type` of the object has this status (and reason, if given). The
  /// test fails, and shows the object, if not.
  static void AwaitCondition(const std::string& resource, const std::string& name,
                             const std::string& type, const std::string& status,
                             const std::string& reason = {},
                             std::chrono::seconds limit = std::chrono::seconds{30});
  /// {status, reason, message} of a condition; empty texts if it is not there.
  struct Told {
    std::string status;
    std::string reason;
    std::string message;
  };
  [[nodiscard]] static Told ConditionOf(const Json& object, const std::string& type);
  /// Reasons of the Events on an object, oldest first.
  [[nodiscard]] static std::vector<std::string> EventReasons(const std::string& name,
                                                             const std::string& namespace_ = "idm");
  /// A value of a Secret, base64 removed; empty if it is not there.
  [[nodiscard]] static std::string SecretValue(const Json& secret, const std::string& key);

  /// Makes a CertificateOperation in the namespace idm; the test fails if it is refused.
  static void CreateOperation(const std::string& name, const std::string& system,
                              const std::string& action, const std::string& fingerprint = {});

  [[nodiscard]] static Json GeneratedAuthority(const std::string& name);
  [[nodiscard]] static Json AuthorityFromSecret(const std::string& name, const std::string& secret);
  [[nodiscard]] static Json TlsSecret(const std::string& name, const std::string& certificate,
                                      const std::string& key,
                                      const std::string& namespace_ = "certpair-system");
  [[nodiscard]] static Json System(const std::string& name, const std::string& authority);
};

}  // namespace certpair::test
