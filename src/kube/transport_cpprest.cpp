#include "kube/transport_cpprest.hpp"

#include <array>
#include <charconv>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <utility>

// Boost.Asio's fences are more than ThreadSanitizer understands; it warns of them.
#ifdef __SANITIZE_THREAD__
#pragma GCC diagnostic ignored "-Wtsan"
#endif
// Its macro U() breaks Boost's headers.
#ifndef _TURN_OFF_PLATFORM_STRING
#define _TURN_OFF_PLATFORM_STRING  // NOLINT(bugprone-reserved-identifier): the library's name
#endif
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <cpprest/http_client.h>
#include <fmt/format.h>
#include <pplx/threadpool.h>

#include "base/log.hpp"
#include "kube/credentials.hpp"
#include "kube/endpoint.hpp"
#include "kube/exchange.hpp"
#include "kube/identity.hpp"
#include "kube/line_splitter.hpp"
#include "kube/tls_setup.hpp"

namespace certpair::kube {
namespace {

namespace http = web::http;
namespace asio = boost::asio;
using std::chrono::milliseconds;

// The library's own time limits count from the last byte, and when one passes on a used connection,
// it silently sends the request again, a POST too. So they only clean up behind ours.
constexpr std::chrono::seconds kRequestStageLimit{60};
constexpr std::chrono::seconds kWatchStageLimit{150};
constexpr std::size_t kMaxWaiting = std::size_t{1} << 20;
constexpr int kUnsentAttempts = 2;
constexpr std::size_t kMaxErrorBody = std::size_t{64} << 10;

asio::io_context& NetworkThread() { return crossplat::threadpool::shared_instance().service(); }

// Runs a continuation where its task ends, which here is always the network thread: two hand-overs
// less for each request, and a bad answer is seen before its connection can be used again.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"  // the library's base class has none
class RunInPlace final : public pplx::scheduler_interface {
 public:
  void schedule(pplx::TaskProc_t procedure, void* argument) override { procedure(argument); }
};
#pragma GCC diagnostic pop

pplx::task_options InPlace() {
  static const auto kScheduler = std::make_shared<RunInPlace>();
  return pplx::task_options(kScheduler);
}

// The body of an answer on its way from the library into an Exchange. Write-only. A task that is
// not done yet keeps the library from reading on: this is the back-pressure that its own buffers
// do not have.
class BodySink final : public concurrency::streams::details::streambuf_state_manager<std::uint8_t> {
 public:
  explicit BodySink(std::shared_ptr<Exchange> exchange)
      : streambuf_state_manager(std::ios_base::out), exchange_(std::move(exchange)) {}

  bool can_seek() const override { return false; }
  bool has_size() const override { return false; }
  std::size_t buffer_size(std::ios_base::openmode /*mode*/) const override { return 0; }
  void set_buffer_size(std::size_t /*size*/, std::ios_base::openmode /*mode*/) override {}
  std::size_t in_avail() const override { return 0; }
  utility::size64_t size() const override { return 0; }
  pos_type getpos(std::ios_base::openmode /*mode*/) const override { return Nowhere(); }
  pos_type seekpos(pos_type /*to*/, std::ios_base::openmode /*mode*/) override { return Nowhere(); }
  pos_type seekoff(off_type /*by*/, std::ios_base::seekdir /*from*/,
                   std::ios_base::openmode /*mode*/) override {
    return Nowhere();
  }
  bool acquire(std::uint8_t*& /*data*/, std::size_t& /*count*/) override { return false; }
  void release(std::uint8_t* /*data*/, std::size_t /*count*/) override {}

