// A real SMTP server on loopback (aiosmtpd), which misbehaves as a test tells it: see
// smtp_server.py.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "support/child.hpp"
#include "support/tls_identity.hpp"

namespace certpair::test {

/// One mail that the server took; see the script for what stands in `about`.
struct ReceivedMail {
  nlohmann::json about;
  std::string bytes;
  /// The first header of this name, decoded; empty: none.
  [[nodiscard]] std::string Header(const std::string& name) const;
  /// The decoded content of the first part of this type; empty: none.
  [[nodiscard]] std::string Part(const std::string& type) const;
  [[nodiscard]] std::string To() const { return about.at("to").at(0); }
};

struct SmtpServerOptions {
  std::string tls = "starttls";   ///< or `tls`, `none`
  TlsSubject subject;             ///< of its certificate
  nlohmann::json behaviour = {};  ///< from the start
};

class SmtpServer {
 public:
  /// What keeps it from running on this machine, for GTEST_SKIP; nothing: it runs.
  [[nodiscard]] static std::optional<std::string> WhyNot();

  /// The test fails if it does not start.
  explicit SmtpServer(const SmtpServerOptions& options = {});
  ~SmtpServer();
  SmtpServer(const SmtpServer&) = delete;
  SmtpServer& operator=(const SmtpServer&) = delete;

  [[nodiscard]] int Port() const { return port_; }
  /// `127.0.0.1:<port>`.
  [[nodiscard]] std::string Address() const { return "127.0.0.1:" + std::to_string(port_); }
  /// The CA that issued its certificate: the path of a PEM file.
  [[nodiscard]] std::string CaFile() const { return folder_ / "ca.crt"; }
  /// Replaces its behaviour, from its next step on.
  void Behave(const nlohmann::json& behaviour);

  /// In the order in which they came. Each must be without a fault for Python's email package, or
  /// the test fails.
  [[nodiscard]] std::vector<ReceivedMail> Mails() const;
  /// How many it has taken; false if they do not come within half a minute.
  [[nodiscard]] bool AwaitMails(std::size_t count) const;
  [[nodiscard]] std::size_t CountMails() const;
  /// The commands that it was given: `clear EHLO host`, `tls MAIL FROM:<a@b>`, …
  [[nodiscard]] std::string Lines() const { return ReadFile(folder_ / "lines"); }
  /// How many of them begin like this.
  [[nodiscard]] int CountLines(const std::string& start) const;
  [[nodiscard]] pid_t Pid() const { return child_->Pid(); }

 private:
  ScratchFolder folder_;
  std::optional<Child> child_;
  int port_ = 0;
};

}  // namespace certpair::test
