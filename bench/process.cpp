#include "process.hpp"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "support/loopback.hpp"

namespace certpair::bench {
Process::Process(const std::vector<std::string>& command, const std::string& log_path) {
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (const std::string& word : command)
    argv.push_back(const_cast<char*>(word.c_str()));  // NOLINT: exec's signature
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);  // also where the benchmark is killed
    const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0) _exit(126);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
}

void Process::Stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  for (int i = 0; i < 1000; ++i) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool Process::Running() const { return pid_ > 0 && kill(pid_, 0) == 0; }

Usage Process::Used() const {
  Usage usage;
  const std::string proc = "/proc/" + std::to_string(pid_);
  std::ifstream stat{proc + "/stat"};
  std::string line;
  std::getline(stat, line);
  std::istringstream fields{line.substr(std::min(line.size(), line.rfind(')') + 2))};
  std::string field;
  for (int i = 3; i <= 15 && fields >> field;
       ++i)  // proc(5): utime and stime are the 14th and 15th
    if (i >= 14) usage.cpu_seconds += std::stod(field) / static_cast<double>(sysconf(_SC_CLK_TCK));
  std::ifstream status{proc + "/status"};
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) usage.peak_mib = std::stod(line.substr(6)) / 1024.0;
    if (line.starts_with("VmRSS:")) usage.mib = std::stod(line.substr(6)) / 1024.0;
  }
  return usage;
}

Samples Scrape(int port) {
  Samples samples;
  std::istringstream text{test::HttpGet(port, "/metrics")};
  std::string line;
  while (std::getline(text, line)) {
    const std::size_t space = line.rfind(' ');
    if (line.empty() || line.front() == '#' || space == std::string::npos) continue;
    samples[line.substr(0, space)] = std::strtod(line.c_str() + space, nullptr);
  }
  return samples;
}

double Sum(const Samples& samples, const std::string& name,
           const std::vector<std::string>& labels) {
  double sum = 0;
  for (const Samples::value_type& sample : samples) {
    const std::string& key = sample.first;
    const bool of_name = key == name || key.starts_with(name + "{");
    const bool has_labels = std::ranges::all_of(
        labels, [&key](const std::string& l) { return key.find(l) != std::string::npos; });
    if (of_name && has_labels) sum += sample.second;
  }
  return sum;
}

}  // namespace certpair::bench
