#include "support/http_client.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace certpair::test {
namespace {

constexpr std::chrono::seconds kPatience{20};

sockaddr_in Address(const char* host, int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

}  // namespace

std::string Exchange(int port, std::string_view request) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return {};
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const sockaddr_in address = Address("127.0.0.1", port);
  std::string answer;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    (void)!send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);
    std::array<char, 4096> chunk{};
    for (ssize_t got = 0; (got = recv(fd, chunk.data(), chunk.size(), 0)) > 0;)
      answer.append(chunk.data(), static_cast<std::size_t>(got));
  }
  close(fd);
  return answer;
}

std::string Get(int port, std::string_view path) {
  return Exchange(port, "GET " + std::string{path} + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

std::string BodyOf(std::string_view answer) {
  const std::size_t head_end = answer.find("\r\n\r\n");
  return head_end == std::string_view::npos ? "" : std::string{answer.substr(head_end + 4)};
}

RawClient::RawClient(int port, const char* from, int receive_buffer)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer > 0)
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const sockaddr_in ours = Address(from, 0);
  const sockaddr_in theirs = Address("127.0.0.1", port);
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&ours), sizeof ours) == 0)
    (void)!connect(fd_, reinterpret_cast<const sockaddr*>(&theirs), sizeof theirs);
}

RawClient::~RawClient() {
  if (fd_ >= 0) close(fd_);
}

RawClient::RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

bool RawClient::Send(std::string_view bytes) const {
  return send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

std::optional<std::string> RawClient::Read(std::chrono::steady_clock::time_point until) const {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  pollfd wait{fd_, POLLIN, 0};
  if (poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0))) <= 0)
    return std::nullopt;
  std::array<char, 65536> block{};
  const ssize_t got = recv(fd_, block.data(), block.size(), 0);
  return std::string{block.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
}

std::string RawClient::ReadUntil(std::string_view end, std::chrono::milliseconds limit) const {
  const auto until = std::chrono::steady_clock::now() + limit;
  std::string all;
  while (end.empty() || all.find(end) == std::string::npos) {
    const auto block = Read(until);
    if (!block || block->empty()) break;
    all += *block;
  }
  return all;
}

bool RawClient::ClosedWithin(std::chrono::milliseconds limit) const {
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto block = Read(until);
    if (!block) return false;
    if (block->empty()) return true;
  }
}

}  // namespace certpair::test
