#include "file_writer.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace certpair::plugin {
namespace {

std::unexpected<Error> Failed(const std::string& path, std::string_view what, int error) {
  const bool absent = error == ENOENT || error == ENOTDIR;
  return Fail(
      absent ? ErrorCode::NotFound : ErrorCode::Unavailable,
      fmt::format("{} cannot be {}: {}{}", path, what, std::generic_category().message(error),
                  absent ? "; is there such a folder?" : ""));
}

bool WriteAll(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t size = write(fd, content.data(), content.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(size));
  }
  return fsync(fd) == 0;
}

// Never over what is there. Some file systems do not know the flag (NFS), others have no hard links
// (FAT). The error number, or 0.
int PlaceAnew(const std::string& beside, const std::string& path) {
  if (renameat2(AT_FDCWD, beside.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (link(beside.c_str(), path.c_str()) != 0) return errno;
  unlink(beside.c_str());
  return 0;
}

}  // namespace

// What stands there itself, not what it points to.
Result<void> MayBeReplaced(const std::string& path, bool force) {
  struct stat there{};
  if (lstat(path.c_str(), &there) != 0) return {};
  if (S_ISDIR(there.st_mode)) return Fail(ErrorCode::Invalid, path + " is a folder");
  if (!force)
    return Fail(ErrorCode::Invalid,
                path + " is there already; --force writes over it, or name another with --to");
  if (!S_ISREG(there.st_mode) && !S_ISLNK(there.st_mode))
    return Fail(ErrorCode::Invalid, path + " is neither a file nor a link");
  return {};
}

Result<PrivateFile> PrivateFile::Write(const std::string& path, std::string_view content) {
  const std::filesystem::path target{path};
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  std::string beside = (folder / fmt::format(".{}.XXXXXX", target.filename().string())).string();
  const int fd = mkostemp(beside.data(), O_CLOEXEC);  // mode 0600, and never through a link
  if (fd < 0) return Failed(path, "made", errno);
  PrivateFile file{path, std::move(beside)};
  const bool written = WriteAll(fd, content);
  const int write_error = errno;
  const bool closed = close(fd) == 0;
  if (!written || !closed) return Failed(path, "written", written ? errno : write_error);
  return file;
}

PrivateFile::~PrivateFile() {
  if (!beside_.empty()) unlink(beside_.c_str());
}

Result<void> PrivateFile::Place(bool force) {
  int error = PlaceAnew(beside_, path_);
  anew_ = error == 0;
  if (error != 0 && force) error = rename(beside_.c_str(), path_.c_str()) == 0 ? 0 : errno;
  if (error != 0) return Failed(path_, "put in its place", error);
  beside_.clear();
  return {};
}

void PrivateFile::TakeBack() {
  if (anew_) unlink(path_.c_str());
  anew_ = false;
}

Result<void> WritePrivateFile(const std::string& path, std::string_view content, bool force) {
  if (auto may = MayBeReplaced(path, force); !may) return may;
  auto file = PrivateFile::Write(path, content);
  if (!file) return std::unexpected(std::move(file.error()));
  return file->Place(force);
}

}  // namespace certpair::plugin
