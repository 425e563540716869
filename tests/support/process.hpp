// Runs programs for tests: no shell, a deadline, everything they say captured.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace certpair::test {

/// What became of a program. `exit_code` is 128 + the signal's number where a signal ended it, 127
/// where it could not be started.
struct ProcessResult {
  int exit_code = 127;
  bool timed_out = false;
  std::string out;
  std::string err;
};

struct ProcessOptions {
  std::string input;                     ///< its standard input
  std::vector<std::string> environment;  ///< `NAME=value`, on top of ours
  std::chrono::seconds timeout{60};      ///< then its whole process group is killed
};

/// Runs `command[0]` (searched in PATH unless it has a slash) and waits for its end. Safe from
/// several threads.
[[nodiscard]] ProcessResult RunProcess(const std::vector<std::string>& command,
                                       const ProcessOptions& options = {});

/// A program that starts when this process ends, however it ends, or when this object is destroyed;
/// the destructor waits for it. So a test that crashes leaves nothing behind.
class AtExit {
 public:
  explicit AtExit(const std::vector<std::string>& command);
  ~AtExit();
  AtExit(const AtExit&) = delete;
  AtExit& operator=(const AtExit&) = delete;

 private:
  int keep_open_ = -1;
  int pid_ = -1;
};

}  // namespace certpair::test
