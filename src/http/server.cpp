// The file that includes Beast. All but Start, Port and the destructor runs on the server's thread,
// so nothing here is locked. TLS would take an `ssl::stream` in the place of Stream and a handshake
// before the first read; all else stays.
#include "http/server.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <exception>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <fmt/format.h>

#include "base/ascii.hpp"
#include "base/log.hpp"
#include "http/bind_address.hpp"

namespace certpair::http {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
using beast::error_code;
using net::ip::tcp;
using Stream = tcp::socket;
using Parser = beast::http::request_parser<beast::http::string_body>;

constexpr std::size_t kBlock = 4096;
constexpr int kSendBuffer = 64 << 10;  // the kernel's, for each connection
constexpr int kReceiveBuffer = 16 << 10;
constexpr std::size_t kMostDrained = std::size_t{64} << 10U;
constexpr std::chrono::milliseconds kDrain{1'000};      // for a client to take an answer and close
constexpr std::chrono::milliseconds kLastAnswers{100};  // when the server leaves
constexpr std::chrono::milliseconds kAcceptAgain{100};  // after one failed: no file is left
constexpr std::chrono::minutes kSaidAgainAfter{1};

std::string HeadOf(const Response& response, bool keep) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: {}\r\n",
                  response.status,
                  std::string{beast::http::obsolete_reason(
                      beast::http::int_to_status(static_cast<unsigned>(response.status)))},
                  response.content_type, response.body.size(), keep ? "keep-alive" : "close");
  for (const auto& [name, value] : response.headers)
    fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
  return head + "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n";
}

// A line end in a value would begin a header of its own.
bool Writable(const Response& response) {
  const auto plain = [](const std::string& text) {
    return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  };
  return plain(response.content_type) &&
         std::ranges::all_of(response.headers, [&](const auto& header) {
           return plain(header.first) && plain(header.second);
         });
}

Request RequestOf(const Parser::value_type& message, const std::string& peer) {
  const std::string target{message.target()};
  const std::size_t mark = std::min(target.find('?'), target.size());
  Request request{.method = std::string{message.method_string()},
                  .path = target.substr(0, mark),
                  .query = target.substr(std::min(mark + 1, target.size())),
                  .headers = {},
                  .body = message.body(),
                  .peer = peer};
  for (const auto& field : message) {
    std::string& value = request.headers[LowerAscii(
        std::string_view{field.name_string().data(), field.name_string().size()})];
    value += (value.empty() ? "" : ", ") + std::string{field.value()};
  }
  return request;
}

// One address has one name, also where IPv4 arrives at a socket for both.
std::string NameOf(const net::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6()).to_string();
  return address.to_string();
}

}  // namespace

struct Server::State {
  class Connection;

  State(Handler its_handler, Limits its_limits)
      : handler(std::move(its_handler)), limits(its_limits) {}

  error_code Listen(const BindAddress& address, bool both_families);
  void Accept();
  void Admit(Stream stream);
  void Leave();
  Response Answer(const Request& request) const;
  void MakeRoom(std::uint64_t except, std::size_t bytes);
  [[nodiscard]] std::vector<Seat> Seats(std::uint64_t except) const;
  void Close(std::uint64_t id);
  void SayClosed();
  void Run();

  const Handler handler;
  const Limits limits;
  net::io_context io{1};
  tcp::acceptor acceptor{io};
  net::steady_timer accept_again{io};
  net::steady_timer said{io};  // runs while the log is quiet of connections that were closed
  std::uint64_t closed = 0;    // and not said yet
  std::unordered_map<std::uint64_t, std::shared_ptr<Connection>> connections;
  std::uint64_t moments = 0;  // counts: the order in which things happened
  bool quiet = false;
  bool leaving = false;
  int port = 0;
  std::jthread thread;  // last: it uses all the others
};

// Reads a request, sends its answer, and begins again. Handlers keep it alive; what is closed only
// waits for them to end.
class Server::State::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(State& server, Stream stream, std::string peer)
      : server_(server),
        stream_(std::move(stream)),
        deadline_(server.io),
        buffer_(server.limits.header_bytes + kBlock),
        seat_{.id = ++server.moments, .peer = std::move(peer), .since = server.moments} {}

  [[nodiscard]] const Seat& Sits() const { return seat_; }
  void Start() {
    parser_.emplace();
    Within(server_.limits.request);
    Read();
  }
  void Close();
  void Leave();

 private:
  void Within(std::chrono::milliseconds time);
  void Await();
  void Read();
  void Parse();
  void Refuse(const error_code& error);
  void Answer();
  void Send(Response response, bool with_body, bool keep);
  void End();
  void Drain();

  State& server_;
  Stream stream_;
  net::steady_timer deadline_;
  std::uint64_t deadlines_ = 0;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;  // of the request that is being read
  bool begun_ = true;             // its time runs: of the first one at once
  std::string head_;
  std::string body_;
  std::array<char, kBlock> drained_{};
  std::size_t drained_bytes_ = 0;
  bool closed_ = false;
  Seat seat_;
};

