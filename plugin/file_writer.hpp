// Files that only their owner may read, and that are whole or absent.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace certpair::plugin {

/// Whether WritePrivateFile may put something there: so that of several files all or none are
/// written. The same errors, as far as they can be told before.
[[nodiscard]] Result<void> MayBeReplaced(const std::string& path, bool force);

/// A file that is whole beside its place. It goes with this object unless it was put there: so that
/// of several files none is in its place before all are written.
class PrivateFile {
 public:
  /// With mode 0600, and synced. NotFound: there is no such folder. Unavailable: no right, no room.
  [[nodiscard]] static Result<PrivateFile> Write(const std::string& path, std::string_view content);
  ~PrivateFile();
  PrivateFile(PrivateFile&& other) noexcept
      : path_(std::move(other.path_)),
        beside_(std::exchange(other.beside_, {})),
        anew_(other.anew_) {}
  PrivateFile(const PrivateFile&) = delete;
  PrivateFile& operator=(const PrivateFile&) = delete;
  PrivateFile& operator=(PrivateFile&&) = delete;

  /// Once, in one step. What stands there is never written through: a link is replaced, not
  /// followed, and only with `force`.
  [[nodiscard]] Result<void> Place(bool force);
  /// Away again from where Place put it, if nothing was there before.
  void TakeBack();

 private:
  PrivateFile(std::string path, std::string beside)
      : path_(std::move(path)), beside_(std::move(beside)) {}

  std::string path_;
  std::string beside_;  // empty: it is in its place
  bool anew_ = false;   // nothing was there
};

/// One file that MayBeReplaced, written and placed. Nothing is left behind where that fails.
[[nodiscard]] Result<void> WritePrivateFile(const std::string& path, std::string_view content,
                                            bool force);

}  // namespace certpair::plugin
