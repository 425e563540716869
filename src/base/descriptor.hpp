// A file descriptor that is closed with its owner.
#pragma once

namespace certpair {

/// Not thread-safe.
class Descriptor {
 public:
  Descriptor() = default;
  /// As open() answers: negative where there is none.
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int Get() const { return fd_; }
  void Close();

 private:
  int fd_ = -1;
};

}  // namespace certpair
