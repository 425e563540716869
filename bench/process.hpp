// The operator under measurement: a process, what it used, and what its /metrics say.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace certpair::bench {

/// CPU seconds and memory of a process so far.
struct Usage {
  double cpu_seconds = 0;
  double mib = 0;  ///< now
  double peak_mib = 0;
};

/// A child process; ended with SIGTERM (SIGKILL after ten seconds) when it goes. Its output goes to
/// `log_path`.
class Process {
 public:
  Process(const std::vector<std::string>& command, const std::string& log_path);
  ~Process() { Stop(); }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  void Stop();
  [[nodiscard]] Usage Used() const;
  [[nodiscard]] bool Running() const;

 private:
  pid_t pid_ = -1;
};

/// Prometheus' text format, by `name{labels}`; empty if nobody answers on that port.
using Samples = std::map<std::string, double>;
[[nodiscard]] Samples Scrape(int port);

/// Sum of the samples of `name` whose labels contain all of `labels` (`verb="PATCH"`).
[[nodiscard]] double Sum(const Samples& samples, const std::string& name,
                         const std::vector<std::string>& labels = {});

}  // namespace certpair::bench
