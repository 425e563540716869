// The loop around the lease decision: reads and writes the Lease, and calls the listeners.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "kube/client.hpp"
#include "kube/lease.hpp"

namespace certpair::kube {

struct LeaderOptions {
  std::string namespace_;
  std::string name;
  std::string identity;  ///< of this process alone, never used again: see MakeIdentity
  LeaseTimings timings;
};

/// `<host>_<16 random hexadecimal digits>`: a name that no other process has or will have.
[[nodiscard]] std::string MakeIdentity(const std::string& host);

/// Stands for leadership while it runs. Thread-safe. IsLeader turns false by time alone, also while
/// a request hangs or the process was frozen, before another may start; ask it before each write.
class LeaderElector {
 public:
  /// Called with true when leading starts and with false when it has ended, from one thread of the
  /// elector, in order, strictly in turn (a term that ended unnoticed is ended before the next is
  /// told). It must return promptly.
  using Changed = std::function<void(bool leads)>;

  LeaderElector(const Client& client, const Clock& clock, LeaderOptions options,
                Changed changed = {});
  ~LeaderElector();
  LeaderElector(const LeaderElector&) = delete;
  LeaderElector& operator=(const LeaderElector&) = delete;

  /// Blocks until `stop`. Then: stops leading, says so, and frees the Lease (in at most a
  /// second), so that another may lead at once. Stop the workers first.
  void Run(const std::stop_token& stop);
  [[nodiscard]] bool IsLeader() const;
  /// Which term of leading this is, from 1; 0 while it does not lead. Whoever lost the Lease and
  /// leads again finds another number, also where it slept through the time between.
  [[nodiscard]] std::uint64_t Term() const;

 private:
  struct Shared;
  class Loop;
  const Client& client_;
  const Clock& clock_;
  const LeaderOptions options_;
  const Changed changed_;
  std::atomic<std::chrono::steady_clock::rep> leads_until_;
  std::atomic<std::uint64_t> term_ = 0;
  std::unique_ptr<Shared> shared_;
};

}  // namespace certpair::kube
