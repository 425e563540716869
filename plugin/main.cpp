// The plugin's main: what it learns of the terminal, the environment, the clock and signals.
#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <memory>
#include <poll.h>
#include <stop_token>
#include <string>
#include <termios.h>
#include <thread>
#include <unistd.h>

#include "base/descriptor.hpp"
#include "base/log.hpp"
#include "kube/transport_cpprest.hpp"
#include "run.hpp"

namespace certpair::plugin {
namespace {

std::string Variable(const kube::Environment& environment, const std::string& name) {
  const auto found = environment.variables.find(name);
  return found == environment.variables.end() ? "" : found->second;
}

// https://no-color.org: set and not empty.
bool WantsColour(const kube::Environment& environment) {
  return isatty(STDOUT_FILENO) != 0 && Variable(environment, "NO_COLOR").empty() &&
         Variable(environment, "TERM") != "dumb";
}

// Everything, or nothing more: a full disk or a closed pipe is told once, by the exit code.
class Writer {
 public:
  explicit Writer(int fd) : fd_(fd) {}
  void operator()(std::string_view text) {
    while (!text.empty() && !failed_) {
      const ssize_t size = write(fd_, text.data(), text.size());
      if (size < 0 && errno == EINTR) continue;
      failed_ = size < 0;
      if (size > 0) text.remove_prefix(static_cast<std::size_t>(size));
    }
  }
  [[nodiscard]] bool Failed() const { return failed_; }

 private:
  const int fd_;
  bool failed_ = false;
};

// Turns the first Ctrl-C into a stop request; the second ends the program.
class Listener {
 public:
  std::stop_token Begin() {
    if (thread_.joinable()) return stop_.get_token();
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);  // before any other thread: each inherits it
    kube::InitializeNetwork();
    thread_ = std::jthread{[this](const std::stop_token& end) { Listen(end); }};
    return stop_.get_token();
  }
  [[nodiscard]] std::stop_token Token() const { return stop_.get_token(); }

 private:
  void Listen(const std::stop_token& end) {
    const timespec a_moment{0, 50'000'000};
    while (!end.stop_requested()) {
      if (sigtimedwait(&signals_, nullptr, &a_moment) < 0) continue;
      if (stop_.stop_requested()) _exit(static_cast<int>(Exit::Interrupted));
      stop_.request_stop();
    }
  }
  std::stop_source stop_;
  sigset_t signals_{};
  std::jthread thread_;
};

// Hides what is typed for as long as it lives.
class Hidden {
 public:
  explicit Hidden(bool wanted) : wanted_(wanted && tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!wanted_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~Hidden() {
    if (wanted_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  Hidden(const Hidden&) = delete;
  Hidden& operator=(const Hidden&) = delete;

 private:
  termios before_{};
  const bool wanted_;
};

// Signals are blocked, so read() would not notice them.
std::optional<std::string> ReadLine(const std::stop_token& stop) {
  std::string line;
  while (!stop.stop_requested()) {
    pollfd wait{STDIN_FILENO, POLLIN, 0};
    if (poll(&wait, 1, 50) <= 0) continue;
    char c = 0;
    if (read(STDIN_FILENO, &c, 1) != 1) return std::nullopt;
    if (c == '\n') return line;
    line += c;
  }
  return std::nullopt;
}

int Main(const std::vector<std::string>& arguments) {
  log::Configure(log::Level::Error, log::Format::Text);
  kube::Environment environment = kube::EnvironmentOf(environ);
  environment.stdin_is_terminal = isatty(STDIN_FILENO) != 0;
  Writer out{STDOUT_FILENO};
  Writer err{STDERR_FILENO};
  Listener listener;
  Console console{.out = [&](std::string_view text) { out(text); },
                  .err = [&](std::string_view text) { err(text); },
                  .ask = {},
                  .colour = WantsColour(environment),
                  .out_is_terminal = isatty(STDOUT_FILENO) != 0,
                  .err_is_terminal = isatty(STDERR_FILENO) != 0};
  // Where standard error is a file, a person is still there to be asked.
  const Descriptor terminal{open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY)};
  Writer prompt{console.err_is_terminal ? STDERR_FILENO : terminal.Get()};
  if (environment.stdin_is_terminal && (console.err_is_terminal || terminal.Get() >= 0))
    console.ask = [&](std::string_view question, bool hidden) -> std::optional<std::string> {
      const Hidden quiet{hidden};  // before the question, so that a quick answer is not shown
      prompt(question);
      auto line = ReadLine(listener.Token());
      if (hidden || !line) prompt("\n");
      return line;
    };
  const SystemClock clock;
  const Exit exit = Run({.console = console,
                         .clock = clock,
                         .environment = environment,
                         .begin_to_listen = [&] { return listener.Begin(); }},
                        arguments);
  if (out.Failed() && exit == Exit::Done) {
    err("error: standard output cannot be written\n");
    return static_cast<int>(Exit::Failed);
  }
  return static_cast<int>(exit);
}

}  // namespace
}  // namespace certpair::plugin

int main(int argc, char** argv) {
  return certpair::plugin::Main({argv + std::min(argc, 1), argv + argc});
}
