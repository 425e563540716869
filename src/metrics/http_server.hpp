// A small HTTP server for machines that ask after us: metrics and health. It answers GET and HEAD
// on fixed paths, nothing else, in plain text over plain TCP.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace certpair::metrics {

struct HttpAnswer {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

/// Called from a thread of the server, from several at once. An exception is answered with 500.
using HttpHandler = std::function<HttpAnswer()>;

/// By whole path (`/metrics`); a query is ignored, other paths get 404, other methods 405.
using HttpRoutes = std::map<std::string, HttpHandler, std::less<>>;

/// Listens from Start() until it is destroyed, with two threads; connections are closed after one
/// answer, and those that stall for 5 s are dropped. Thread-safe.
class HttpServer {
 public:
  /// `address` is `:8080` (all interfaces), `127.0.0.1:8080` or `[::1]:8080`; port 0 picks a free
  /// one; `0` alone listens nowhere. Errors: Invalid (what is wrong with the address), Unavailable
  /// (somebody else has it, or it is not ours; the cause stands in the message).
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> Start(std::string_view address,
                                                                 HttpRoutes routes);
  /// Waits for answers under way, up to about 5 s; usually a moment.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// The port it listens on; 0 where it is off.
  [[nodiscard]] int Port() const;

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace certpair::metrics
