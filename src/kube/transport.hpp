// HTTP as the client runtime needs it. One file (transport_cpprest.cpp) implements it with
// cpprestsdk; tests may force faults.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "kube/error.hpp"
#include "kube/identity.hpp"

namespace certpair::kube {

struct HttpRequest {
  std::string method;        ///< GET, POST, PUT, PATCH, DELETE
  std::string path;          ///< absolute, with query, percent-encoded
  std::string content_type;  ///< of `body`
  std::string accept = "application/json";
  std::string body;
  /// An answer with a larger body is TooLarge, and is left as soon as that is known. Bytes.
  std::size_t max_answer = std::size_t{64} << 20;
  /// Who asks; null: the transport's own credentials.
  std::shared_ptr<const Identity> identity = nullptr;
};

struct HttpResponse {
  int status = 0;
  std::string body;
  std::optional<std::chrono::milliseconds> retry_after;
};

/// Thread-safe. Calls block the calling thread (never a network thread); a stop request ends them
/// early with Cancelled.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;

  /// One request, one answer of any status. Errors: Timeout (the whole took longer than
  /// `deadline`), Transport, TooLarge (answer larger than
  /// `max_answer`), Protocol (1xx), Cancelled.
  virtual ApiResult<HttpResponse> Send(const HttpRequest& request,
                                       std::chrono::milliseconds deadline,
                                       std::stop_token stop) = 0;

  /// A watch: `on_line` gets each line of a 200 answer without its end; it answers false to leave.
  /// Returns nothing when the server ended the stream cleanly or `on_line` left. Errors as Send
  /// (Timeout: nothing came for `idle`; TooLarge: a line longer than `max_line` bytes), or the HTTP
  /// error of the answer.
  virtual ApiResult<void> Stream(const HttpRequest& request, std::chrono::milliseconds idle,
                                 std::size_t max_line,
                                 const std::function<bool(std::string_view line)>& on_line,
                                 std::stop_token stop) = 0;
};

}  // namespace certpair::kube