 protected:
  pplx::task<std::size_t> _putn(const std::uint8_t* data, std::size_t count) override {
    pplx::task_completion_event<std::size_t> taken;
    const bool read_on = exchange_->Body({reinterpret_cast<const char*>(data), count},
                                         [taken, count] { taken.set(count); });
    return read_on ? pplx::task_from_result<std::size_t>(count) : pplx::task<std::size_t>(taken);
  }
  pplx::task<int_type> _putc(std::uint8_t byte) override {
    exchange_->Body({reinterpret_cast<const char*>(&byte), 1}, [] {});
    return pplx::task_from_result<int_type>(byte);
  }
  pplx::task<bool> _sync() override { return pplx::task_from_result(true); }
  std::uint8_t* _alloc(std::size_t /*count*/) override { return nullptr; }
  void _commit(std::size_t /*count*/) override {}
  pplx::task<int_type> _bumpc() override { return NoByte(); }
  int_type _sbumpc() override { return traits::eof(); }
  pplx::task<int_type> _getc() override { return NoByte(); }
  int_type _sgetc() override { return traits::eof(); }
  pplx::task<int_type> _nextc() override { return NoByte(); }
  pplx::task<int_type> _ungetc() override { return NoByte(); }
  pplx::task<std::size_t> _getn(std::uint8_t* /*to*/, std::size_t /*count*/) override {
    return pplx::task_from_result<std::size_t>(0);
  }
  std::size_t _scopy(std::uint8_t* /*to*/, std::size_t /*count*/) override { return 0; }

