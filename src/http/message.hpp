// What a request says and what is answered, as values: a handler is a function from one to the
// other, and needs no server to be tested.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace certpair::http {

struct Request {
  std::string method;  ///< as the client wrote it: `GET`
  std::string path;    ///< as the client wrote it, up to the query; nothing is decoded
  std::string query;   ///< what follows the first `?`
  /// Names in lower case. The values of a repeated one are joined by `, `.
  std::map<std::string, std::string, std::less<>> headers;
  std::string body;
  std::string peer;  ///< the client's IP address
};

struct Response {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  /// Beyond those that the server writes: Content-Type, Content-Length, Connection, Cache-Control
  /// and X-Content-Type-Options.
  std::vector<std::pair<std::string, std::string>> headers{};
};

/// Called from the server's thread, for one request at a time; it must return promptly. An
/// exception is answered with 500.
using Handler = std::function<Response(const Request&)>;

/// By whole path (`/metrics`).
using Routes = std::map<std::string, Handler, std::less<>>;

/// Answers GET and HEAD at the paths of `routes`; other paths get 404, other methods 405.
[[nodiscard]] Handler ReadOnly(Routes routes);

/// One line of text.
[[nodiscard]] Response PlainText(int status, std::string text);

}  // namespace certpair::http
