// For tests of a pair's life on a real API server: operations with their ends, and which
// certificate is in which slot.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "support/operator_test.hpp"

namespace certpair::test {

class PairTest : public OperatorTest {
 protected:
  static constexpr std::chrono::seconds kSoon{60};

  /// Fingerprints by slot.
  struct Pair {
    std::string active;
    std::string inactive;  ///< empty: none
    friend bool operator==(const Pair&, const Pair&) = default;
  };
  /// What status tells.
  [[nodiscard]] static Pair PairOf(const std::string& system);
  /// Waits until status shows a pair for which `holds`; answers it. The test fails if it does not
  /// come.
  static Pair AwaitPair(const std::string& system, const std::function<bool(const Pair&)>& holds,
                        std::chrono::seconds limit = kSoon);
  /// The fingerprint of a certificate in the Secret, by openssl.
  [[nodiscard]] static std::string FingerprintOf(const Json& secret, const std::string& key);

  /// {Complete|Failed, reason}; empty texts while it has not ended.
  using Outcome = std::pair<std::string, std::string>;
  [[nodiscard]] static Outcome OutcomeOf(const std::string& operation);
  static Outcome AwaitOutcome(const std::string& operation);
  /// Creates an operation and waits for its end.
  static Outcome Operate(const std::string& name, const std::string& system,
                         const std::string& action, const std::string& fingerprint = {});
};

}  // namespace certpair::test
