#include "support/process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "base/descriptor.hpp"

namespace certpair::test {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  Descriptor read;
  Descriptor write;
};

// Close-on-exec, or another thread's child would hold it open.
Pipe MakePipe() {
  std::array<int, 2> ends{-1, -1};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return {};
  }
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// A file, not a pipe: a program that does not read its input cannot raise SIGPIPE here.
Descriptor MakeInput(const std::string& text) {
  Descriptor file(memfd_create("input", MFD_CLOEXEC));
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = write(file.Get(), text.data() + done, text.size() - done);
    if (n <= 0) {
      break;
    }
    done += static_cast<std::size_t>(n);
  }
  lseek(file.Get(), 0, SEEK_SET);
  return file;
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const std::string& text : texts) {
    pointers.push_back(const_cast<char*>(text.c_str()));  // posix_spawn does not write
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> Environment(const std::vector<std::string>& added) {
  std::vector<std::string> all = added;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::string name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const std::string& other : added) {
      replaced = replaced || other.starts_with(name);
    }
    if (!replaced) {
      all.push_back(text);
    }
  }
  return all;
}

// Standard streams: the given descriptor, or ours where it is -1. Returns the pid, or -1.
int Spawn(const std::vector<std::string>& command, const std::vector<std::string>& environment,
          std::array<int, 3> streams, bool own_session) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int i = 0; i < 3; ++i) {
    if (streams[static_cast<std::size_t>(i)] >= 0) {
      posix_spawn_file_actions_adddup2(&actions, streams[static_cast<std::size_t>(i)], i);
    }
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, own_session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP);
  const std::vector<std::string> full = Environment(environment);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, command.front().c_str(), &actions, &attributes,
                                 Pointers(command).data(), Pointers(full).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? pid : -1;
}

// False once the other end is closed.
bool ReadSome(int fd, std::string& into) {
  std::array<char, 65536> buffer;
  const ssize_t n = read(fd, buffer.data(), buffer.size());
  if (n > 0) {
    into.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return n > 0 || (n < 0 && errno == EINTR);
}

// Reads both until both are closed. False when the deadline passes first.
bool ReadBoth(Descriptor& out, Descriptor& err, ProcessResult& result, Clock::time_point deadline) {
  while (out.Get() >= 0 || err.Get() >= 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      return false;
    }
    std::array<pollfd, 2> waits{pollfd{out.Get(), POLLIN, 0}, pollfd{err.Get(), POLLIN, 0}};
    poll(waits.data(), waits.size(), static_cast<int>(left.count()));
    if (waits[0].revents != 0 && !ReadSome(out.Get(), result.out)) {
      out.Close();
    }
    if (waits[1].revents != 0 && !ReadSome(err.Get(), result.err)) {
      err.Close();
    }
  }
  return true;
}

int WaitFor(int pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

ProcessResult RunProcess(const std::vector<std::string>& command, const ProcessOptions& options) {
  ProcessResult result;
  Pipe out = MakePipe();
  Pipe err = MakePipe();
  const Descriptor input = MakeInput(options.input);
  const int pid =
      Spawn(command, options.environment, {input.Get(), out.write.Get(), err.write.Get()}, false);
  out.write.Close();
  err.write.Close();
  if (pid < 0) {
    result.err = "cannot start " + command.front();
    return result;
  }
  if (!ReadBoth(out.read, err.read, result, Clock::now() + options.timeout)) {
    result.timed_out = true;
    kill(-pid, SIGKILL);
  }
  result.exit_code = WaitFor(pid);
  return result;
}

AtExit::AtExit(const std::vector<std::string>& command) {
  Pipe pipe = MakePipe();
  // `read` returns when the last copy of the other end is gone, and that is ours alone.
  std::vector<std::string> waiting{"bash", "-c", R"(read -r; exec "$@" </dev/null)", "at-exit"};
  waiting.insert(waiting.end(), command.begin(), command.end());
  pid_ = Spawn(waiting, {}, {pipe.read.Get(), -1, -1}, true);
  keep_open_ = fcntl(pipe.write.Get(), F_DUPFD_CLOEXEC, 0);
}

AtExit::~AtExit() {
  if (keep_open_ >= 0) {
    close(keep_open_);
  }
  if (pid_ > 0) {
    WaitFor(pid_);
  }
}

}  // namespace certpair::test
