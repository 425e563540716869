// Private to src/core: conditions by the Kubernetes API conventions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/rules.hpp"
#include "core/system.hpp"

namespace certpair::core {

/// What a condition says now; `WithConditions` adds when it began to.
struct Statement {
  std::string_view type;
  ConditionStatus status = ConditionStatus::Unknown;
  std::string_view reason;
  std::string message;
};

/// The statements as conditions, in their order, before those of other types that were there.
/// `last_transition` stays where the status stays.
[[nodiscard]] std::vector<Condition> WithConditions(const std::vector<Condition>& before,
                                                    std::vector<Statement> statements,
                                                    std::int64_t generation, sys_seconds now);

/// Ready, ExpiringSoon, AutomaticRegeneration, InUse. `automatic` is what happens automatically, or
/// would if no operation went first.
[[nodiscard]] std::vector<Statement> Conditions(const View& view, const Outcome& automatic);

/// `status.held_fingerprint` tells of the inactive certificate: it waits for a peer that matches by
/// fingerprint, or did, and is about to be activated.
[[nodiscard]] bool HoldsForPeer(const View& view, const Outcome& automatic);

/// `status.secret_blocked`.
[[nodiscard]] bool IsSecretBlocked(const View& view);

/// SecretMetadataAllowed; nothing where spec.secret has neither labels nor annotations.
[[nodiscard]] std::optional<Statement> DescribeSecretMetadata(const Observation& o);

/// R9: the most urgent threshold that the active certificate has passed; nothing before the first.
[[nodiscard]] std::optional<seconds> PassedThreshold(const View& view);

/// The active certificate is replaced in time without a person.
[[nodiscard]] bool WillRegenerateByItself(const View& view, const Outcome& automatic);

/// What a person does about an active certificate that expires or has expired: one or two
/// sentences.
[[nodiscard]] std::string WhatToDo(const View& view, const Outcome& automatic);

}  // namespace certpair::core
