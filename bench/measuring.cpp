#include "measuring.hpp"

#include <atomic>
#include <iostream>
#include <thread>
#include <vector>

namespace certpair::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 30min;

}  // namespace

double Since(Steady::time_point start) {
  return std::chrono::duration<double>(Steady::now() - start).count();
}

void InParallel(int threads, int count, const std::function<void(int)>& work) {
  std::atomic<int> next = 0;
  std::atomic<bool> failed = false;
  std::vector<std::jthread> pool;
  pool.reserve(static_cast<std::size_t>(threads));
  for (int t = 0; t < threads; ++t)
    pool.emplace_back([&] {
      try {
        for (int i = 0; (i = next++) < count;) work(i);
      } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        failed = true;
      }
    });
  pool.clear();
  if (failed) throw std::runtime_error("a thread of the benchmark failed");
}

Requests CountRequests(const Samples& samples) {
  const std::string name = "certpair_api_requests_total";
  Requests requests;
  for (const char* verb :
       {"verb=\"CREATE\"", "verb=\"PATCH\"", "verb=\"UPDATE\"", "verb=\"DELETE\""})
    requests.writes += Sum(samples, name, {verb});
  requests.secret_reads = Sum(samples, name, {"verb=\"GET\"", "resource=\"secrets\""});
  requests.other_reads = Sum(samples, name, {"verb=\"GET\""}) - requests.secret_reads;
  requests.lists = Sum(samples, name, {"verb=\"LIST\""});
  return requests;
}

double Count(const Samples& samples, const std::string& verb, const std::string& resource) {
  return Sum(samples, "certpair_api_requests_total",
             {"verb=\"" + verb + "\"", "resource=\"" + resource + "\"", "code=\"20"});
}

std::vector<std::string> Controller::Command(const Setup& setup, int metrics_port,
                                             const std::vector<std::string>& more) {
  std::vector<std::string> command{setup.controller,
                                   "--kubeconfig",
                                   setup.kubeconfig,
                                   "--namespace",
                                   "certpair-system",
                                   "--leader-elect=false",
                                   "--metrics-bind-address",
                                   "127.0.0.1:" + std::to_string(metrics_port),
                                   "--health-probe-bind-address",
                                   "0",
                                   "--workers",
                                   std::to_string(setup.workers)};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

Samples Controller::Await(const std::function<bool(const Samples&)>& done,
                          std::chrono::milliseconds every) const {
  const auto start = Steady::now();
  Samples samples;
  while (Steady::now() - start < kPatience && process.Running()) {
    samples = Scrape(metrics_port);
    if (!samples.empty() && done(samples)) break;
    std::this_thread::sleep_for(every);
  }
  return samples;
}

}  // namespace certpair::bench
