// Tables of manifests and what the API server says to them.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/control_plane.hpp"

namespace certpair::test {

using Json = nlohmann::json;

/// The smallest manifests that are accepted; the tables change them by merge patches (RFC 7386).
[[nodiscard]] Json MinimalSystem();
[[nodiscard]] Json MinimalOperation();
[[nodiscard]] Json MinimalAuthority();

struct Row {
  std::string what;    ///< for the test's output
  Json patch;          ///< on top of the minimal manifest
  std::string answer;  ///< all that the API server says; empty: accepted
};

/// A control plane with the CRDs and the namespace `crd`.
class CrdTest : public ControlPlaneTest {
 protected:
  static void SetUpTestSuite() { UseOptions({"--kcm-off"}); }
  void SetUp() override;

  /// Creates it without keeping it, and returns what was refused: everything that the server said,
  /// without the words around it; empty if it was accepted.
  [[nodiscard]] static std::string AnswerToCreate(const Json& manifest);
  /// The same for a merge patch of an object that is there; the change is kept if it is accepted.
  [[nodiscard]] static std::string AnswerToPatch(const std::string& object, const Json& patch);

  static void Check(const Json& minimal, const std::vector<Row>& rows);

  /// Creates it to keep. The test fails if it is refused.
  static void Create(const Json& manifest);
  /// The same with another name, and changed by a merge patch.
  static void Create(Json minimal, const std::string& name, const Json& patch = Json::object());
  static void PatchStatus(const std::string& object, const Json& status);
  /// Reads it back.
  [[nodiscard]] static Json Get(const std::string& object);
};

}  // namespace certpair::test
