#include "metrics/http_server.hpp"

#include <array>
#include <chrono>
#include <exception>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <civetweb.h>
#include <fmt/format.h>

#include "base/log.hpp"
#include "metrics/bind_address.hpp"

namespace certpair::metrics {
namespace {

struct StopServer {
  void operator()(mg_context* context) const { mg_stop(context); }
};

void InitLibraryOnce() {
  static std::once_flag once;
  std::call_once(once, [] { mg_init_library(MG_FEATURES_DEFAULT); });
}

HttpAnswer Plain(int status, std::string text) {
  return {.status = status, .body = std::move(text) + "\n"};
}

HttpAnswer Dispatch(const HttpRoutes& routes, std::string_view method, std::string_view path) {
  const auto route = routes.find(path);
  if (route == routes.end()) return Plain(404, "not found");
  if (method != "GET" && method != "HEAD") return Plain(405, "only GET and HEAD are answered");
  try {
    return route->second();
  } catch (const std::exception& error) {
    log::Error("an HTTP handler failed", {{"path", route->first}, {"error", error.what()}});
    return Plain(500, "internal error");
  }
}

std::string_view ReasonOf(int status) {
  const char* text = mg_get_response_code_text(nullptr, status);
  return text == nullptr ? "Unknown" : text;
}

void Send(mg_connection* connection, const HttpAnswer& answer, bool with_body) {
  const std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}Cache-Control: "
      "no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
      answer.status, ReasonOf(answer.status), answer.content_type, answer.body.size(),
      answer.status == 405 ? "Allow: GET, HEAD\r\n" : "");
  mg_write(connection, head.data(), head.size());
  if (with_body) mg_write(connection, answer.body.data(), answer.body.size());
}

// civetweb's form: `+8080` is IPv6 and IPv4 on one socket.
std::string ListeningPort(const BindAddress& address, bool both_families) {
  if (address.host.empty()) return fmt::format("{}{}", both_families ? "+" : "", address.port);
  const bool v6 = address.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", address.host, address.port)
            : fmt::format("{}:{}", address.host, address.port);
}

// Opens a connection and closes it again.
void Knock(const std::string& host, int port) {
  std::array<char, 128> error{};
  mg_connection* const connection =
      mg_connect_client(host.c_str(), port, 0, error.data(), error.size());
  if (connection != nullptr) mg_close_connection(connection);
}

}  // namespace

struct HttpServer::State {
  HttpRoutes routes;
  std::thread::id starter;
  std::string failure;             // what civetweb logged to the thread that starts it
  std::string host = "127.0.0.1";  // where we reach ourselves
  int port = 0;
  std::unique_ptr<mg_context, StopServer> context;  // last: its threads use the others

  bool Listen(const std::string& listening_port);
  static int OnRequest(mg_connection* connection);
  static int OnLog(const mg_connection* connection, const char* message);
};

int HttpServer::State::OnRequest(mg_connection* connection) {
  const auto* state = static_cast<const State*>(mg_get_user_data(mg_get_context(connection)));
  const mg_request_info* request = mg_get_request_info(connection);
  const char* path = request->local_uri == nullptr ? "" : request->local_uri;
  const std::string_view method = request->request_method;
  const HttpAnswer answer = Dispatch(state->routes, method, path);
  Send(connection, answer, method != "HEAD");
  return answer.status;
}

int HttpServer::State::OnLog(const mg_connection* connection, const char* message) {
  log::Debug("HTTP server", {{"message", message}});
  if (connection == nullptr) return 1;
  auto* state = static_cast<State*>(mg_get_user_data(mg_get_context(connection)));
  if (state != nullptr && state->failure.empty() && state->starter == std::this_thread::get_id())
    state->failure = message;
  return 1;
}

bool HttpServer::State::Listen(const std::string& listening_port) {
  const std::array<const char*, 9> options{"listening_ports",
                                           listening_port.c_str(),
                                           "num_threads",
                                           "2",
                                           "request_timeout_ms",
                                           "5000",
                                           "linger_timeout_ms",
                                           "1000",
                                           nullptr};
  mg_callbacks callbacks{};
  starter = std::this_thread::get_id();
  failure.clear();
  callbacks.begin_request = &State::OnRequest;
  callbacks.log_message = &State::OnLog;
  context.reset(mg_start(&callbacks, this, const_cast<const char**>(options.data())));
  if (!context) return false;
  mg_server_port bound{};
  if (mg_get_server_ports(context.get(), 1, &bound) == 1) port = bound.port;
  return true;
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::~HttpServer() {
  if (!state_->context) return;
  // civetweb looks at its stop flag every two seconds, or when somebody calls: so we call.
  const auto stopped = std::async(
      std::launch::async, [context = std::move(state_->context)]() mutable { context.reset(); });
  while (stopped.wait_for(std::chrono::milliseconds{20}) != std::future_status::ready)
    Knock(state_->host, state_->port);
}
int HttpServer::Port() const { return state_->port; }

Result<std::unique_ptr<HttpServer>> HttpServer::Start(std::string_view address, HttpRoutes routes) {
  auto parsed = ParseBindAddress(address);
  if (!parsed) return std::unexpected(parsed.error());
  auto state = std::make_unique<State>();
  state->routes = std::move(routes);
  if (const std::optional<BindAddress>& bind = *parsed) {
    InitLibraryOnce();
    if (!bind->host.empty() && bind->host != "0.0.0.0") state->host = bind->host;
    // A machine without IPv6 refuses the socket for both: it has the other.
    const bool listens = state->Listen(ListeningPort(*bind, true)) ||
                         (bind->host.empty() && state->Listen(ListeningPort(*bind, false)));
    if (!listens)
      return Fail(ErrorCode::Unavailable,
                  fmt::format("cannot listen on \"{}\": {}", address, log::Redact(state->failure)));
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

}  // namespace certpair::metrics
