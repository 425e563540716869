// Who goes when a server has as many connections as it may hold: the pure part. The newest
// connection always gets in, so a client that asks at once is answered, however many others only
// hold connections open.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace certpair::http {

/// What a server gives to its clients. The times are for healthy clients with room to spare: a
/// kubelet asks anew each time, Prometheus once a minute on a connection that it keeps.
struct Limits {
  std::size_t connections = 64;                      ///< in total
  std::size_t per_address = 16;                      ///< of one IP address
  std::size_t header_bytes = 8192;                   ///< of one request; beyond: 431
  std::size_t body_bytes = 1024;                     ///< of one request; beyond: 413
  std::size_t unsent_bytes = std::size_t{8} << 20U;  ///< of all answers that clients do not take
  std::chrono::milliseconds request{5'000};          ///< from its first byte to its last
  std::chrono::milliseconds answer{10'000};          ///< from its first byte to its last
  std::chrono::milliseconds idle{75'000};            ///< between requests on one connection
};

/// A connection, as far as this decision needs it.
struct Seat {
  std::uint64_t id = 0;
  std::string peer;         ///< IP address
  bool answering = false;   ///< an answer is under way; else a request is awaited
  std::uint64_t since = 0;  ///< grows: when it connected, or its last answer began or ended
  std::size_t unsent = 0;   ///< bytes of the answer
};

/// Which connection is closed so that one more of `peer` fits; nothing while there is room. At the
/// limit of an address it is one of that address; at the limit in total one of the address that has
/// the most. Of those it is the one that waited for a request longest, before any with an answer
/// under way.
[[nodiscard]] std::optional<std::uint64_t> ClosedForNewcomer(const std::vector<Seat>& seats,
                                                             const std::string& peer,
                                                             const Limits& limits);

/// Which connections are closed so that an answer of `bytes` fits: of the address that holds the
/// most bytes, the answer that began first, and so on. `seats` are the other connections; an answer
/// alone may be of any size.
[[nodiscard]] std::vector<std::uint64_t> ClosedForAnswer(std::vector<Seat> seats, std::size_t bytes,
                                                         const Limits& limits);

}  // namespace certpair::http
