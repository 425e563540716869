#include "notify/smtp_files.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/file_text.hpp"

namespace certpair::notify {
namespace {

Result<std::string> ReadAuthority(const std::string& path) {
  auto text = ReadFileText(path);
  if (!text) return Fail(text.error().code, "the CA file: " + text.error().message);
  if (text->find("-----BEGIN ") == std::string::npos)
    return Fail(ErrorCode::Invalid, fmt::format("the CA file: {} holds no PEM certificate", path));
  return text;
}

Result<Login> ReadLogin(const std::string& path) {
  auto text = ReadFileText(path);
  if (!text) return Fail(text.error().code, "the credentials file: " + text.error().message);
  const SecretString held{std::move(*text)};
  auto login = ParseLogin(held.Reveal());
  if (!login)
    return Fail(ErrorCode::Invalid,
                fmt::format("the credentials file {}: {}", path, login.error().message));
  return login;
}

}  // namespace

Result<SmtpFiles> ReadFiles(const SmtpServer& server) {
  SmtpFiles files;
  if (!server.ca_file.empty()) {
    auto authority = ReadAuthority(server.ca_file);
    if (!authority) return std::unexpected(authority.error());
    files.authority = std::move(*authority);
  }
  if (!server.credentials_file.empty()) {
    auto login = ReadLogin(server.credentials_file);
    if (!login) return std::unexpected(login.error());
    files.login = std::move(*login);
  }
  return files;
}

bool AreSame(const SmtpFiles& one, const SmtpFiles& other) {
  if (one.login.has_value() != other.login.has_value()) return false;
  const bool same_login = !one.login || (one.login->user == other.login->user &&
                                         one.login->password == other.login->password);
  return same_login && one.authority == other.authority;
}

}  // namespace certpair::notify
