#include "reconcile/whom_to_wake.hpp"

#include <algorithm>
#include <utility>

#include "reconcile/authority_codec.hpp"
#include "reconcile/names.hpp"

namespace certpair::reconcile {
namespace {

template <class T>
const T& Known(const Change<T>& change) {
  return change.after ? *change.after : *change.before;
}

template <class T>
std::string VersionOf(const Change<T>& change) {
  return change.after ? change.after->resource_version : "";
}

template <class T>
kube::Urgency UrgencyOf(const Change<T>& change) {
  return change.before ? kube::Urgency::First : kube::Urgency::InTurn;
}

std::string KeyOf(const StoredSystem& system) {
  return ObjectKey(system.identity.namespace_, system.identity.name);
}

// A change of anything else need not wake the systems.
bool LookTheSameToSystems(const StoredAuthority& a, const StoredAuthority& b) {
  const core::AuthorityView x = ViewOf(a.identity.name, &a);
  const core::AuthorityView y = ViewOf(b.identity.name, &b);
  return x.state == y.state && x.message == y.message && x.fingerprint == y.fingerprint &&
         x.earlier_fingerprints == y.earlier_fingerprints &&
         x.same_key_fingerprints == y.same_key_fingerprints && x.not_before == y.not_before &&
         x.chain_end == y.chain_end && x.allow == y.allow;
}

bool SelectsByLabel(const StoredAuthority& authority) {
  return std::ranges::any_of(authority.allow,
                             [](const auto& rule) { return !rule.namespaces.labels.empty(); });
}

}  // namespace

bool AreSame(const StoredNamespace& a, const StoredNamespace& b) {
  return a.labels == b.labels && a.terminating == b.terminating;
}

Wakes WhomToWake(const Change<StoredSystem>& change) {
  return {.systems = {KeyOf(Known(change))},
          .resource_version = VersionOf(change),
          .urgency = UrgencyOf(change)};
}

Wakes WhomToWakeForSecret(const Change<SecretMetadata>& change) {
  Wakes wakes{.systems = {}, .resource_version = VersionOf(change), .urgency = UrgencyOf(change)};
  for (const auto* secret : {&change.before, &change.after})
    if (*secret && !(*secret)->Label(kSystemLabel).empty())
      wakes.systems.insert(ObjectKey((*secret)->namespace_, (*secret)->Label(kSystemLabel)));
  return wakes;
}

Wakes WhomToWake(const Change<StoredOperation>& change) {
  const StoredOperation& operation = Known(change);
  return {.systems = {ObjectKey(operation.namespace_, operation.system)},
          .resource_version = {},
          .urgency = kube::Urgency::First};
}

Wakes WhomToWake(const Change<StoredAuthority>& change) {
  const std::string& name = Known(change).identity.name;
  Wakes wakes{.authorities = {name}};
  if (!change.before || !change.after || !LookTheSameToSystems(*change.before, *change.after))
    wakes.systems_that = [name](const StoredSystem& s) { return s.spec.authority == name; };
  return wakes;
}

Wakes WhomToWake(const std::string& name, const Change<StoredNamespace>& change) {
  if (change.before && change.after && AreSame(*change.before, *change.after)) return {};
  return {.systems_that = [name](const StoredSystem& s) { return s.identity.namespace_ == name; }};
}

Wakes WhomToWakeForAuthoritySecret(const Change<SecretMetadata>& change) {
  return {.authorities_that = [secret = Known(change).name](const StoredAuthority& authority) {
    return authority.SecretName() == secret;
  }};
}

Wakes WhomToWakeWhenLabelsAreKnown(
    std::function<std::shared_ptr<const StoredAuthority>(const std::string&)> authority) {
  return {.systems_that = [authority = std::move(authority)](const StoredSystem& system) {
    const auto its = authority(system.spec.authority);
    return its && SelectsByLabel(*its);
  }};
}

}  // namespace certpair::reconcile
