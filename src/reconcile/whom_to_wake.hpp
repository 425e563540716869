// Whom a change of an object wakes: the one table of it. Pure.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "kube/delay_queue.hpp"
#include "reconcile/objects.hpp"

namespace certpair::reconcile {

/// An object of one kind as it was and as it is; null where there was or is none.
template <class T>
struct Change {
  const std::shared_ptr<const T>& before;
  const std::shared_ptr<const T>& after;
};

/// Those who look again. The systems that are named are told the version and the urgency; all
/// others look in turn.
struct Wakes {
  std::set<std::string> systems;  ///< `namespace/name`
  std::string resource_version;   ///< of the object that changed; empty: it says nothing to them
  kube::Urgency urgency = kube::Urgency::InTurn;
  std::set<std::string> authorities;
  /// All systems and authorities of which these hold; empty: none.
  std::function<bool(const StoredSystem&)> systems_that;
  std::function<bool(const StoredAuthority&)> authorities_that;
};

/// | what changes                                 | wakes                                     |
/// | --- | --- |
/// | a ProvisioningSystem                         | itself                                    |
/// | a Secret in a watched namespace              | the systems that its label names or named |
/// | a CertificateOperation                       | its system, first                         |
/// | a CertificateAuthority                       | itself                                    |
/// | … in what systems see of it                  | and the systems that name it              |
/// | a Namespace's labels, or that it is ending   | the systems in it                         |
/// | a Secret in the operator's own namespace     | the authorities that name it              |
/// | namespaces are known again (LabelsAreKnown)  | the systems whose authority selects by label |
///
/// What is new to the caches may be one of thousands that a list brought: it looks in turn.
[[nodiscard]] Wakes WhomToWake(const Change<StoredSystem>& change);
[[nodiscard]] Wakes WhomToWakeForSecret(const Change<SecretMetadata>& change);
[[nodiscard]] Wakes WhomToWake(const Change<StoredOperation>& change);
[[nodiscard]] Wakes WhomToWake(const Change<StoredAuthority>& change);
[[nodiscard]] Wakes WhomToWake(const std::string& name, const Change<StoredNamespace>& change);
[[nodiscard]] Wakes WhomToWakeForAuthoritySecret(const Change<SecretMetadata>& change);
/// `authority`: the one of a name, or null. It must live as long as the answer.
[[nodiscard]] Wakes WhomToWakeWhenLabelsAreKnown(
    std::function<std::shared_ptr<const StoredAuthority>(const std::string& name)> authority);

/// Whether both look the same to rules that allow.
[[nodiscard]] bool AreSame(const StoredNamespace& a, const StoredNamespace& b);

}  // namespace certpair::reconcile
