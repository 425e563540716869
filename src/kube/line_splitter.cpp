#include "kube/line_splitter.hpp"

namespace certpair::kube {

LineSplitter::Verdict LineSplitter::Append(std::string_view bytes, const OnLine& on_line) {
  // One long line should not hold its memory for the rest of a watch.
  constexpr std::size_t kKeepCapacity = 64UL << 10;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (partial_.size() + piece.size() > max_line_) return Verdict::TooLong;
    if (end == std::string_view::npos) {
      partial_.append(piece);
      break;
    }
    bytes.remove_prefix(end + 1);
    std::string_view line = piece;
    if (!partial_.empty()) line = partial_.append(piece);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !on_line(line)) return Verdict::Left;
    partial_.clear();
    if (partial_.capacity() > kKeepCapacity) partial_.shrink_to_fit();
  }
  return Verdict::More;
}

}  // namespace certpair::kube
