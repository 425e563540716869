// The operator as a process that can die: the real work queue and reconciler on a simulated world.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "kube/work_queue.hpp"
#include "reconcile/system_reconciler.hpp"
#include "simulation/mailroom.hpp"
#include "simulation/mint.hpp"
#include "simulation/world.hpp"

namespace certpair::sim {

struct DaemonSettings {
  core::Installation installation;
  seconds check_in_depth_every = std::chrono::hours{24};
  bool mail = false;  ///< there is a mail server
};

class Daemon {
 public:
  Daemon(World& world, Mint& mint, DaemonSettings settings);
  ~Daemon() { Stop(); }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  /// How the next process is started.
  void Configure(core::Installation installation) {
    settings_.installation = std::move(installation);
  }
  /// A new process: nothing is remembered, everything is listed and looked at.
  void Start();
  void Stop();
  /// The process dies at a moment at which it makes no pass.
  void Crash();
  [[nodiscard]] bool IsRunning() const { return reconciler_ != nullptr; }
  /// One pass over a key that is due; false if none is. Where it crashes, the daemon is stopped.
  bool PassOnce();
  /// When a key becomes due, by the world's own time.
  [[nodiscard]] std::optional<World::Time> NextDue() const;
  void Wake(const std::string& key) {
    if (queue_) queue_->Add(key);
  }

  [[nodiscard]] std::uint64_t Passes() const { return passes_; }
  [[nodiscard]] std::uint64_t Crashes() const { return crashes_; }
  /// How many processes there were.
  [[nodiscard]] std::uint64_t Starts() const { return starts_; }
  [[nodiscard]] const std::string& PassedOver() const { return passed_over_; }
  /// Of the last pass that ended.
  [[nodiscard]] const reconcile::PassResult& LastResult() const { return last_; }

 private:
  World& world_;
  Mint& mint_;
  DaemonSettings settings_;
  std::unique_ptr<kube::WorkQueue> queue_;
  std::unique_ptr<Mailroom> mailroom_;
  std::unique_ptr<reconcile::SystemReconciler> reconciler_;
  std::uint64_t passes_ = 0;
  std::uint64_t crashes_ = 0;
  std::uint64_t starts_ = 0;
  std::string passed_over_;
  reconcile::PassResult last_;
};

/// A clock, a world and a daemon on it, and time that jumps to whatever comes next.
class Stage {
 public:
  explicit Stage(DaemonSettings settings = {},
                 sys_seconds start = std::chrono::sys_days{std::chrono::year{2027} / 1 / 1})
      : clock(start), world(clock, start), mint(clock), daemon(world, mint, std::move(settings)) {
    mint.key_ordered = [this](const std::string& owner, World::Delay in) {
      world.In(in, [this, owner] { daemon.Wake(owner); });
    };
  }

  /// One thing happens: what is due now, else the next of what comes before `limit`. False: time
  /// is `limit`, and nothing was left before it.
  bool Step(World::Time limit);
  /// Until `duration` has passed.
  void Run(World::Delay duration);
  /// Until nothing is due at this moment.
  void Settle() { Run(World::Delay{0}); }

  test::ManualClock clock;
  World world;
  Mint mint;
  Daemon daemon;
};

}  // namespace certpair::sim
