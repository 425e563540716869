// What one namespace's load costs another one: the delay of an operation, and a renewal that needs
// an RSA key.
#pragma once

#include "kube/client.hpp"
#include "phases.hpp"

namespace certpair::bench {

/// From the creation of an operation of the quiet namespace to its end.
struct DelayResult {
  double alone_ms = 0;  ///< median
  double beside_ms = 0;
  double worst_alone_ms = 0;
  double worst_beside_ms = 0;
  double seconds = 0;  ///< that the other namespace's operations took
  int samples = 0;     ///< while they did
  bool complete = false;
};

/// Lets the operator find `operations` of `systems` systems of one namespace, and measures those of
/// another meanwhile. Leaves nothing behind.
[[nodiscard]] DelayResult MeasureDelay(const kube::Client& client, const Setup& setup, int systems,
                                       int operations);

struct RivalResult {
  double left_seconds = 0;    ///< of the old certificate when the new one was made; < 0: too late
  double waited_seconds = 0;  ///< from the time at which the renewal was due
  double rivals_keys = 0;     ///< that were made meanwhile
};

/// An RSA-4096 certificate of two minutes is renewed while another namespace asks for `rivals` more
/// of them. Leaves nothing behind.
[[nodiscard]] RivalResult MeasureRivals(const kube::Client& client, const Setup& setup, int rivals);

}  // namespace certpair::bench
