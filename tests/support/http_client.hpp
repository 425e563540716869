// The smallest HTTP clients that show what a server sent, byte by byte.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace certpair::test {

/// Sends `request` as it is to 127.0.0.1:port, says that nothing more comes, and answers all that
/// came until the server closed; empty where nobody listens.
[[nodiscard]] std::string Exchange(int port, std::string_view request);

/// `GET path HTTP/1.1` with a Host header.
[[nodiscard]] std::string Get(int port, std::string_view path);

/// What stands behind the empty line.
[[nodiscard]] std::string BodyOf(std::string_view answer);

/// One connection over loopback, for what a well-behaved client would not do.
class RawClient {
 public:
  /// From any address of 127.0.0.0/8. `receive_buffer`: the kernel's, 0 for its own choice.
  explicit RawClient(int port, const char* from = "127.0.0.1", int receive_buffer = 0);
  ~RawClient();
  RawClient(RawClient&& other) noexcept;
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// False: the server does not take it.
  bool Send(std::string_view bytes) const;
  /// What comes until `end` is in it, the server closes or `limit` has passed.
  [[nodiscard]] std::string ReadUntil(std::string_view end, std::chrono::milliseconds limit) const;
  /// Whether the server closes within `limit`; what it sends is thrown away.
  [[nodiscard]] bool ClosedWithin(std::chrono::milliseconds limit) const;

 private:
  /// Empty: closed. Nothing: the time is over.
  [[nodiscard]] std::optional<std::string> Read(std::chrono::steady_clock::time_point until) const;
  int fd_;
};

}  // namespace certpair::test
