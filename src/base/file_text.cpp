#include "base/file_text.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

namespace certpair {

Result<std::string> ReadFileText(const std::string& path) {
  constexpr std::uintmax_t kMaxSize = std::uintmax_t{4} << 20;
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (!std::filesystem::exists(status))
    return Fail(ErrorCode::NotFound, fmt::format("there is no file {}", path));
  // A FIFO or device would block or never end.
  if (!std::filesystem::is_regular_file(status))
    return Fail(ErrorCode::Invalid, fmt::format("{} is not a regular file", path));
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return Fail(ErrorCode::Unavailable,
                fmt::format("{} cannot be read: {}", path, std::generic_category().message(errno)));
  std::string text;
  char block[4096];
  while (file.read(block, sizeof block) || file.gcount() > 0) {
    text.append(block, static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMaxSize)
      return Fail(ErrorCode::Invalid, fmt::format("{} is larger than 4 MiB", path));
  }
  return text;
}

}  // namespace certpair
