// A server on loopback that does exactly what a test tells it, good manners or bad.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/tls_identity.hpp"

namespace certpair::test {

/// One accepted connection, used by its script on a thread of its own.
class RawConnection {
 public:
  virtual ~RawConnection() = default;
  /// Head and body of the next request (by its Content-Length); empty when the peer is gone.
  virtual std::string ReadRequest() = 0;
  /// All of it; false when the peer is gone.
  virtual bool Write(std::string_view bytes) = 0;
  /// Blocks until the peer closes or the server ends: a stall without sleeping.
  virtual void AwaitClose() = 0;
  /// Ends it by RST instead of FIN.
  virtual void Reset() = 0;
  /// The CN of the peer's certificate; empty without TLS or a certificate.
  [[nodiscard]] virtual std::string PeerName() const = 0;
  /// The name the peer asked for (SNI); empty: none.
  [[nodiscard]] virtual std::string RequestedName() const = 0;
};

struct RawServerTls {
  TlsIdentity identity;
  std::string client_authority;  ///< PEM; set: a client certificate is asked for (not demanded)
};

/// Listens on 127.0.0.1 and a free port. The n-th connection gets the n-th script, all further ones
/// the last; it is closed when its script returns. The destructor ends every connection.
class RawServer {
 public:
  using Script = std::function<void(RawConnection&)>;
  explicit RawServer(std::vector<Script> scripts, std::optional<RawServerTls> tls = {});
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  [[nodiscard]] int Port() const;
  /// http://127.0.0.1:port or https://…
  [[nodiscard]] std::string Address() const;
  /// How many were accepted (their TLS handshake may have failed).
  [[nodiscard]] int Connections() const;
  /// Every request that a script has read, in order.
  [[nodiscard]] std::vector<std::string> Requests() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// An HTTP/1.1 answer with Content-Length. `headers`: lines that end in "\r\n".
[[nodiscard]] std::string HttpAnswer(int status, std::string_view body,
                                     std::string_view headers = {});
/// The head of a 200 answer whose body comes in chunks; a chunk; and the end of such a body.
[[nodiscard]] std::string ChunkedHead();
[[nodiscard]] std::string Chunk(std::string_view bytes);
[[nodiscard]] std::string LastChunk();

/// Answers every request of a connection with `answer`.
[[nodiscard]] RawServer::Script Always(std::string answer);

}  // namespace certpair::test
