// A program that runs beside a test. It dies with the test, and is killed by the destructor.
#pragma once

#include <chrono>
#include <string>
#include <sys/types.h>
#include <vector>

namespace certpair::test {

class Child {
 public:
  /// Runs `command` (a path, then arguments); what it prints goes to `log_path`, its standard input
  /// stays open.
  Child(std::vector<std::string> command, const std::string& log_path,
        const std::vector<std::string>& environment = {});
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void Signal(int signal) const;
  /// The end of its standard input: a wish to end in good order.
  void CloseInput();
  /// Waits for its end: its exit status (128 + signal where one ended it), or -1 if it did not end
  /// in time.
  int WaitForExit(std::chrono::seconds limit);
  [[nodiscard]] bool Running();
  [[nodiscard]] pid_t Pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int exit_status_ = -1;
};

/// A new folder under the system's temporary one, removed with all that is in it when it goes.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& Path() const { return path_; }

 private:
  std::string path_;
};

/// The whole of a file; empty if there is none.
[[nodiscard]] std::string ReadFile(const std::string& path);

}  // namespace certpair::test
