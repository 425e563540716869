// DecideAuthority: the life of a CertificateAuthority (R24).
#include "core/authority.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "base/match.hpp"
#include "base/time_format.hpp"
#include "core/conditions.hpp"
#include "core/reasons.hpp"
#include "core/schedule.hpp"

namespace certpair::core {
namespace {

constexpr seconds kLongestWarning = std::chrono::days{365};  // the default validity
constexpr std::size_t kMostEarlier = 16;

sys_seconds WarningTime(sys_seconds not_before, sys_seconds end) {
  return end - std::min(kLongestWarning, std::max(end - not_before, seconds{0}) / 3);
}

struct ReadCa {
  const AuthorityObservation& o;
  AuthorityDecision& decision;

  Statement NotReady(std::string_view reason, std::string message) const {
    return {condition::kReady, ConditionStatus::False, reason, std::move(message)};
  }

  Statement WhenMissing(const AuthorityFromSecret& from) const {
    return NotReady(reason::kSecretNotFound,
                    fmt::format("Secret \"{}\" does not exist in the operator's namespace. Create "
                                "it (type kubernetes.io/tls) with the CA's key and certificate.",
                                from.secret_name));
  }
  Statement WhenMissing(const AuthorityGenerated& generated) const {
    // A peer that trusts the old CA would not trust a new one: a person decides.
    if (!o.status.fingerprint.empty()) {
      return NotReady(
          reason::kSecretLost,
          fmt::format("The Secret of the generated CA {} does not exist any more. Restore it. To "
                      "start with a new CA instead, which every peer must learn, delete this "
                      "CertificateAuthority and create it again. Existing certificates stay.",
                      o.status.fingerprint));
    }
    decision.generate = GenerateAuthority{generated.common_name, generated.key, o.now - kBackdating,
                                          o.now + generated.validity};
    if (!o.write_failure.empty()) {
      return NotReady(
          reason::kSecretWriteFailed,
          fmt::format("The Secret for the CA could not be written: {}", o.write_failure));
    }
    return NotReady(reason::kGenerating, "The CA's key pair is being generated.");
  }

