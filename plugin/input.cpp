#include "input.hpp"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "text.hpp"

namespace certpair::plugin {
namespace {

constexpr std::size_t kMost = std::size_t{4} << 20;
constexpr int kLookForStop =
    50;  // milliseconds: signals are blocked, so poll() does not end by them

// Closes what it opened, and leaves standard input open.
class Descriptor {
 public:
  // Without O_NONBLOCK a pipe that nobody writes into could not be given up.
  explicit Descriptor(const std::string& path)
      : fd_(path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)),
        owned_(path != "-") {}
  ~Descriptor() {
    if (owned_ && fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int Get() const { return fd_; }

 private:
  const int fd_;
  const bool owned_;
};

std::unexpected<Failure> Unreadable(const std::string& name, int error) {
  return Fail(Exit::Failed, error == ENOENT ? fmt::format("there is no file {}", name)
                                            : fmt::format("{} cannot be read: {}", name,
                                                          std::generic_category().message(error)));
}

}  // namespace

Expected<std::string> ReadInput(const std::string& path, const std::stop_token& stop) {
  const std::string name = path == "-" ? "standard input" : Escaped(path);
  const Descriptor file{path};
  if (file.Get() < 0) return Unreadable(name, errno);
  std::string text;
  while (!stop.stop_requested()) {
    pollfd wait{file.Get(), POLLIN, 0};
    if (poll(&wait, 1, kLookForStop) <= 0) continue;
    char block[4096];
    const ssize_t size = read(file.Get(), block, sizeof block);
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) return Unreadable(name, errno);
    if (size == 0) return text;
    text.append(block, static_cast<std::size_t>(size));
    if (text.size() > kMost) return Fail(Exit::Failed, name + " is larger than 4 MiB");
  }
  return Fail(Exit::Interrupted, "interrupted");
}

}  // namespace certpair::plugin
