#include "kube/lease.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/time_format.hpp"

namespace certpair::kube {
namespace {

// Of more attempts than these none is still on its way.
constexpr std::size_t kRememberedAttempts = 8;

std::int64_t WholeSeconds(const LeaseTimings& timings) {
  return std::chrono::ceil<std::chrono::seconds>(timings.duration).count();
}

std::chrono::milliseconds DurationOf(const LeaseRecord& record, const LeaseTimings& timings) {
  if (record.duration_seconds <= 0) return timings.duration;
  constexpr std::int64_t kYear = 366L * 24 * 3600;  // keeps the sum of times in range
  return std::chrono::seconds{std::min(record.duration_seconds, kYear)};
}

bool IsOurs(const LeaseRecord& record, const LeaseSelf& self) {
  return record.holder == self.identity &&
         std::ranges::find(self.written, record) != self.written.end();
}

}  // namespace

Result<void> Check(const LeaseTimings& timings) {
  if (timings.retry_period <= std::chrono::milliseconds{0} ||
      timings.renew_deadline < 2 * timings.retry_period ||
      timings.duration <= timings.renew_deadline ||
      timings.duration != std::chrono::floor<std::chrono::seconds>(timings.duration))
    return Fail(ErrorCode::Invalid,
                "leader election: the lease duration must be whole seconds and longer than the "
                "renew deadline, and that at least twice the retry period");
  return {};
}

LeaseDecision LeaseStep(const LeaseSight& sight, const LeaseSelf& self, SteadyTime now,
                        WallTime wall, const LeaseTimings& timings) {
  const std::string time = FormatMicroTime(wall);
  LeaseRecord mine{self.identity, WholeSeconds(timings), time, time, 0};
  if (!sight.record) {
    // A deleted Lease does not tell which process leads: its holder may not know yet.
    const SteadyTime free_at = sight.changed_at + timings.duration;
    if (!self.leads && now < free_at) return LeaseWait{free_at};
    return LeaseWrite{std::move(mine), {}};
  }
  const LeaseRecord& record = *sight.record;
  mine.transitions = record.transitions;
  if (IsOurs(record, self)) {
    mine.acquire_time = record.acquire_time;
    return LeaseWrite{std::move(mine), sight.resource_version};
  }
  if (!record.holder.empty()) {
    const SteadyTime free_at = sight.changed_at + DurationOf(record, timings);
    if (now < free_at) return LeaseWait{free_at};
  }
  ++mine.transitions;
  return LeaseWrite{std::move(mine), sight.resource_version};
}

LeaseElection::LeaseElection(std::string identity, LeaseTimings timings, std::uint64_t seed)
    : timings_(timings), random_(seed), self_{std::move(identity), {}, false} {}

// Up to a fifth sooner than the period, so that electors that woke together drift apart, and a
// look is never later than the period.
SteadyTime LeaseElection::After(SteadyTime now) {
  const auto whole = std::chrono::nanoseconds{timings_.retry_period}.count();
  const auto part =
      static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(whole / 5 + 1));
  return now + std::chrono::nanoseconds{whole - part};
}

LeaseElection::Action LeaseElection::Next(SteadyTime now, WallTime wall) {
  if (now < rest_until_) return Rest{rest_until_};
  if (must_read_ || !sight_) return Read{};
  self_.leads = Leads(now);
  auto decision = LeaseStep(*sight_, self_, now, wall, timings_);
  if (const auto* wait = std::get_if<LeaseWait>(&decision)) {
    must_read_ = true;
    rest_until_ = std::min(wait->until, After(now));
    return Rest{rest_until_};
  }
  auto& write = std::get<LeaseWrite>(decision);
  self_.written.push_back(write.record);
  if (self_.written.size() > kRememberedAttempts) self_.written.pop_front();
  asked_at_ = now;
  return std::move(write);
}

void LeaseElection::ReadCame(std::optional<LeaseRecord> record, std::string resource_version,
                             SteadyTime now) {
  const bool first = !sight_;
  // Absence has no version: a process that paused may have missed a Lease that came and
  // went, with a leader that does not know yet.
  const bool missed = !record && now - looked_at_ > 3 * timings_.retry_period;
  const bool changed = first || missed || record.has_value() != sight_->record.has_value() ||
                       resource_version != sight_->resource_version;
  looked_at_ = now;
  if (record && !IsOurs(*record, self_)) leads_until_ = SteadyTime::min();
  SteadyTime changed_at = changed ? now : sight_->changed_at;
  if (first && !record) changed_at = now - timings_.duration;  // there never was one
  sight_ = LeaseSight{std::move(record), std::move(resource_version), changed_at};
  must_read_ = false;
}

void LeaseElection::WriteCame(std::string resource_version, SteadyTime now) {
  sight_ = LeaseSight{self_.written.back(), std::move(resource_version), now};
  looked_at_ = now;
  leads_until_ = asked_at_ + timings_.renew_deadline;
  rest_until_ = After(asked_at_);
  read_at_once_ = false;
}

void LeaseElection::Failed(ApiErrorKind kind, SteadyTime now) {
  must_read_ = true;
  const bool something_changed = kind == ApiErrorKind::Conflict ||
                                 kind == ApiErrorKind::AlreadyExists ||
                                 kind == ApiErrorKind::NotFound;
  read_at_once_ = something_changed && !read_at_once_;
  rest_until_ = read_at_once_ ? now : After(now);
}

std::optional<LeaseWrite> LeaseElection::Release(WallTime wall) {
  leads_until_ = SteadyTime::min();
  if (!sight_ || !sight_->record || !IsOurs(*sight_->record, self_)) return std::nullopt;
  const std::string time = FormatMicroTime(wall);
  return LeaseWrite{{"", 1, time, time, sight_->record->transitions}, sight_->resource_version};
}

std::string LeaseElection::Holder() const {
  return sight_ && sight_->record ? sight_->record->holder : std::string{};
}

namespace {

std::string TextAt(const nlohmann::json& spec, const char* key) {
  const auto found = spec.find(key);
  return found != spec.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::int64_t NumberAt(const nlohmann::json& spec, const char* key) {
  const auto found = spec.find(key);
  return found != spec.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace

LeaseRecord DecodeLease(const nlohmann::json& lease) {
  const auto spec = lease.find("spec");
  if (spec == lease.end() || !spec->is_object()) return {};
  return {TextAt(*spec, "holderIdentity"), NumberAt(*spec, "leaseDurationSeconds"),
          TextAt(*spec, "acquireTime"), TextAt(*spec, "renewTime"),
          NumberAt(*spec, "leaseTransitions")};
}

void EncodeLease(const LeaseRecord& record, nlohmann::json& lease) {
  auto& spec = lease["spec"];
  spec["holderIdentity"] = record.holder;
  spec["leaseDurationSeconds"] = record.duration_seconds;
  spec["acquireTime"] = record.acquire_time;
  spec["renewTime"] = record.renew_time;
  spec["leaseTransitions"] = record.transitions;
}

}  // namespace certpair::kube
