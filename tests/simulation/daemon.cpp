#include "simulation/daemon.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "reconcile/scheduling.hpp"

namespace certpair::sim {

Daemon::Daemon(World& world, Mint& mint, DaemonSettings settings)
    : world_(world), mint_(mint), settings_(std::move(settings)) {}

void Daemon::Start() {
  Stop();
  ++starts_;
  queue_ = std::make_unique<kube::WorkQueue>(world_.clock());
  if (settings_.mail)
    mailroom_ = std::make_unique<Mailroom>(
        world_, [this](const std::string& key) { queue_->Add(key); }, [this] { Crash(); });
  reconciler_ = std::make_unique<reconcile::SystemReconciler>(
      world_, world_, mint_, world_.clock(), settings_.installation, reconcile::PassObserver{},
      settings_.check_in_depth_every, mailroom_.get());
  world_.List();
  world_.wake = [this](const std::string& key, const std::string& version) {
    if (version.empty() || !reconciler_->IsEcho(key, version)) queue_->Add(key);
  };
  std::vector<std::string> keys;
  for (const auto& [key, system] : world_.LiveSystems()) keys.push_back(key);
  for (const auto& [key, operation] : world_.LiveOperations())
    keys.push_back(operation->namespace_ + "/" + operation->system);
  std::ranges::sort(keys);
  for (const std::string& key : keys) queue_->Add(key);
}

void Daemon::Stop() {
  world_.wake = nullptr;
  reconciler_.reset();
  mailroom_.reset();
  queue_.reset();
  mint_.ForgetAll();
}

void Daemon::Crash() {
  ++crashes_;
  Stop();
}

bool Daemon::PassOnce() {
  if (!IsRunning()) return false;
  const auto key = queue_->TryTake();
  if (!key) return false;
  ++passes_;
  passed_over_ = *key;
  try {
    last_ = reconciler_->Pass(*key);
  } catch (const sim::Crash&) {
    Crash();
    return true;
  }
  reconcile::Schedule(*queue_, *key, last_);
  queue_->Done(*key);
  return true;
}

std::optional<World::Time> Daemon::NextDue() const {
  if (!IsRunning()) return std::nullopt;
  const auto due = queue_->NextDue();
  if (!due) return std::nullopt;
  return world_.Now() + std::max(*due - world_.clock().Now(), std::chrono::nanoseconds{0});
}

bool Stage::Step(World::Time limit) {
  const bool delivered = world.Deliver();
  if (daemon.PassOnce() || delivered) return true;
  auto next = world.NextEvent();
  if (const auto due = daemon.NextDue(); due && (!next || *due < *next)) next = due;
  const bool in_time = next && *next <= limit;
  clock.Advance((in_time ? *next : limit) - clock.Steady());
  return in_time;
}

void Stage::Run(World::Delay duration) {
  const auto limit = clock.Steady() + duration;
  while (Step(limit)) {
  }
}

}  // namespace certpair::sim
