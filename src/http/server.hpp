// A small HTTP/1.1 server that holds out against clients which only take: connections, time, bytes.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "http/admission.hpp"
#include "http/message.hpp"

namespace certpair::http {

/// Listens from Start() until it is destroyed, in plain text over TCP, with one thread: no client
/// is waited for, so one that stalls holds up no other. What a client can take is bounded by
/// Limits; the newest connection always gets in. Requests on one connection are answered in turn. A
/// request that cannot be read gets 400, 413 or 431, and its connection is closed. Thread-safe.
class Server {
 public:
  /// `address` is `:8080` (all interfaces), `127.0.0.1:8080` or `[::1]:8080`; port 0 picks a free
  /// one; `0` alone listens nowhere. Errors: Invalid (what is wrong with the address), Unavailable
  /// (the port is taken, or the address is not ours; the cause stands in the message).
  [[nodiscard]] static Result<std::unique_ptr<Server>> Start(std::string_view address,
                                                             Handler handler, Limits limits = {});
  /// Closes all connections; an answer under way has a tenth of a second.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The port it listens on; 0 where it is off.
  [[nodiscard]] int Port() const;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace certpair::http