 private:
  static pos_type Nowhere() { return static_cast<pos_type>(-1); }
  static pplx::task<int_type> NoByte() { return pplx::task_from_result<int_type>(traits::eof()); }
  const std::shared_ptr<Exchange> exchange_;
};

// The two clients of one set of TLS material. A connection keeps the identity it was opened with,
// so new material means new clients.
struct Connections {
  Connections(const Endpoint& endpoint, const std::optional<Proxy>& proxy,
              const std::shared_ptr<const TlsMaterial>& material,
              const std::shared_ptr<TlsExpectation>& expectation);
  std::shared_ptr<const TlsMaterial> tls;
  http::client::http_client requests;
  http::client::http_client watches;
};

http::uri AddressOf(const Endpoint& endpoint) {
  return http::uri(fmt::format("{}://{}:{}{}", endpoint.tls ? "https" : "http", endpoint.host,
                               endpoint.port, endpoint.prefix));
}

http::client::http_client_config ClientConfig(const std::shared_ptr<const TlsMaterial>& material,
                                              const std::shared_ptr<TlsExpectation>& expectation,
                                              const std::optional<Proxy>& proxy,
                                              std::chrono::seconds stage_limit) {
  http::client::http_client_config config;
  if (proxy) {
    web::web_proxy tunnel{http::uri(fmt::format("http://{}:{}", proxy->host, proxy->port))};
    if (!proxy->user.empty())
      tunnel.set_credentials({proxy->user, std::string{proxy->password.Reveal()}});
    config.set_proxy(tunnel);
  }
  config.set_timeout(stage_limit);
  config.set_max_redirects(0);  // it would carry Authorization to other hosts
  config.set_tlsext_sni_enabled(false);
  config.set_validate_certificates(expectation->verify);
  config.set_ssl_context_callback([material, expectation](asio::ssl::context& context) {
    if (auto done = SetUpTls(context, *material, *expectation); !done)
      throw std::runtime_error(done.error().message);
  });
  return config;
}

Connections::Connections(const Endpoint& endpoint, const std::optional<Proxy>& proxy,
                         const std::shared_ptr<const TlsMaterial>& material,
                         const std::shared_ptr<TlsExpectation>& expectation)
    : tls(material),
      requests(AddressOf(endpoint), ClientConfig(material, expectation, proxy, kRequestStageLimit)),
      watches(AddressOf(endpoint), ClientConfig(material, expectation, proxy, kWatchStageLimit)) {}

// Connections end on the network thread too, where nothing can be using them.
std::shared_ptr<Connections> MakeConnections(const Endpoint& endpoint,
                                             const std::optional<Proxy>& proxy,
                                             const std::shared_ptr<const TlsMaterial>& material,
                                             const std::shared_ptr<TlsExpectation>& expectation) {
  return {new Connections(endpoint, proxy, material, expectation), [](Connections* old) {
            asio::post(NetworkThread(), [owned = std::shared_ptr<Connections>(old)] {});
          }};
}

std::optional<milliseconds> ReadRetryAfter(const http::http_headers& headers) {
  const auto found = headers.find("Retry-After");
  if (found == headers.end()) return std::nullopt;
  const std::string& text = found->second;
  unsigned seconds = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds{std::min(seconds, 3600U)};
}

std::size_t ReadContentLength(const http::http_headers& headers) {
  utility::size64_t length = 0;
  return headers.match("Content-Length", length) ? static_cast<std::size_t>(length) : 0;
}

// The library's error codes mean nothing but "timed out"; its texts say which stage failed.
Exchange::Failure Translate(const http::http_exception& error, TlsExpectation& expectation) {
  Exchange::Failure failure;
  failure.what = error.what();
  const int code = error.error_code().value();
  if (code == ETIMEDOUT) {
    failure.kind = ApiErrorKind::Timeout;
    return failure;
  }
  if (failure.what.starts_with("Invalid ")) failure.kind = ApiErrorKind::Protocol;
  failure.unsent = failure.what.starts_with("Failed to write request");
  if (failure.what.starts_with("Error in SSL handshake")) {
    const int verify = expectation.last_failure.exchange(0);
    const std::string reason = verify != 0 ? DescribeVerifyFailure(verify)
                                           : DescribeTlsError(static_cast<unsigned long>(code));
    failure.what = reason.empty() ? "the TLS handshake failed"
                                  : fmt::format("the TLS handshake failed: {}", reason);
  }
  return failure;
}

// Asks `ended` for its result, which it has, and tells the exchange of an exception in it.
template <class Task, class Then>
void Observe(const std::shared_ptr<Exchange>& exchange,
             const std::shared_ptr<TlsExpectation>& expectation, const Task& ended, Then then) {
  try {
    then(ended.get());
  } catch (const http::http_exception& error) {
    exchange->Finish(Translate(error, *expectation));
  } catch (const std::exception& error) {
    exchange->Finish(Exchange::Failure{ApiErrorKind::Transport, error.what()});
  }
}

class CpprestTransport final : public HttpTransport {
 public:
  CpprestTransport(Endpoint endpoint, std::optional<Proxy> proxy, Headers always,
                   std::unique_ptr<Credentials> credentials,
                   std::shared_ptr<TlsExpectation> expectation)
      : endpoint_(std::move(endpoint)),
        proxy_(std::move(proxy)),
        always_(std::move(always)),
        credentials_(std::move(credentials)),
        expectation_(std::move(expectation)) {}

  ApiResult<HttpResponse> Send(const HttpRequest& request, milliseconds deadline,
                               std::stop_token stop) override;
  ApiResult<void> Stream(const HttpRequest& request, milliseconds idle, std::size_t max_line,
                         const std::function<bool(std::string_view line)>& on_line,
                         std::stop_token stop) override;

 private:
  enum class Use { Request, Watch };
  using ConnectionsPtr = std::shared_ptr<Connections>;

  // A request that is under way; ends it, if it is not over, when it leaves its scope.
  class Flight {
   public:
    Flight(std::shared_ptr<Exchange> exchange, pplx::cancellation_token_source cancel)
        : exchange_(std::move(exchange)), cancel_(std::move(cancel)) {}
    Flight(const Flight&) = delete;
    Flight& operator=(const Flight&) = delete;
    ~Flight();
    Exchange* operator->() const { return exchange_.get(); }
    void Landed() { landed_ = true; }

   private:
    std::shared_ptr<Exchange> exchange_;
    pplx::cancellation_token_source cancel_;
    bool landed_ = false;
  };

