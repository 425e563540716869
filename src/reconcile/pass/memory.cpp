#include "reconcile/pass/memory.hpp"

#include <utility>

#include "core/schedule.hpp"
#include "reconcile/objects.hpp"

namespace certpair::reconcile {

bool KnownStatus::See(std::uint64_t digest) {
  if (!Is(digest)) is_ours_ = false;
  if (digest_) return false;
  digest_ = digest;
  return true;
}

void KnownStatus::Wrote(std::uint64_t digest, bool written) {
  digest_ = digest;
  if (written) is_ours_ = true;
}

bool OwnWrites::TakeEcho(const std::string& version) {
  if (behind_since_) return false;
  for (std::string* awaited : {&system_, &secret_}) {
    if (*awaited != version) continue;
    awaited->clear();
    return true;
  }
  return false;
}

OwnWrites::Lag OwnWrites::Check(const std::string& system, const std::string* secret,
                                SteadyTime now) {
  const bool system_lags = !system_.empty() && !HasReached(system, system_);
  const bool secret_lags = !secret_.empty() && (secret == nullptr || !HasReached(*secret, secret_));
  if (!system_lags && !secret_lags) {
    *this = {};
    return Lag::None;
  }
  if (!behind_since_) behind_since_ = now;
  return now - *behind_since_ < kCacheMayLag ? Lag::Behind : Lag::TooLong;
}

std::chrono::steady_clock::duration KeyWait::Last(SteadyTime now) {
  if (!since_) since_ = now;
  return now - *since_;
}

void WriteTrouble::Hinder(const std::string& message, bool by_signer, sys_seconds now) {
  by_signer_ = by_signer;
  if (IsAny()) return;
  message_ = message;
  since_ = now;
}

void WriteTrouble::Refuse(const std::string& message, bool by_signer) {
  by_signer_ = by_signer;
  message_ = message;
  since_.reset();
}

void WriteTrouble::ShowIn(core::Observation& observation) const {
  observation.write_failure = message_;
  observation.signing_failed = by_signer_;
  observation.write_fails_since = since_;
}

core::Budget Issuances::Of(const std::string& uid) {
  if (std::exchange(uid_, uid) != uid) budget_ = {};
  return budget_;
}

void Issuances::Remember(const std::vector<sys_seconds>& times) {
  if (!times.empty()) budget_.automatic = times;
}

void DepthCheck::PlanNext(const std::string& uid, sys_seconds now, seconds period) {
  const std::int64_t length = period.count();
  const auto phase =
      static_cast<std::int64_t>(core::StableHash(uid) % static_cast<std::uint64_t>(length));
  const std::int64_t since = (now.time_since_epoch().count() - phase) % length;
  at_ = now + seconds{length - since};
}

void Memory::DistrustCaches() {
  status = {};
  writes = {};
  trouble = {};
  owner = {};
  metadata = {};
  read_live = true;
}

}  // namespace certpair::reconcile
