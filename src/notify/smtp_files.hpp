// The files that a mail needs, as they are now. Private to src/notify.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "notify/settings.hpp"

namespace certpair::notify {

struct SmtpFiles {
  std::string authority;  ///< PEM; empty: the system's
  std::optional<Login> login;
};

/// Reads what the settings name. The error names the file, and repeats nothing of what it holds.
[[nodiscard]] Result<SmtpFiles> ReadFiles(const SmtpServer& server);

/// Whether both hold the same: an open connection may serve.
[[nodiscard]] bool AreSame(const SmtpFiles& one, const SmtpFiles& other);

}  // namespace certpair::notify
