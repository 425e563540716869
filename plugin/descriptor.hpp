// A file descriptor that is closed with its owner.
#pragma once

#include <unistd.h>

namespace certpair::plugin {

class Descriptor {
 public:
  /// As open() answers: negative where there is none.
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int Get() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace certpair::plugin
