// What is measured, one function a measurement.
#pragma once

#include <string>

#include "kube/client.hpp"

namespace certpair::bench {

struct Setup {
  std::string kubeconfig;
  std::string controller;
  std::string log_path;
  int workers = 8;  ///< of the operator, and threads of the bare run
};

struct FleetResult {
  double seconds = 0;
  double systems_per_second = 0;
  double cpu_ms_per_system = 0;
  double peak_mib = 0;
  double writes_per_system = 0;
  double reads_per_system = 0;
  double events_dropped = 0;
  bool complete = false;
};

struct RestartResult {
  double seconds = 0;
  double writes = 0;
  double secret_reads = 0;
  double other_reads = 0;
  double lists = 0;
  double peak_mib = 0;
  bool complete = false;
};

/// Makes `count` systems called `<prefix>-<i>`, with as many threads as workers.
void CreateSystems(const kube::Client& client, const Setup& setup, const std::string& prefix,
                   int count, const std::string& algorithm, int size);

/// Starts the operator upon a cluster in which `count` systems want their first certificate; until
/// the last Event is written.
[[nodiscard]] FleetResult MeasureFleet(const Setup& setup, int count);

/// POST Secret, PATCH status and POST Event for `count` systems that are there, copied from the
/// system `like`; systems/s.
[[nodiscard]] double MeasureBareWrites(const kube::Client& client, const Setup& setup,
                                       const std::string& prefix, int count,
                                       const std::string& like);

/// Deletes them and their Secrets.
void RemoveSystems(const kube::Client& client, const Setup& setup, const std::string& prefix,
                   int count);

/// Starts the operator upon a fleet in sync.
[[nodiscard]] RestartResult MeasureRestart(const Setup& setup, int count);

/// RSA keys a second on all cores, with nothing else.
[[nodiscard]] double MeasureKeys(int size, int seconds);

}  // namespace certpair::bench
