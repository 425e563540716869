#include "support/child.hpp"

#include <array>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace certpair::test {

Child::Child(std::vector<std::string> command, const std::string& log_path,
             const std::vector<std::string>& environment) {
  std::vector<char*> argv;
  argv.reserve(command.size() + 1);
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::array<int, 2> input{};
  if (pipe2(input.data(), O_CLOEXEC) != 0) return;
  pid_ = fork();
  if (pid_ != 0) {
    close(input[0]);
    input_ = input[1];
    return;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  dup2(input[0], STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  for (const std::string& entry : environment) {
    const std::size_t equals = entry.find('=');
    setenv(entry.substr(0, equals).c_str(), entry.substr(equals + 1).c_str(), 1);
  }
  execv(argv[0], argv.data());
  _exit(127);
}

Child::~Child() {
  if (Running()) {
    Signal(SIGKILL);
    WaitForExit(std::chrono::seconds{30});
  }
  CloseInput();
}

void Child::CloseInput() {
  if (input_ >= 0) close(input_);
  input_ = -1;
}

void Child::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

int Child::WaitForExit(std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (Running()) {
    if (std::chrono::steady_clock::now() > deadline) return -1;
    std::this_thread::sleep_for(std::chrono::milliseconds{20});
  }
  return exit_status_;
}

bool Child::Running() {
  if (pid_ <= 0) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  exit_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  pid_ = -1;
  return false;
}

ScratchFolder::ScratchFolder()
    : path_((std::filesystem::temp_directory_path() / "certpair-test-XXXXXX").string()) {
  if (mkdtemp(path_.data()) == nullptr) path_ = std::string{"."};  // GCC 12 fears the literal
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (path_ != ".") std::filesystem::remove_all(path_, ignored);
}

std::string ReadFile(const std::string& path) {
  std::ifstream file{path};
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace certpair::test