// The present deadline: it stays where it is, however the bytes trickle in.
void Server::State::Connection::Within(std::chrono::milliseconds time) {
  deadline_.expires_after(time);
  deadline_.async_wait(
      [self = shared_from_this(), present = ++deadlines_](const error_code& error) {
        if (!error && present == self->deadlines_) self->Close();
      });
}

void Server::State::Connection::Close() {
  if (std::exchange(closed_, true)) return;
  error_code ignored;
  // What a client did not take would stay in the kernel, for minutes.
  if (seat_.answering) stream_.set_option(Stream::linger{true, 0}, ignored);
  stream_.close(ignored);
  deadline_.cancel();
  server_.connections.erase(seat_.id);
}

void Server::State::Connection::Leave() {
  if (!seat_.answering) return Close();
  Within(kLastAnswers);
}

// The next request; it may be in the buffer already.
void Server::State::Connection::Await() {
  seat_.answering = false;
  seat_.unsent = 0;
  seat_.since = ++server_.moments;
  parser_.emplace();
  begun_ = buffer_.size() > 0;
  Within(begun_ ? server_.limits.request : server_.limits.idle);
  begun_ ? Parse() : Read();
}

void Server::State::Connection::Read() {
  // A chunk's extension, which alone has no limit in Beast.
  if (buffer_.size() >= buffer_.max_size()) return Refuse(beast::http::error::header_limit);
  const std::size_t room = std::min(kBlock, buffer_.max_size() - buffer_.size());
  stream_.async_read_some(buffer_.prepare(room),
                          [self = shared_from_this()](const error_code& error, std::size_t bytes) {
                            if (self->closed_) return;
                            if (error) return self->Close();
                            self->buffer_.commit(bytes);
                            if (!std::exchange(self->begun_, true))
                              self->Within(self->server_.limits.request);
                            self->Parse();
                          });
}

void Server::State::Connection::Parse() {
  parser_->header_limit(static_cast<std::uint32_t>(server_.limits.header_bytes));
  parser_->body_limit(server_.limits.body_bytes);
  parser_->eager(true);
  error_code error;
  buffer_.consume(parser_->put(buffer_.data(), error));
  if (error && error != beast::http::error::need_more) return Refuse(error);
  parser_->is_done() ? Answer() : Read();
}

void Server::State::Connection::Refuse(const error_code& error) {
  using beast::http::error::body_limit;
  using beast::http::error::header_limit;
  if (error == header_limit) return Send(PlainText(431, "the header is too long"), true, false);
  if (error == body_limit) return Send(PlainText(413, "the body is too long"), true, false);
  Send(PlainText(400, "this is not an HTTP request"), true, false);
}

void Server::State::Connection::Answer() {
  const Parser::value_type& message = parser_->get();
  const bool keep = message.keep_alive();
  const bool with_body = message.method() != beast::http::verb::head;
  // RFC 9112, section 3.2.
  if (message.version() == 11 && message.count(beast::http::field::host) != 1)
    return Send(PlainText(400, "one Host header is needed"), with_body, false);
  const Request request = RequestOf(message, seat_.peer);
  Send(server_.Answer(request), with_body, keep);
}

void Server::State::Connection::Send(Response response, bool with_body, bool keep) {
  const bool stays = keep && !server_.leaving;
  parser_.reset();
  head_ = HeadOf(response, stays);
  body_ = with_body ? std::move(response.body) : std::string{};
  server_.MakeRoom(seat_.id, body_.size());
  seat_.answering = true;
  seat_.unsent = body_.size();
  seat_.since = ++server_.moments;
  Within(server_.limits.answer);
  net::async_write(stream_, std::array{net::buffer(head_), net::buffer(body_)},
                   [self = shared_from_this(), stays](const error_code& error, std::size_t) {
                     if (self->closed_) return;
                     self->body_ = {};
                     if (error || self->server_.leaving) return self->Close();
                     stays ? self->Await() : self->End();
                   });
}

// A socket that is closed with bytes unread is reset, and the answer lost with it. So we say that
// nothing more comes, and read on until the client has closed, or for a moment.
void Server::State::Connection::End() {
  seat_.answering = false;
  seat_.unsent = 0;
  error_code ignored;
  stream_.shutdown(Stream::shutdown_send, ignored);
  Within(kDrain);
  Drain();
}

void Server::State::Connection::Drain() {
  stream_.async_read_some(net::buffer(drained_),
                          [self = shared_from_this()](const error_code& error, std::size_t n) {
                            if (self->closed_) return;
                            self->drained_bytes_ += n;
                            if (error || self->drained_bytes_ > kMostDrained) return self->Close();
                            self->Drain();
                          });
}