  Statement operator()(const CaMissing&) const {
    return std::visit([&](const auto& source) { return WhenMissing(source); }, o.source);
  }
  Statement operator()(const CaUnusable& unusable) const {
    return NotReady(unusable.reason, unusable.message);
  }
  Statement operator()(const CaNotOurs& foreign) const {
    return NotReady(reason::kSecretNotOurs, foreign.message);
  }
  Statement operator()(const CaUsable& ca) const {
    if (o.now >= ca.chain_end) {
      return NotReady(
          reason::kExpired,
          fmt::format("The CA's certificate, or one above it, expired on {}. Replace it.",
                      FormatTime(ca.chain_end)));
    }
    if (o.now < ca.not_before) {
      return NotReady(
          reason::kNotYetValid,
          fmt::format("The CA's certificate is not valid before {}.", FormatTime(ca.not_before)));
    }
    return {condition::kReady, ConditionStatus::True, reason::kUsable,
            fmt::format("It can sign until {}.", FormatTime(ca.chain_end))};
  }
};

// Newest first, each once, none that signs now.
void Remember(AuthorityStatus& status, const std::string& current, bool same_key) {
  auto& earlier = status.earlier_fingerprints;
  auto& same = status.same_key_fingerprints;
  if (!status.fingerprint.empty() && status.fingerprint != current) {
    std::erase(earlier, status.fingerprint);
    earlier.insert(earlier.begin(), status.fingerprint);
    if (!same_key) same.clear();
    if (same_key) same.insert(same.begin(), status.fingerprint);
  }
  std::erase(earlier, current);
  if (earlier.size() > kMostEarlier) earlier.resize(kMostEarlier);
  std::erase_if(same, [&](const std::string& fingerprint) {
    return std::ranges::find(earlier, fingerprint) == earlier.end();
  });
  status.fingerprint = current;
}

Statement ExpiringSoon(const AuthorityStatus& status, sys_seconds now) {
  if (!status.not_after || !status.not_before) {
    return {condition::kExpiringSoon, ConditionStatus::False, reason::kNoCertificate,
            "No certificate of this CA is known."};
  }
  const sys_seconds warning = WarningTime(*status.not_before, *status.not_after);
  if (now < warning) {
    return {condition::kExpiringSoon, ConditionStatus::False, reason::kNotYet,
            fmt::format("It expires on {}. The warning is on {}.", FormatTime(*status.not_after),
                        FormatTime(warning))};
  }
  return {condition::kExpiringSoon, ConditionStatus::True, reason::kActionNeeded,
          fmt::format("It expires on {}, and no certificate that it signs can expire later. Plan "
                      "its successor: put a new key pair into its Secret once the peers trust it.",
                      FormatTime(*status.not_after))};
}

// A person replaces the key of a Secret on purpose. A generated CA has no reason to change.
bool IsUnexpectedChange(const AuthoritySource& source) {
  return std::visit(Match{[](const AuthorityFromSecret&) { return false; },
                          [](const AuthorityGenerated&) { return true; }},
                    source);
}

void TellChange(const AuthorityObservation& o, AuthorityDecision& decision) {
  const AuthorityStatus& now = decision.status;
  if (!o.status.fingerprint.empty() && now.fingerprint != o.status.fingerprint) {
    decision.events.push_back(
        {IsUnexpectedChange(o.source), std::string(reason::kAuthorityChanged),
         fmt::format("The CA has {}, {} instead of {}. Existing certificates stay. The next ones "
                     "come from it.",
                     o.has_key_of_status ? "renewed its certificate with the same key"
                                         : "another key and certificate",
                     now.fingerprint, o.status.fingerprint)});
  }
  for (const Condition& condition : now.conditions) {
    const auto was = std::ranges::find(o.status.conditions, condition.type, &Condition::type);
    if (was != o.status.conditions.end() && was->reason == condition.reason) continue;
    const bool ready = condition.type == condition::kReady;
    const bool good = ready == (condition.status == ConditionStatus::True);
    if (condition.reason == reason::kGenerating || (!ready && good)) continue;
    decision.events.push_back({!good,
                               ready && good ? std::string(condition::kReady)
                               : ready       ? condition.reason
                                             : std::string(condition::kExpiringSoon),
                               condition.message});
  }
}

}  // namespace

AuthorityDecision DecideAuthority(const AuthorityObservation& observation) {
  AuthorityDecision decision;
  decision.status = observation.status;
  if (observation.identity.being_deleted) return decision;
  AuthorityStatus& status = decision.status;
  const sys_seconds now = observation.now;
  Statement ready = std::visit(ReadCa{observation, decision}, observation.secret);
  if (const auto* ca = std::get_if<CaUsable>(&observation.secret)) {
    Remember(status, ca->fingerprint, observation.has_key_of_status);
    status.subject = ca->subject;
    status.not_before = ca->not_before;
    status.not_after = ca->chain_end;
    status.chain = ca->chain.size() <= kLongestChain ? ca->chain : std::string{};
    for (const sys_seconds at :
         {ca->not_before, WarningTime(ca->not_before, ca->chain_end), ca->chain_end}) {
      if (at > now && (!decision.wake_at || at < *decision.wake_at)) decision.wake_at = at;
    }
  }
  // No event comes when its time does, so that the pass is planned here.
  const auto* unusable = std::get_if<CaUnusable>(&observation.secret);
  if (unusable && unusable->usable_from && *unusable->usable_from > now) {
    decision.wake_at = unusable->usable_from;
  }
  status.observed_generation = observation.identity.generation;
  status.conditions =
      WithConditions(observation.status.conditions, {std::move(ready), ExpiringSoon(status, now)},
                     observation.identity.generation, now);
  TellChange(observation, decision);
  return decision;
}

}  // namespace certpair::core
