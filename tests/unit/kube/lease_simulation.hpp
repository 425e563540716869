// Electors on machines of their own, with clocks of their own, and one API server, in virtual time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kube/lease.hpp"

namespace certpair::kube {

/// The world's time: milliseconds since its start.
using Instant = std::int64_t;

class LeaseSimulation {
 public:
  LeaseSimulation(unsigned seed, int electors) : random_(seed) {
    for (int i = 0; i < electors; ++i) {
      machines_.push_back(std::make_unique<Machine>());
      machines_.back()->clock_offset = Pick(0, 1'000'000);
      machines_.back()->wall_offset = Pick(-500'000'000, 500'000'000);
      machines_.back()->clock_rate = 1.0 + static_cast<double>(Pick(-40, 40)) / 1000;
      Start(i);
    }
  }

  /// Probability in a thousand, of each request, to be lost, to lose its answer, to be late.
  int trouble = 0;
  std::function<void(const std::string& what)> fault;  ///< two leaders at one instant

  void RunUntil(Instant end) {
    while (!events_.empty() && events_.top().at <= end) {
      const Event event = events_.top();
      events_.pop();
      now_ = event.at;
      event.run();
      CheckLeaders();
    }
    now_ = end;
    CheckLeaders();
  }

  [[nodiscard]] Instant Now() const { return now_; }
  [[nodiscard]] std::optional<int> Leader() const {
    for (int i = 0; i < static_cast<int>(machines_.size()); ++i)
      if (Leads(i)) return i;
    return std::nullopt;
  }
  [[nodiscard]] int Size() const { return static_cast<int>(machines_.size()); }
  [[nodiscard]] int Terms() const { return terms_; }
  std::int64_t Pick(std::int64_t from, std::int64_t to) {
    return std::uniform_int_distribution<std::int64_t>{from, to}(random_);
  }

  // What may happen to a machine or to the Lease.
  void Freeze(int i, Instant duration) {
    machines_[Index(i)]->frozen_until =
        std::max(machines_[Index(i)]->frozen_until, now_ + duration);
  }
  void Kill(int i) { machines_[Index(i)]->life = 0; }
  void Start(int i) {
    Machine& machine = *machines_[Index(i)];
    machine.life = ++lives_;
    machine.frozen_until = 0;
    machine.election.emplace("elector-" + std::to_string(i) + "_" + std::to_string(machine.life),
                             LeaseTimings{}, static_cast<std::uint64_t>(machine.life) * 7919U);
    After(Pick(0, 500), i, [this, i] { Act(i); });
  }
  /// SIGTERM: it stops leading, frees the Lease, and is gone.
  void Stop(int i) {
    auto election = std::make_shared<LeaseElection>(*machines_[Index(i)]->election);
    const auto write = election->Release(Wall(i));
    Kill(i);
    At(now_ + Pick(1, 100), [this, i, write, election] {
      if (write && !Apply(*write)) return;
      if (!lease_) return;  // an own renewal on its way may have come before: look again
      election->ReadCame(lease_->record, std::to_string(lease_->version), Local(i));
      const auto again = election->Release(Wall(i));
      if (again) (void)Apply(*again);
    });
  }
  void DeleteLease() {
    lease_.reset();
    last_deletion_ = now_;
  }
  void Steal(const std::string& holder) {
    if (!lease_) return;
    lease_->record.holder = holder;
    lease_->version = ++version_;
  }
  void Touch() {
    if (lease_) lease_->version = ++version_;
  }
  [[nodiscard]] Instant LastDeletion() const { return last_deletion_; }
  /// Whether each elector that lives has seen that there is a Lease.
  [[nodiscard]] bool AllKnowTheLease() const {
    for (const auto& machine : machines_)
      if (machine->life != 0 && machine->knows_since != machine->life) return false;
    return true;
  }
  [[nodiscard]] bool Alive(int i) const { return machines_[Index(i)]->life != 0; }
  [[nodiscard]] const std::string& Holder() const { return lease_->record.holder; }
  [[nodiscard]] bool LeaseIsThere() const { return lease_.has_value(); }

 private:
  struct Machine {
    std::optional<LeaseElection> election;
    int life = 0;         // 0: dead
    int knows_since = 0;  // the life in which it saw a Lease
    Instant frozen_until = 0;
    Instant clock_offset = 0;
    Instant wall_offset = 0;
    double clock_rate = 1;
    int request = 0;  // the answers to earlier ones are no longer awaited
  };
  struct Lease {
    LeaseRecord record;
    std::int64_t version;
  };
  struct Event {
    Instant at;
    std::int64_t order;
    std::function<void()> run;
    bool operator<(const Event& other) const {
      return std::pair{at, order} > std::pair{other.at, other.order};
    }
  };
  static std::size_t Index(int i) { return static_cast<std::size_t>(i); }

