#include "support/raw_server.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace certpair::test {
namespace {

using Context = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using Stream = std::unique_ptr<SSL, decltype(&SSL_free)>;

int ListenOnLoopback(int& port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (listener < 0 || bind(listener, generic, size) != 0 || listen(listener, 128) != 0 ||
      getsockname(listener, generic, &size) != 0)
    throw std::runtime_error("no listening socket on 127.0.0.1");
  port = ntohs(address.sin_port);
  return listener;
}

template <class T>
T* Parse(const std::string& pem, T* (*read)(BIO*, T**, pem_password_cb*, void*)) {
  BIO* memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  T* parsed = read(memory, nullptr, nullptr, nullptr);
  BIO_free(memory);
  if (parsed == nullptr) throw std::runtime_error("a test's PEM does not parse");
  return parsed;
}

int AcceptAnyPeer(int /*verified*/, X509_STORE_CTX* /*chain*/) { return 1; }

Context MakeContext(const RawServerTls& tls) {
  Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  X509* certificate = Parse(tls.identity.certificate, PEM_read_bio_X509);
  EVP_PKEY* key = Parse(tls.identity.key, PEM_read_bio_PrivateKey);
  SSL_CTX_use_certificate(context.get(), certificate);
  SSL_CTX_use_PrivateKey(context.get(), key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (!tls.client_authority.empty()) {
    X509* authority = Parse(tls.client_authority, PEM_read_bio_X509);
    SSL_CTX_add_client_CA(context.get(), authority);
    X509_free(authority);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, AcceptAnyPeer);
    SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>("t"), 1);
  }
  return context;
}

class SocketConnection final : public RawConnection {
 public:
  SocketConnection(int socket, SSL_CTX* context, std::function<void(const std::string&)> on_request)
      : socket_(socket), stream_(nullptr, SSL_free), on_request_(std::move(on_request)) {
    if (context == nullptr) return;
    stream_.reset(SSL_new(context));
    SSL_set_fd(stream_.get(), socket_);
    usable_ = SSL_accept(stream_.get()) == 1;
  }

  [[nodiscard]] bool Usable() const { return usable_; }

  std::string ReadRequest() override {
    std::size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
      if (!ReadMore()) return {};
    std::size_t length = end + 4;
    std::string head = buffer_.substr(0, end + 2);
    std::ranges::transform(head, head.begin(), [](unsigned char c) { return std::tolower(c); });
    if (const auto at = head.find("\r\ncontent-length:"); at != std::string::npos)
      length += std::stoul(head.substr(at + 17));
    while (buffer_.size() < length)
      if (!ReadMore()) return {};
    std::string request = buffer_.substr(0, length);
    buffer_.erase(0, length);
    on_request_(request);
    return request;
  }

  bool Write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::size_t part = std::min(bytes.size(), std::size_t{1} << 20);
      const auto written =
          stream_
              ? static_cast<ssize_t>(SSL_write(stream_.get(), bytes.data(), static_cast<int>(part)))
              : send(socket_, bytes.data(), part, MSG_NOSIGNAL);
      if (written <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  void AwaitClose() override {
    while (ReadMore()) buffer_.clear();
  }

  void Reset() override {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }

  [[nodiscard]] std::string PeerName() const override {
    X509* peer = stream_ ? SSL_get0_peer_certificate(stream_.get()) : nullptr;
    if (peer == nullptr) return {};
    char name[128] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name, sizeof name);
    return name;
  }

  [[nodiscard]] std::string RequestedName() const override {
    const char* name =
        stream_ ? SSL_get_servername(stream_.get(), TLSEXT_NAMETYPE_host_name) : nullptr;
    return name != nullptr ? name : "";
  }

 private:
  bool ReadMore() {
    char block[4096];
    const auto count = stream_ ? static_cast<ssize_t>(SSL_read(stream_.get(), block, sizeof block))
                               : recv(socket_, block, sizeof block, 0);
    if (count <= 0) return false;
    buffer_.append(block, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  Stream stream_;
  bool usable_ = true;
  std::string buffer_;
  std::function<void(const std::string&)> on_request_;
};

}  // namespace

struct RawServer::State {
  std::vector<Script> scripts;
  Context context{nullptr, SSL_CTX_free};
  int port = 0;
  int listener = -1;
  mutable std::mutex mutex;
  bool ending = false;
  int accepted = 0;
  std::vector<int> open;
  std::vector<std::string> requests;
  std::vector<std::thread> threads;
  std::thread acceptor;

  void Serve(int socket, std::size_t number) {
    {
      SocketConnection connection(socket, context.get(), [this](const std::string& request) {
        const std::lock_guard lock(mutex);
        requests.push_back(request);
      });
      if (connection.Usable()) scripts[std::min(number, scripts.size() - 1)](connection);
    }
    const std::lock_guard lock(mutex);
    std::erase(open, socket);
    close(socket);
  }

  void Accept() {
    while (true) {
      const int socket = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      const std::lock_guard lock(mutex);
      if (ending || socket < 0) {
        if (socket >= 0) close(socket);
        return;
      }
      const int at_once = 1;  // a torn answer should not wait for Nagle
      setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
      open.push_back(socket);
      threads.emplace_back(
          [this, socket, number = static_cast<std::size_t>(accepted)] { Serve(socket, number); });
      ++accepted;
    }
  }
};

RawServer::RawServer(std::vector<Script> scripts, std::optional<RawServerTls> tls)
    : state_(std::make_shared<State>()) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets without MSG_NOSIGNAL
  state_->scripts = std::move(scripts);
  if (tls) state_->context = MakeContext(*tls);
  state_->listener = ListenOnLoopback(state_->port);
  state_->acceptor = std::thread([state = state_.get()] { state->Accept(); });
}

RawServer::~RawServer() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
    for (const int socket : state_->open) shutdown(socket, SHUT_RDWR);
  }
  shutdown(state_->listener, SHUT_RDWR);
  state_->acceptor.join();
  for (std::thread& thread : state_->threads) thread.join();
  close(state_->listener);
}

int RawServer::Port() const { return state_->port; }

std::string RawServer::Address() const {
  return (state_->context ? "https://127.0.0.1:" : "http://127.0.0.1:") +
         std::to_string(state_->port);
}

int RawServer::Connections() const {
  const std::lock_guard lock(state_->mutex);
  return state_->accepted;
}

std::vector<std::string> RawServer::Requests() const {
  const std::lock_guard lock(state_->mutex);
  return state_->requests;
}

std::string HttpAnswer(int status, std::string_view body, std::string_view headers) {
  std::string answer = "HTTP/1.1 " + std::to_string(status) + " as told\r\n";
  answer.append(headers);
  answer += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return answer.append(body);
}

std::string ChunkedHead() {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
}

std::string Chunk(std::string_view bytes) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return (std::string{size}.append(bytes)) += "\r\n";
}

std::string LastChunk() { return "0\r\n\r\n"; }

RawServer::Script Always(std::string answer) {
  return [answer = std::move(answer)](RawConnection& connection) {
    while (!connection.ReadRequest().empty())
      if (!connection.Write(answer)) return;
  };
}

}  // namespace certpair::test
