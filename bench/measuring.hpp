// What all measurements share: the operator as a process, its requests, and work on many threads.
#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kube/client.hpp"
#include "phases.hpp"
#include "process.hpp"
#include "support/loopback.hpp"

namespace certpair::bench {

using Steady = std::chrono::steady_clock;

/// Seconds.
[[nodiscard]] double Since(Steady::time_point start);

/// The value, or an exception that says what failed.
template <class T>
T Must(kube::ApiResult<T> result, const std::string& what) {
  if (!result) throw std::runtime_error(what + ": " + result.error().message);
  return std::move(*result);
}

/// `work` of 0 to `count` - 1, by so many threads; throws when one of them failed.
void InParallel(int threads, int count, const std::function<void(int)>& work);

struct Requests {
  double writes = 0;
  double secret_reads = 0;
  double other_reads = 0;
  double lists = 0;
};

/// Of the operator since its start, by its own metrics.
[[nodiscard]] Requests CountRequests(const Samples& samples);
/// Requests of one kind that succeeded.
[[nodiscard]] double Count(const Samples& samples, const std::string& verb,
                           const std::string& resource);

/// The operator, from here to the end of the scope.
struct Controller {
  int metrics_port = test::FreePort();
  Process process;
  explicit Controller(const Setup& setup, const std::vector<std::string>& more = {})
      : process(Command(setup, metrics_port, more), setup.log_path) {}

  /// Looks at the metrics until `done` says so; answers the last look. Each look costs the operator
  /// CPU of its own, so it is to be rare where that is measured.
  [[nodiscard]] Samples Await(const std::function<bool(const Samples&)>& done,
                              std::chrono::milliseconds every = std::chrono::milliseconds{
                                  200}) const;

 private:
  static std::vector<std::string> Command(const Setup& setup, int metrics_port,
                                          const std::vector<std::string>& more);
};

}  // namespace certpair::bench
