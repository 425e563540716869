// Bytes as they come, lines as they are meant. Pure; not thread-safe. Private to kube.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace certpair::kube {

/// Cuts a stream at '\n'. Keeps at most one unfinished line of `max_line` bytes.
class LineSplitter {
 public:
  using OnLine = std::function<bool(std::string_view line)>;
  enum class Verdict {
    More,     ///< go on
    Left,     ///< on_line answered false
    TooLong,  ///< a line is longer than max_line
  };

  explicit LineSplitter(std::size_t max_line) : max_line_(max_line) {}

  /// Calls `on_line` for each line that `bytes` completes, without its end ("\n" or "\r\n"); empty
  /// lines are left out. A line within `bytes` is not copied.
  Verdict Append(std::string_view bytes, const OnLine& on_line);
  /// The bytes of a line that has no end yet.
  [[nodiscard]] std::size_t Unfinished() const { return partial_.size(); }

 private:
  std::size_t max_line_;
  std::string partial_;
};

}  // namespace certpair::kube
