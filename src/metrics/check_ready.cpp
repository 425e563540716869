#include "metrics/check_ready.hpp"

#include <array>
#include <memory>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <fmt/format.h>

#include "base/descriptor.hpp"

namespace certpair::metrics {
namespace {

constexpr timeval kPatience{5, 0};
constexpr std::size_t kLongestAnswer = 16384;

Descriptor NewSocket(const addrinfo& to) {
  Descriptor made{socket(to.ai_family, to.ai_socktype | SOCK_CLOEXEC, to.ai_protocol)};
  setsockopt(made.Get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  setsockopt(made.Get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  return made;
}

std::string NameOf(const addrinfo& address) {
  std::array<char, 256> host{};
  getnameinfo(address.ai_addr, address.ai_addrlen, host.data(), host.size(), nullptr, 0,
              NI_NUMERICHOST);
  return host.data();
}

Result<std::string> Ask(const addrinfo& to) {
  const std::string name = NameOf(to);
  const Descriptor socket = NewSocket(to);
  const std::string_view request =
      "GET /readyz HTTP/1.1\r\nHost: certpair\r\nConnection: close\r\n\r\n";
  if (socket.Get() < 0 || connect(socket.Get(), to.ai_addr, to.ai_addrlen) != 0 ||
      send(socket.Get(), request.data(), request.size(), MSG_NOSIGNAL) !=
          static_cast<ssize_t>(request.size()))
    return Fail(ErrorCode::Unavailable, fmt::format("{} does not answer", name));
  std::string answer;
  std::array<char, 4096> buffer{};
  for (ssize_t n = 0; answer.size() < kLongestAnswer &&
                      (n = recv(socket.Get(), buffer.data(), buffer.size(), 0)) > 0;)
    answer.append(buffer.data(), static_cast<std::size_t>(n));
  const std::size_t body = answer.find("\r\n\r\n");
  const std::string said = body == std::string::npos ? std::string{} : answer.substr(body + 4, 500);
  if (!answer.starts_with("HTTP/1.1 200 "))
    return Fail(ErrorCode::Unavailable, fmt::format("{} is not ready: {}", name, said));
  return fmt::format("{}: {}", name, said);
}

}  // namespace

Result<std::string> CheckReady(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == address.size())
    return Fail(ErrorCode::Invalid,
                fmt::format("\"{}\" is not HOST:PORT, such as certpair-controller:8081", address));
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int status = getaddrinfo(address.substr(0, colon).c_str(),
                                     address.substr(colon + 1).c_str(), &wanted, &found);
      status != 0)
    return Fail(ErrorCode::Unavailable, fmt::format("{}: {}", address, gai_strerror(status)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses{found, &freeaddrinfo};
  std::string all;
  for (const addrinfo* one = addresses.get(); one != nullptr; one = one->ai_next) {
    auto said = Ask(*one);
    if (!said) return said;
    all += *said + (said->ends_with('\n') ? "" : "\n");
  }
  return all;
}

}  // namespace certpair::metrics
