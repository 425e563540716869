#include "process.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <netinet/in.h>
#include <sstream>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace certpair::bench {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

std::string HttpGet(int port, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return {};
  sockaddr_in address = Loopback(port);
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) ==
      0) {  // NOLINT: the sockets API
    const std::string request = "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n";
    std::array<char, 65536> buffer{};
    if (write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size()))
      for (ssize_t n = 0; (n = read(fd, buffer.data(), buffer.size())) > 0;)
        answer.append(buffer.data(), static_cast<std::size_t>(n));
  }
  close(fd);
  const std::size_t body = answer.find("\r\n\r\n");
  return body == std::string::npos ? std::string{} : answer.substr(body + 4);
}

}  // namespace

Process::Process(const std::vector<std::string>& command, const std::string& log_path) {
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (const std::string& word : command)
    argv.push_back(const_cast<char*>(word.c_str()));  // NOLINT: exec's signature
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0) _exit(126);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
}

void Process::Stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  for (int i = 0; i < 1000; ++i) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool Process::Running() const { return pid_ > 0 && kill(pid_, 0) == 0; }

Usage Process::Used() const {
  Usage usage;
  const std::string proc = "/proc/" + std::to_string(pid_);
  std::ifstream stat{proc + "/stat"};
  std::string line;
  std::getline(stat, line);
  std::istringstream fields{line.substr(std::min(line.size(), line.rfind(')') + 2))};
  std::string field;
  for (int i = 3; i <= 15 && fields >> field;
       ++i)  // proc(5): utime and stime are the 14th and 15th
    if (i >= 14) usage.cpu_seconds += std::stod(field) / static_cast<double>(sysconf(_SC_CLK_TCK));
  std::ifstream status{proc + "/status"};
  while (std::getline(status, line))
    if (line.starts_with("VmHWM:")) usage.peak_mib = std::stod(line.substr(6)) / 1024.0;
  return usage;
}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  bind(fd, reinterpret_cast<sockaddr*>(&address), size);          // NOLINT: the sockets API
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);  // NOLINT: the sockets API
  close(fd);
  return ntohs(address.sin_port);
}

Samples Scrape(int port) {
  Samples samples;
  std::istringstream text{HttpGet(port, "/metrics")};
  std::string line;
  while (std::getline(text, line)) {
    const std::size_t space = line.rfind(' ');
    if (line.empty() || line.front() == '#' || space == std::string::npos) continue;
    samples[line.substr(0, space)] = std::strtod(line.c_str() + space, nullptr);
  }
  return samples;
}

double Sum(const Samples& samples, const std::string& name,
           const std::vector<std::string>& labels) {
  double sum = 0;
  for (const Samples::value_type& sample : samples) {
    const std::string& key = sample.first;
    const bool of_name = key == name || key.starts_with(name + "{");
    const bool has_labels = std::ranges::all_of(
        labels, [&key](const std::string& l) { return key.find(l) != std::string::npos; });
    if (of_name && has_labels) sum += sample.second;
  }
  return sum;
}

}  // namespace certpair::bench
