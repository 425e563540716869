#include "support/process.hpp"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <unistd.h>

#include <gtest/gtest.h>

namespace certpair::test {
namespace {

TEST(Process, What_it_says_and_how_it_ends_is_captured) {
  const ProcessResult result = RunProcess({"bash", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
  EXPECT_FALSE(result.timed_out);
}

TEST(Process, It_reads_its_input_to_the_end) {
  const std::string input(1 << 20, 'x');
  EXPECT_EQ(RunProcess({"cat"}, {.input = input}).out, input);
}

TEST(Process, One_that_does_not_read_its_input_does_no_harm) {
  EXPECT_EQ(RunProcess({"true"}, {.input = std::string(1 << 20, 'x')}).exit_code, 0);
}

TEST(Process, No_shell_sees_its_arguments) {
  EXPECT_EQ(RunProcess({"printf", "%s", "$HOME; a b"}).out, "$HOME; a b");
}

TEST(Process, A_variable_that_is_given_replaces_ours) {
  EXPECT_EQ(RunProcess({"bash", "-c", "echo $HOME"}, {.environment = {"HOME=/nowhere"}}).out,
            "/nowhere\n");
}

TEST(Process, One_that_takes_too_long_is_killed_with_its_children) {
  const ProcessResult result = RunProcess({"bash", "-c", "echo begun; sleep 600 & sleep 600"},
                                          {.timeout = std::chrono::seconds{1}});
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_code, 128 + 9);
}

TEST(Process, One_that_is_not_there_says_so) {
  const ProcessResult result = RunProcess({"/no/such/program"});
  EXPECT_EQ(result.exit_code, 127);
  EXPECT_EQ(result.err, "cannot start /no/such/program");
}

TEST(AtExit, It_runs_when_the_object_goes_and_not_before) {
  const std::string mark = testing::TempDir() + "at-exit-" + std::to_string(getpid());
  {
    const AtExit last({"touch", mark});
    EXPECT_FALSE(std::filesystem::exists(mark));
  }
  EXPECT_TRUE(std::filesystem::remove(mark));
}

TEST(AtExit, It_runs_when_the_process_is_killed) {
  const std::string mark = testing::TempDir() + "at-kill-" + std::to_string(getpid());
  EXPECT_EXIT(
      {
        const AtExit last({"touch", mark});
        raise(SIGKILL);
      },
      testing::KilledBySignal(SIGKILL), "");
  // Nobody tells when it has run: it is no child of ours.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!std::filesystem::remove(mark)) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    usleep(10'000);
  }
}

}  // namespace
}  // namespace certpair::test
