#include "unit/metrics/http_client.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace certpair::metrics {

std::string Exchange(int port, std::string_view request) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return {};
  const timeval patience{.tv_sec = 20, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    (void)!send(fd, request.data(), request.size(), MSG_NOSIGNAL);
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

}  // namespace certpair::metrics