  SteadyTime Local(int i) const {
    const Machine& machine = *machines_[Index(i)];
    return SteadyTime{std::chrono::microseconds{static_cast<std::int64_t>(
        static_cast<double>(machine.clock_offset + now_) * machine.clock_rate * 1000)}};
  }
  WallTime Wall(int i) const {
    return WallTime{
        std::chrono::milliseconds{1'800'000'000'000 + now_ + machines_[Index(i)]->wall_offset}};
  }
  bool Leads(int i) const { return Alive(i) && machines_[Index(i)]->election->Leads(Local(i)); }

  void At(Instant at, std::function<void()> run) {
    events_.push({at, next_order_++, std::move(run)});
  }
  // On the machine: when it is awake, and only in the same life.
  void After(Instant delay, int i, std::function<void()> run) {
    At(now_ + delay, [this, i, life = machines_[Index(i)]->life, run = std::move(run)] {
      const Machine& machine = *machines_[Index(i)];
      if (machine.life != life) return;
      if (now_ < machine.frozen_until) return After(machine.frozen_until - now_, i, run);
      run();
    });
  }

  void Act(int i) {
    Machine& machine = *machines_[Index(i)];
    auto action = machine.election->Next(Local(i), Wall(i));
    if (const auto* rest = std::get_if<LeaseElection::Rest>(&action)) {
      const auto wait =
          std::chrono::ceil<std::chrono::milliseconds>(rest->until - Local(i)).count();
      After(std::max<Instant>(wait, 1), i, [this, i] { Act(i); });
      return;
    }
    // Between the decision and the packet a process may be frozen.
    After(Pick(0, 5), i, [this, i, action] { Send(i, action); });
  }

  void Send(int i, const LeaseElection::Action& action) {
    Machine& machine = *machines_[Index(i)];
    const int request = ++machine.request;
    const auto luck = Pick(0, 999);
    const bool lost = luck < trouble;
    const bool answer_lost = luck >= trouble && luck < 2 * trouble;
    const bool late = luck >= 2 * trouble && luck < 3 * trouble;
    constexpr Instant kAttemptDeadline = 5000;
    After(kAttemptDeadline, i, [this, i, request] {
      if (machines_[Index(i)]->request == request) Settle(i, ApiErrorKind::Timeout);
    });
    if (lost) return;
    At(now_ + (late ? Pick(1000, 9000) : Pick(1, 200)), [this, i, request, action, answer_lost] {
      auto deliver = std::holds_alternative<LeaseWrite>(action)
                         ? ApplyFor(i, std::get<LeaseWrite>(action))
                         : ReadFor(i);
      if (answer_lost) return;
      if (!Alive(i)) return;
      After(Pick(1, 200), i, [this, i, request, deliver] {
        if (machines_[Index(i)]->request != request) return;
        ++machines_[Index(i)]->request;
        deliver();
        Act(i);
      });
    });
  }

  void Settle(int i, ApiErrorKind kind) {
    ++machines_[Index(i)]->request;
    machines_[Index(i)]->election->Failed(kind, Local(i));
    Act(i);
  }

  std::function<void()> ReadFor(int i) {
    const auto seen = lease_;
    return [this, i, seen] {
      auto& election = *machines_[Index(i)]->election;
      if (seen) {
        machines_[Index(i)]->knows_since = machines_[Index(i)]->life;
        election.ReadCame(seen->record, std::to_string(seen->version), Local(i));
      } else {
        election.ReadCame(std::nullopt, {}, Local(i));
      }
    };
  }

  std::optional<ApiErrorKind> Apply(const LeaseWrite& write) {
    if (write.resource_version.empty()) {
      if (lease_) return ApiErrorKind::AlreadyExists;
    } else {
      if (!lease_) return ApiErrorKind::NotFound;
      if (std::to_string(lease_->version) != write.resource_version) return ApiErrorKind::Conflict;
    }
    lease_ = Lease{write.record, ++version_};
    return std::nullopt;
  }
  std::function<void()> ApplyFor(int i, const LeaseWrite& write) {
    const auto refused = Apply(write);
    return [this, i, refused, version = version_] {
      auto& election = *machines_[Index(i)]->election;
      if (refused) {
        election.Failed(*refused, Local(i));
      } else {
        machines_[Index(i)]->knows_since = machines_[Index(i)]->life;
        election.WriteCame(std::to_string(version), Local(i));
      }
    };
  }

  void CheckLeaders() {
    std::optional<int> leader;
    for (int i = 0; i < Size(); ++i) {
      if (!Leads(i)) continue;
      if (leader && fault)
        fault("electors " + std::to_string(*leader) + " and " + std::to_string(i) + " lead at " +
              std::to_string(now_));
      leader = i;
    }
    if (leader && leader != last_leader_) ++terms_;
    if (leader) last_leader_ = leader;
  }

  std::mt19937 random_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::priority_queue<Event> events_;
  std::int64_t next_order_ = 0;
  Instant now_ = 0;
  std::optional<Lease> lease_;
  std::int64_t version_ = 0;
  int lives_ = 0;
  int terms_ = 0;
  std::optional<int> last_leader_;
  Instant last_deletion_ = 0;
};

}  // namespace certpair::kube
