// Whether the operator runs, by its Lease (kube/lease.hpp).
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "kube/error.hpp"

namespace certpair::actions {

struct Session;

struct Liveness {
  enum class State {
    Alive,
    Expired,  ///< a holder has not renewed the Lease for longer than it lasts
    Free,     ///< the Lease has no holder
    Absent,   ///< there is no Lease: never started with leader election, or not installed
    Unknown,  ///< the Lease cannot be read: `error`
  };
  State state = State::Unknown;
  std::string lease;                   ///< NAMESPACE/NAME
  std::string holder;                  ///< as the Lease has it
  std::string renewed_text;            ///< when, as the Lease has it; empty: never
  std::optional<sys_seconds> renewed;  ///< the same, where it is a time
  sys_seconds seen;                    ///< what `renewed` was compared with
  std::optional<kube::ApiError> error;
  /// The Lease looked expired by this machine's clock, and was renewed while it was watched.
  bool clocks_differ = false;

  [[nodiscard]] bool IsSilent() const { return state == State::Expired || state == State::Free; }
};

/// `server_now`: the API server's time, where it is known; else this machine's.
[[nodiscard]] Liveness ReadLiveness(const Session& session, sys_seconds server_now);

/// The same, watched for five seconds where it looks expired: this machine's clock may be wrong.
[[nodiscard]] Liveness WatchLiveness(const Session& session);

}  // namespace certpair::actions
