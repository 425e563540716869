// What a reader of a mail can paste into a shell. Pure, thread-safe. Private to src/notify.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/notice.hpp"

namespace certpair::notify {

/// One step in two forms: with the plugin `kubectl certpair`, and without it. Neither ends in a
/// line end; `plain` may have several lines.
struct Command {
  std::string plugin;
  std::string plain;
};

/// The commands of one system. Nothing unless its namespace and name are valid in Kubernetes
/// (RFC 1123 labels): no other text reaches a shell.
class Commands {
 public:
  static std::optional<Commands> Of(const core::Notice& notice);

  [[nodiscard]] Command Generate() const;
  [[nodiscard]] Command Activate(std::string_view fingerprint) const;
  /// The certificate that is inactive when the command runs.
  [[nodiscard]] Command ActivateInactive() const;
  [[nodiscard]] Command Delete(std::string_view fingerprint) const;
  /// Writes a public certificate to standard output; the active one or the other.
  [[nodiscard]] Command Download(bool active) const;
  [[nodiscard]] Command TurnRegenerationOn() const;
  [[nodiscard]] Command Describe() const;

 private:
  Commands(std::string space, std::string name)
      : space_(std::move(space)), name_(std::move(name)) {}
  [[nodiscard]] std::string Plugin(std::string_view verb, std::string_view more = {}) const;
  [[nodiscard]] std::string Operation(std::string_view action, std::string_view fingerprint) const;

  std::string space_;
  std::string name_;
};

/// The file that the certificate is attached as: `<system>-<8 digits of the fingerprint>.pem`, of
/// letters, digits, `-` and `.` alone.
[[nodiscard]] std::string FileName(std::string_view system, std::string_view fingerprint);

}  // namespace certpair::notify
