#include "support/smtp_server.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "support/process.hpp"
#include "support/source.hpp"

namespace certpair::test {
namespace {

// Debian's, which Debian's python3-aiosmtpd is for, whatever else is in PATH.
constexpr const char* kPython = "/usr/bin/python3";

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << text;
}

template <class Condition>
bool Within(std::chrono::seconds limit, Condition condition) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return true;
}

}  // namespace

std::string ReceivedMail::Header(const std::string& name) const {
  for (const auto& header : about.at("headers"))
    if (header.at(0) == name) return header.at(1);
  return {};
}

std::string ReceivedMail::Part(const std::string& type) const {
  for (const auto& part : about.at("parts"))
    if (part.at("type") == type) return part.at("content");
  return {};
}

std::optional<std::string> SmtpServer::WhyNot() {
  static const bool kThere = RunProcess({kPython, "-c", "import aiosmtpd"}).exit_code == 0;
  if (kThere) return std::nullopt;
  return "there is no aiosmtpd for /usr/bin/python3 (Debian: python3-aiosmtpd)";
}

SmtpServer::SmtpServer(const SmtpServerOptions& options) {
  TlsAuthority authority("mail CA");
  const TlsIdentity identity = authority.Issue(options.subject);
  WriteFile(CaFile(), authority.Certificate());
  WriteFile(folder_ / "server.crt", identity.certificate);
  WriteFile(folder_ / "server.key", identity.key);
  Behave(options.behaviour.is_null() ? nlohmann::json::object() : options.behaviour);
  child_.emplace(std::vector<std::string>{kPython, SourceDir() + "/tests/support/smtp_server.py",
                                          folder_.Path(), "--tls", options.tls},
                 folder_ / "log");
  const bool open =
      Within(std::chrono::seconds{30}, [&] { return !ReadFile(folder_ / "port").empty(); });
  EXPECT_TRUE(open) << ReadFile(folder_ / "log");
  if (open) port_ = std::stoi(ReadFile(folder_ / "port"));
}

SmtpServer::~SmtpServer() {
  child_->CloseInput();
  child_->WaitForExit(std::chrono::seconds{5});
}

void SmtpServer::Behave(const nlohmann::json& behaviour) {
  WriteFile(folder_ / "behaviour.new", behaviour.dump());
  std::filesystem::rename(folder_ / "behaviour.new", folder_ / "behaviour");
}

std::size_t SmtpServer::CountMails() const {
  const std::filesystem::directory_iterator mails{folder_ / "mails"};
  return static_cast<std::size_t>(std::ranges::count_if(
      mails, [](const auto& entry) { return entry.path().extension() == ".json"; }));
}

bool SmtpServer::AwaitMails(std::size_t count) const {
  return Within(std::chrono::seconds{30}, [&] { return CountMails() >= count; });
}

std::vector<ReceivedMail> SmtpServer::Mails() const {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator{folder_ / "mails"})
    if (entry.path().extension() == ".json") paths.push_back(entry.path().string());
  std::ranges::sort(paths);
  std::vector<ReceivedMail> mails;
  for (const std::string& path : paths) {
    ReceivedMail mail{nlohmann::json::parse(ReadFile(path)),
                      ReadFile(std::filesystem::path{path}.replace_extension(".eml").string())};
    EXPECT_TRUE(mail.about.at("defects").empty()) << mail.about.at("defects") << mail.bytes;
    mails.push_back(std::move(mail));
  }
  return mails;
}

int SmtpServer::CountLines(const std::string& start) const {
  std::istringstream all{Lines()};
  int count = 0;
  for (std::string line; std::getline(all, line);) count += line.starts_with(start) ? 1 : 0;
  return count;
}

}  // namespace certpair::test