  [[nodiscard]] ConnectionsPtr ConnectionsFor(const Proof& proof);
  void Discard(const ConnectionsPtr& used);
  [[nodiscard]] Flight Depart(const HttpRequest& request, Use use, std::size_t limit,
                              const Proof& proof, const ConnectionsPtr& connections);
  [[nodiscard]] std::unexpected<ApiError> Fail(const HttpRequest& request, ApiErrorKind kind,
                                               int status, std::string_view what) const;
  [[nodiscard]] ApiResult<HttpResponse> SendWith(const HttpRequest& request,
                                                 Exchange::Deadline until,
                                                 const std::stop_token& stop, const Proof& proof);
  [[nodiscard]] ApiResult<void> StreamWith(const HttpRequest& request, milliseconds idle,
                                           LineSplitter& lines, const LineSplitter::OnLine& on_line,
                                           const std::stop_token& stop, const Proof& proof);

  const Endpoint endpoint_;
  const std::optional<Proxy> proxy_;
  const Headers always_;
  const std::unique_ptr<Credentials> credentials_;
  const std::shared_ptr<TlsExpectation> expectation_;
  std::array<Guarded<ConnectionsPtr>, 2> connections_;  // ours; those for tokens of users
};

// Cancelling closes the socket, and must not happen while another thread works on it: the network
// thread does it between its other work.
CpprestTransport::Flight::~Flight() {
  if (landed_) return;
  exchange_->Abandon();
  asio::post(NetworkThread(), [cancel = cancel_] { cancel.cancel(); });
}

CpprestTransport::ConnectionsPtr CpprestTransport::ConnectionsFor(const Proof& proof) {
  auto current = connections_.at(proof.IsOfUser() ? 1 : 0).Lock();
  if (!*current || (*current)->tls != proof.Tls())
    *current = MakeConnections(endpoint_, proxy_, proof.Tls(), expectation_);
  return *current;
}

void CpprestTransport::Discard(const ConnectionsPtr& used) {
  for (auto& connections : connections_)
    if (auto current = connections.Lock(); *current == used) current->reset();
}

CpprestTransport::Flight CpprestTransport::Depart(const HttpRequest& request, Use use,
                                                  std::size_t limit, const Proof& proof,
                                                  const ConnectionsPtr& connections) {
  auto exchange = std::make_shared<Exchange>(limit);
  pplx::cancellation_token_source cancel;
  http::http_request message(request.method);
  message.set_request_uri(http::uri(request.path));
  message.headers().add("Accept", request.accept);
  message.headers().add("User-Agent", "certpair/" CERTPAIR_VERSION);
  const Headers& impersonation = proof.identity ? proof.identity->ImpersonationLines() : always_;
  for (const auto& [name, value] : impersonation) message.headers().add(name, value);
  if (!proof.Token().empty())
    message.headers().add("Authorization", fmt::format("Bearer {}", proof.Token().Reveal()));
  if (!request.body.empty() || !request.content_type.empty()) {
    message.set_body(std::vector<unsigned char>(request.body.begin(), request.body.end()));
    message.headers().set_content_type(request.content_type);
  }
  message.set_response_stream(concurrency::streams::ostream(
      concurrency::streams::streambuf<std::uint8_t>(std::make_shared<BodySink>(exchange))));

  const auto on_body = [exchange,
                        expectation = expectation_](const pplx::task<http::http_response>& whole) {
    Observe(exchange, expectation, whole,
            [&](const http::http_response&) { exchange->Finish(std::nullopt); });
  };
  const auto on_head = [exchange, cancel, on_body, expectation = expectation_](
                           const pplx::task<http::http_response>& answered) {
    Observe(exchange, expectation, answered, [&](const http::http_response& answer) {
      const int status = answer.status_code();
      exchange->Headers({status, ReadRetryAfter(answer.headers())},
                        ReadContentLength(answer.headers()));
      if (status < 200) {
        // The library takes it for the whole answer; the real one would go to the next request on
        // this connection.
        exchange->Finish(Exchange::Failure{ApiErrorKind::Protocol,
                                           "an interim (1xx) answer, which was not asked for"});
        cancel.cancel();
      }
      answer.content_ready().then(on_body, InPlace());
    });
  };
  asio::post(NetworkThread(), [=]() {
    // A connection is then touched by this thread alone, from its first byte to its last.
    try {
      auto& client = use == Use::Watch ? connections->watches : connections->requests;
      client.request(message, cancel.get_token()).then(on_head, InPlace());
    } catch (const std::exception& error) {
      exchange->Finish(Exchange::Failure{ApiErrorKind::Transport, error.what()});
    }
  });
  return {std::move(exchange), std::move(cancel)};
}

std::unexpected<ApiError> CpprestTransport::Fail(const HttpRequest& request, ApiErrorKind kind,
                                                 int status, std::string_view what) const {
  return std::unexpected(ApiError{kind, status, "",
                                  fmt::format("{} {} at {}:{}: {}", request.method, request.path,
                                              endpoint_.host, endpoint_.port, what),
                                  std::nullopt});
}

ApiResult<HttpResponse> CpprestTransport::SendWith(const HttpRequest& request,
                                                   Exchange::Deadline until,
                                                   const std::stop_token& stop,
                                                   const Proof& proof) {
  for (int attempts_left = kUnsentAttempts;; --attempts_left) {
    const ConnectionsPtr connections = ConnectionsFor(proof);
    Flight flight = Depart(request, Use::Request, request.max_answer, proof, connections);
    const Exchange::Wait wait = flight->AwaitEnd(until, stop);
    if (wait == Exchange::Wait::Stopped)
      return Fail(request, ApiErrorKind::Cancelled, 0, "stopped");
    if (wait == Exchange::Wait::Late)
      return Fail(request, ApiErrorKind::Timeout, 0, "no whole answer within the deadline");
    HttpResponse response;
    const Exchange::Taken taken = flight->Take(response.body);
    if (!taken.finished)
      return Fail(request, ApiErrorKind::TooLarge, taken.head.status,
                  fmt::format("the answer is larger than {} MiB", request.max_answer >> 20));
    flight.Landed();
    if (!taken.failure) {
      response.status = taken.head.status;
      response.retry_after = taken.head.retry_after;
      return response;
    }
    // The server closed a waiting connection just as we took it; its companions are likely closed
    // too. A fresh connection and a fresh message: the library aborts on one that was sent before.
    if (!taken.failure->unsent || attempts_left == 0)
      return Fail(request, taken.failure->kind, taken.head.status, taken.failure->what);
    Discard(connections);
  }
}

ApiResult<HttpResponse> CpprestTransport::Send(const HttpRequest& request, milliseconds deadline,
                                               std::stop_token stop) {
  const auto until = std::chrono::steady_clock::now() + deadline;
  const Proof proof{credentials_->Current(), request.identity};
  auto answer = SendWith(request, until, stop, proof);
  // There is no second token of a user.
  if (!answer || answer->status != 401 || proof.IsOfUser()) return answer;
  return SendWith(request, until, stop, {credentials_->Refresh(), request.identity});
}

ApiResult<void> CpprestTransport::StreamWith(const HttpRequest& request, milliseconds idle,
                                             LineSplitter& lines,
                                             const LineSplitter::OnLine& on_line,
                                             const std::stop_token& stop, const Proof& proof) {
  Flight flight = Depart(request, Use::Watch, kMaxWaiting, proof, ConnectionsFor(proof));
  std::string bytes;
  std::string error_body;
  while (true) {
    const Exchange::Wait wait = flight->AwaitBytes(std::chrono::steady_clock::now() + idle, stop);
    bytes.clear();
    const Exchange::Taken taken = flight->Take(bytes);
    const int status = taken.head.status;
    if (wait == Exchange::Wait::Stopped)
      return Fail(request, ApiErrorKind::Cancelled, status, "stopped");
    if (wait == Exchange::Wait::Late)
      return Fail(request, ApiErrorKind::Timeout, status, "nothing came for too long");
    if (taken.finished) flight.Landed();
    if (status == 200) {
      const auto verdict = lines.Append(bytes, on_line);
      if (verdict == LineSplitter::Verdict::Left) return {};
      if (verdict == LineSplitter::Verdict::TooLong)
        return Fail(request, ApiErrorKind::TooLarge, status, "a line is too long");
    } else {
      error_body.append(bytes, 0, kMaxErrorBody - error_body.size());
    }
    if (!taken.finished) continue;
    if (taken.failure) return Fail(request, taken.failure->kind, status, taken.failure->what);
    if (status == 200) return {};
    return std::unexpected(ErrorFromResponse(status, error_body,
                                             fmt::format("{} {}", request.method, request.path),
                                             taken.head.retry_after));
  }
}

ApiResult<void> CpprestTransport::Stream(const HttpRequest& request, milliseconds idle,
                                         std::size_t max_line,
                                         const std::function<bool(std::string_view line)>& on_line,
                                         std::stop_token stop) {
  LineSplitter lines(max_line);
  const Proof proof{credentials_->Current(), request.identity};
  auto ended = StreamWith(request, idle, lines, on_line, stop, proof);
  if (ended || ended.error().kind != ApiErrorKind::Unauthorized || proof.IsOfUser()) return ended;
  return StreamWith(request, idle, lines, on_line, stop,
                    {credentials_->Refresh(), request.identity});
}

std::unexpected<Error> InContext(const std::string& description, const Error& error) {
  return Fail(error.code, description.empty() ? error.message
                                              : fmt::format("{}: {}", description, error.message));
}

}  // namespace

void InitializeNetwork() {
  static std::once_flag once;
  std::call_once(once, [] {
    // First, so that at exit it is cleaned up last: the network thread keeps state in it.
    OPENSSL_init_ssl(0, nullptr);
    // Each new connection loads the system's bundle, only to have it replaced: 20 ms instead of 2.
    setenv("SSL_CERT_FILE", "/dev/null", 1);
    try {
      crossplat::threadpool::initialize_with_threads(1);
    } catch (const std::exception&) {
      log::Error(
          "the network library was started before InitializeNetwork: cancelling is not safe");
    }
  });
}

Result<std::shared_ptr<HttpTransport>> MakeTransport(ClusterConfig config, const Clock& clock) {
  InitializeNetwork();
  auto endpoint = ParseEndpoint(config.server);
  if (!endpoint) return InContext(config.description, endpoint.error());
  auto expectation = std::make_shared<TlsExpectation>();
  expectation->name = config.tls_server_name.empty() ? endpoint->host : config.tls_server_name;
  expectation->verify = !config.insecure_skip_tls_verify;
  if (endpoint->tls && expectation->verify && !config.certificate_authority.Given())
    return InContext(config.description,
                     {ErrorCode::Invalid,
                      "there is no certificate-authority, and the system's are not trusted "
                      "for an API server"});
  TlsCheck check = [tls = endpoint->tls, expectation](const TlsMaterial& material) {
    return tls ? CheckTls(material, *expectation) : Result<void>{};
  };
  const std::string description = config.description;
  auto headers = ImpersonationHeaders(config.impersonate);
  if (!headers) return InContext(description, headers.error());
  std::optional<Proxy> proxy = std::move(config.proxy);
  auto credentials = Credentials::Load(std::move(config), std::move(check), clock);
  if (!credentials) return InContext(description, credentials.error());
  return std::make_shared<CpprestTransport>(std::move(*endpoint), std::move(proxy),
                                            std::move(*headers), std::move(*credentials),
                                            std::move(expectation));
}

}  // namespace certpair::kube
