#include "listing.hpp"

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <limits>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace certpair::bench {
namespace {

constexpr int kRuns = 5;

struct Ended {
  double seconds = 0;
  double peak_mib = 0;
  bool well = false;
};

Ended Run(std::vector<std::string> command) {
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const auto began = std::chrono::steady_clock::now();
  pid_t pid = -1;
  const int failed = posix_spawnp(&pid, argv.front(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return {};
  int status = 0;
  rusage used{};
  wait4(pid, &status, 0, &used);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  return {took.count(), static_cast<double>(used.ru_maxrss) / 1024,
          WIFEXITED(status) && WEXITSTATUS(status) == 0};
}

}  // namespace

ListingResult MeasureListing(const std::string& kubeconfig, const std::string& kubectl,
                             const std::string& plugin) {
  constexpr double kLong = std::numeric_limits<double>::max();
  ListingResult result{kLong, kLong, 0, true};
  for (int i = 0; i < kRuns; ++i) {
    const Ended raw = Run({kubectl, "--kubeconfig", kubeconfig, "get", "--raw",
                           "/apis/certpair.dev/v1/provisioningsystems"});
    const Ended list = Run({plugin, "--kubeconfig", kubeconfig, "list", "-A"});
    result.complete &= raw.well && list.well;
    result.kubectl_seconds = std::min(result.kubectl_seconds, raw.seconds);
    result.plugin_seconds = std::min(result.plugin_seconds, list.seconds);
    result.plugin_peak_mib = std::max(result.plugin_peak_mib, list.peak_mib);
  }
  return result;
}

double MeasureStartUp(const std::string& plugin) {
  constexpr int kStarts = 20;
  double best = std::numeric_limits<double>::max();
  for (int i = 0; i < kStarts; ++i) {
    const Ended ended = Run({plugin, "version"});
    if (!ended.well) return -1;
    best = std::min(best, ended.seconds);
  }
  return best;
}

}  // namespace certpair::bench