error_code Server::State::Listen(const BindAddress& address, bool both_families) {
  error_code error;
  const auto host = address.host.empty()
                        ? (both_families ? net::ip::address{net::ip::address_v6::any()}
                                         : net::ip::address{net::ip::address_v4::any()})
                        : net::ip::make_address(address.host, error);
  const tcp::endpoint endpoint{host, static_cast<std::uint16_t>(address.port)};
  if (!error) acceptor.close(error);
  if (!error) acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address{true}, error);
  if (!error) acceptor.set_option(Stream::send_buffer_size{kSendBuffer}, error);
  if (!error) acceptor.set_option(Stream::receive_buffer_size{kReceiveBuffer}, error);
  if (!error && host.is_v6()) acceptor.set_option(net::ip::v6_only{!both_families}, error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (!error) port = acceptor.local_endpoint(error).port();
  return error;
}

void Server::State::Accept() {
  acceptor.async_accept([this](const error_code& error, Stream stream) {
    if (leaving) return;
    if (!error) {
      try {
        Admit(std::move(stream));
      } catch (const std::exception& failed) {
        log::Error("the HTTP server failed to accept a connection", {{"error", failed.what()}});
      }
      return Accept();
    }
    accept_again.expires_after(kAcceptAgain);
    accept_again.async_wait([this](const error_code& cancelled) {
      if (!cancelled) Accept();
    });
  });
}

void Server::State::Admit(Stream stream) {
  error_code error;
  const tcp::endpoint peer = stream.remote_endpoint(error);
  if (error) return;  // gone already
  stream.set_option(tcp::no_delay{true}, error);
  const std::string name = NameOf(peer.address());
  if (const auto goes = ClosedForNewcomer(Seats(0), name, limits)) Close(*goes);
  auto connection = std::make_shared<Connection>(*this, std::move(stream), name);
  connections.emplace(connection->Sits().id, connection);
  connection->Start();
}

std::vector<Seat> Server::State::Seats(std::uint64_t except) const {
  std::vector<Seat> seats;
  seats.reserve(connections.size());
  for (const auto& [id, connection] : connections)
    if (id != except) seats.push_back(connection->Sits());
  return seats;
}

void Server::State::MakeRoom(std::uint64_t except, std::size_t bytes) {
  for (const std::uint64_t id : ClosedForAnswer(Seats(except), bytes, limits)) Close(id);
}

// Said once a minute: a flood must not fill the log.
void Server::State::Close(std::uint64_t id) {
  const auto found = connections.find(id);
  if (found == connections.end()) return;
  const std::shared_ptr<Connection> connection = found->second;
  connection->Close();
  ++closed;
  if (!quiet) SayClosed();
}

void Server::State::SayClosed() {
  quiet = closed > 0;
  if (!quiet) return;
  log::Warn("HTTP server: connections were closed to make room for others",
            {{"port", std::to_string(port)}, {"closed", std::to_string(closed)}});
  closed = 0;
  said.expires_after(kSaidAgainAfter);
  said.async_wait([this](const error_code& cancelled) {
    if (!cancelled) SayClosed();
  });
}

Response Server::State::Answer(const Request& request) const {
  try {
    Response response = handler(request);
    if (Writable(response)) return response;
    log::Error("an HTTP handler gave a header with control characters", {{"path", request.path}});
  } catch (const std::exception& error) {
    log::Error("an HTTP handler failed", {{"path", request.path}, {"error", error.what()}});
  }
  return PlainText(500, "internal error");
}

void Server::State::Leave() {
  leaving = true;
  error_code ignored;
  acceptor.close(ignored);
  accept_again.cancel();
  said.cancel();
  const auto all = connections;  // each takes itself out
  for (const auto& [id, connection] : all) connection->Leave();
}

// Until the server leaves: then nothing is left to wait for.
void Server::State::Run() {
  for (bool done = false; !done;) {
    try {
      io.run();
      done = true;
    } catch (const std::exception& error) {  // of one connection; its deadline closes it
      log::Error("the HTTP server failed to serve a connection", {{"error", error.what()}});
    }
  }
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  if (!state_->thread.joinable()) return;
  net::post(state_->io, [state = state_.get()] { state->Leave(); });
  state_->thread.join();
}

int Server::Port() const { return state_->port; }

Result<std::unique_ptr<Server>> Server::Start(std::string_view address, Handler handler,
                                              Limits limits) {
  auto bind = ParseBindAddress(address);
  if (!bind) return std::unexpected(bind.error());
  auto state = std::make_unique<State>(std::move(handler), limits);
  if (*bind) {
    const bool any = (*bind)->host.empty();
    error_code error = state->Listen(**bind, any);
    // A machine without IPv6 has no socket for both families.
    if (any && error && error != net::error::address_in_use) error = state->Listen(**bind, false);
    if (error)
      return Fail(ErrorCode::Unavailable,
                  fmt::format("cannot listen on \"{}\": {}", address, error.message()));
    state->Accept();
    state->thread = std::jthread{[state = state.get()] { state->Run(); }};
  }
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

}  // namespace certpair::http
