// What of a private key is left in the operator's memory once the Secret is written.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "support/operator_test.hpp"

namespace certpair::test {
namespace {

// All that a process has in memory, as proc(5) gives it to root; nothing where it may not be read.
std::optional<std::string> MemoryOf(pid_t pid) {
  const std::string at = "/proc/" + std::to_string(pid);
  std::ifstream maps{at + "/maps"};
  std::ifstream memory{at + "/mem", std::ios::binary};
  if (!maps || !memory) return std::nullopt;
  std::string all;
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    char dash = 0;
    std::string rights;
    std::istringstream{line} >> std::hex >> begin >> dash >> end >> rights;
    if (!rights.starts_with("rw") || line.ends_with("[vvar]")) continue;
    const std::size_t before = all.size();
    all.resize(before + (end - begin));
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(begin));
    memory.read(all.data() + before, static_cast<std::streamsize>(end - begin));
    all.resize(before + static_cast<std::size_t>(std::max<std::streamsize>(memory.gcount(), 0)));
  }
  return all;
}

class Memory : public OperatorTest {};

TEST_F(Memory, Keeps_nothing_of_a_key_that_was_written) {
  OperatorProcess op{WithAdmin()};
  Apply(GeneratedAuthority("memory-ca"));
  Apply(System("memory", "memory-ca"));
  AwaitCondition("psys", "memory", "Ready", "True");
  const std::string fingerprint =
      Get("psys", "memory")->at("status").at("activeFingerprint").get<std::string>();
  const Json secret = Get("secret", "memory-outbound").value();
  const std::string pem = SecretValue(secret, "tls.key");
  // The middle of the key, in the two forms in which it goes to the API server.
  const std::string in_pem = pem.substr(pem.find('\n') + 50, 14);
  const std::string in_base64 = secret.at("data").at("tls.key").get<std::string>().substr(120, 40);
  ASSERT_EQ(in_pem.size(), 14U);
  ASSERT_EQ(in_base64.size(), 40U);

  const auto before = MemoryOf(op.Pid());
  if (!before || before->empty())
    GTEST_SKIP() << "no right to read another process's memory: run as root";
  ASSERT_NE(before->find(fingerprint), std::string::npos) << "the test sees what is in memory";
  std::string left;
  const bool clean = Eventually([&] {
    const std::string memory = MemoryOf(op.Pid()).value_or("");
    left = std::string{memory.find(in_pem) != std::string::npos ? "PEM " : ""} +
           (memory.find(in_base64) != std::string::npos ? "base64" : "");
    return left.empty();
  });
  EXPECT_TRUE(clean) << "of the key stays: " << left;
}

}  // namespace
}  // namespace certpair::test
