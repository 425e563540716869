// For tests of an operator that sees the API server through a proxy which can be told to misbehave.
#pragma once

#include <optional>

#include "support/fault_proxy.hpp"
#include "support/pair_test.hpp"

namespace certpair::test {

class ProxiedOperatorTest : public PairTest {
 protected:
  void SetUp() override {
    PairTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    proxy_.emplace(TheControlPlane());
  }
  [[nodiscard]] OperatorOptions ThroughProxy() const {
    return {.kubeconfig = proxy_->Kubeconfig(), .arguments = {"--leader-elect=false"}};
  }

  std::optional<FaultProxy> proxy_;
};

}  // namespace certpair::test
