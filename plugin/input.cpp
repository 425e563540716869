#include "input.hpp"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "base/descriptor.hpp"
#include "text.hpp"

namespace certpair::plugin {
namespace {

constexpr std::size_t kMost = std::size_t{4} << 20;
constexpr int kLookForStop =
    50;  // milliseconds: signals are blocked, so poll() does not end by them

std::unexpected<Failure> Unreadable(const std::string& name, int error) {
  return Fail(Exit::Failed, error == ENOENT ? fmt::format("there is no file {}", name)
                                            : fmt::format("{} cannot be read: {}", name,
                                                          std::generic_category().message(error)));
}

}  // namespace

Expected<std::string> ReadInput(const std::string& path, const std::stop_token& stop) {
  const std::string name = path == "-" ? "standard input" : Escaped(path);
  // Without O_NONBLOCK a pipe without a writer could not be given up.
  const Descriptor opened{path == "-" ? -1 : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  const int file = path == "-" ? STDIN_FILENO : opened.Get();
  if (file < 0) return Unreadable(name, errno);
  std::string text;
  while (!stop.stop_requested()) {
    pollfd wait{file, POLLIN, 0};
    if (poll(&wait, 1, kLookForStop) <= 0) continue;
    char block[4096];
    const ssize_t size = read(file, block, sizeof block);
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) return Unreadable(name, errno);
    if (size == 0) return text;
    text.append(block, static_cast<std::size_t>(size));
    if (text.size() > kMost) return Fail(Exit::Failed, name + " is larger than 4 MiB");
  }
  return Fail(Exit::Interrupted, "interrupted");
}

}  // namespace certpair::plugin
